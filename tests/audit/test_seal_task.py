"""A worker seals the record too, where it is given the key."""

from pathlib import Path
from typing import Any

import pytest

from backoffice.audit.models import ChangeSet, Seal, SealedEntry
from backoffice.audit.seals.exceptions import KeyMissing
from backoffice.audit.tasks import seal_record
from backoffice.exchange.housekeeping import Housekeeper
from inventory.models import Product


def test_the_task_seals_what_is_new_and_publishes_it(
    product: Product, settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_PUBLISH = [f"file://{tmp_path}/checkpoints"]
    assert seal_record.call() == 1
    assert SealedEntry.objects.count() == ChangeSet.objects.count()
    assert Seal.objects.get().hash in (tmp_path / "checkpoints").read_text()
    assert seal_record.call() == 0


def test_a_worker_without_the_key_seals_nothing(product: Product, settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = ""
    Housekeeper().keep_house()
    assert not Seal.objects.exists()
    with pytest.raises(KeyMissing):
        seal_record.call()


def test_a_worker_with_the_key_seals(product: Product) -> None:
    Housekeeper().keep_house()
    assert Seal.objects.count() == 1
