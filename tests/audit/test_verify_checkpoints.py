"""What was told outside, and by which keys, decides what is genuine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import Seal, SealEvent
from backoffice.audit.seals import checkpoints, keys
from backoffice.audit.seals.checkpoints import Checkpoint, note
from backoffice.audit.seals.exceptions import KeyMissing
from backoffice.audit.seals.publishing import publish_newest
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product
from .tampering import tamper


@pytest.fixture
def _three_seals(db: None) -> None:
    for number in range(3):
        with audit_context(source=Source.SHELL, action="Work", reason=str(number)):
            Product.objects.bulk_create([a_product(f"P-{number}-{n}") for n in range(4)])
        with audit_context(source=Source.SHELL, action="More", reason=str(number)):
            Product.objects.update(brand=f"Brand {number}")
        seal_new_entries()
    assert told() == []


pytestmark = pytest.mark.usefixtures("_three_seals")


def told(*kept: Checkpoint) -> list[tuple[str, int | None]]:
    findings = Verification(checkpoints=kept).findings()
    return [(f.wrong.value, f.seal) for f in findings]


def kept() -> list[Checkpoint]:
    """What somebody outside has of all the seals."""
    notes = "\n".join(note(seal) for seal in Seal.objects.order_by("pk"))
    return list(checkpoints.read(notes))


def cut_the_end_off() -> None:
    tamper("DELETE FROM audit_seal WHERE id = 3")
    tamper("DELETE FROM audit_sealedentry WHERE seal_id = 3")
    tamper("DELETE FROM audit_sealedrows WHERE seal_id = 3")


def test_a_chain_that_was_cut_short_is_told_by_a_checkpoint_alone() -> None:
    outside = kept()
    cut_the_end_off()
    assert told() == []  # nothing inside the database can know
    assert told(*outside) == [("seal_removed", 3)]


def test_a_chain_that_was_cut_short_and_sealed_anew_is_told_by_a_checkpoint() -> None:
    outside = kept()
    cut_the_end_off()
    tamper("UPDATE inventory_historicalproduct SET brand = 'x' WHERE brand = 'Brand 2'")
    tamper("UPDATE inventory_product SET brand = 'x' WHERE brand = 'Brand 2'")
    seal_new_entries()
    assert told() == []  # whoever has the key as well can do that
    assert told(*outside) == [("checkpoint_differs", 3)]
    assert told(*outside[:2]) == []


def test_what_was_published_is_missed_even_without_its_checkpoint(
    settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/checkpoints.log"]
    publish_newest()
    cut_the_end_off()
    assert told() == [("seal_removed", 3)]


def test_a_seal_that_was_signed_by_somebody_else_is_named(settings: Any, tmp_path: Path) -> None:
    own = settings.AUDIT_SIGNING_KEY
    settings.AUDIT_SIGNING_KEY = str(tmp_path / "theirs.pem")
    with audit_context(source=Source.SHELL, reason="theirs"):
        a_product("theirs").save()
    seal_new_entries()
    assert told() == [("key_unknown", 1), ("key_unknown", 2), ("key_unknown", 3)]
    settings.AUDIT_SIGNING_KEY = own
    assert told() == [("key_unknown", 4)]


def test_a_new_key_takes_over_and_the_old_seals_stay_verifiable(
    settings: Any, tmp_path: Path
) -> None:
    former = tmp_path / "former.pub"
    former.write_text(keys.public_pem(keys.signing_key().public_key()))
    settings.AUDIT_SIGNING_KEY = str(tmp_path / "next.pem")
    settings.AUDIT_PUBLIC_KEYS = [str(former)]
    with audit_context(source=Source.SHELL, reason="next"):
        a_product("next").save()
    seal_new_entries()
    assert len(set(Seal.objects.values_list("key_id", flat=True))) == 2
    assert told() == []

    # The auditor's machine has the public halves alone, in one file.
    both = former.read_text() + (tmp_path / "next.pem.pub").read_text()
    settings.AUDIT_SIGNING_KEY, settings.AUDIT_PUBLIC_KEYS = "", [both]
    assert told() == []
    settings.AUDIT_PUBLIC_KEYS = [str(tmp_path / "next.pem.pub")]
    assert told() == [("key_unknown", 1), ("key_unknown", 2), ("key_unknown", 3)]


def test_without_any_public_key_nothing_is_called_verified(settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = ""
    with pytest.raises(CommandError, match="AUDIT_PUBLIC_KEYS"):
        call_command("audit_verify")
    with pytest.raises(KeyMissing):
        told()
    assert not SealEvent.objects.exists()


def test_a_checkpoint_that_nobody_signed_counts_for_nothing() -> None:
    (one, *_rest) = kept()
    for forged in (replace(one, seal=9), replace(one, hash="0" * 64), replace(one, entries=7)):
        assert told(forged) == [("checkpoint_unsigned", forged.seal)]


def test_the_command_reads_checkpoints_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mail.txt"
    path.write_text(f"From: the shop\r\n\r\nKeep this.\r\n{note(Seal.objects.latest('pk'))}-- \r\n")
    call_command("audit_verify", "--checkpoints", str(path))
    cut_the_end_off()
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify", "--checkpoints", str(path))
    assert "Seal 3 is gone. A checkpoint of " in capsys.readouterr().out

    path.write_text("nothing\n")
    with pytest.raises(CommandError, match="holds no checkpoint"):
        call_command("audit_verify", "--checkpoints", str(path))
    with pytest.raises(CommandError, match="No such file"):
        call_command("audit_verify", "--checkpoints", str(tmp_path / "none"))


def test_the_command_finds_the_checkpoints_that_it_published(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/checkpoints.log"]
    publish_newest()
    tamper("DELETE FROM audit_sealevent")
    cut_the_end_off()
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify")
    assert "Seal 3 is gone." in capsys.readouterr().out
