"""What a page asks about conflicts and missing rows, said to the command."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backoffice.accounts.models import User
from backoffice.exchange.profiles import keep_profile
from inventory.models import Product
from tests.inventory.factories import make_product

from .choosing import brought

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]


def applied(path: Path, *flags: str) -> None:
    call_command("import_file", "products", str(path), "--apply", "--reason", "March", *flags)


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    product: Any = make_product(sku="A", name="as it was", price=1)
    path = tmp_path / "march.csv"
    path.write_text(f"sku,name,version\nA,from the file,{product.version}\n")
    Product.objects.update(name="corrected")
    return path


def test_a_conflict_is_left_told_and_given_back(
    stale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    applied(stale, "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["changed"], found["conflicts"]) == ("applied", 0, 1)
    assert "Somebody changed this row" in Path(found["errors_file"]).read_text()
    assert Product.objects.get().name == "corrected"
    call_command("import_file", "products", str(stale))
    assert "0 invalid, 1 in conflict (" in capsys.readouterr().out


def test_conflicts_are_overwritten_if_it_is_told_to(
    stale: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    applied(stale, "--overwrite-conflicts", "--json")
    assert json.loads(capsys.readouterr().out)["errors_file"] is None
    assert Product.objects.get().name == "from the file"


def test_more_than_half_is_deactivated_only_if_that_is_confirmed(
    tmp_path: Path, catalogue_manager: User
) -> None:
    for sku in "ABC":
        make_product(sku=sku)
    path = tmp_path / "full.csv"
    path.write_text("sku,price\nA,3\n")
    job = brought(path.read_text(), user=catalogue_manager, deactivate_missing=True)
    keep_profile(job=job, name="full", is_shared=True, user=catalogue_manager)
    with pytest.raises(CommandError, match="2 of 3 are not in the file"):
        applied(path, "--profile", "full")
    assert Product.objects.filter(is_active=True).count() == 3
    applied(path, "--profile", "full", "--confirm-deactivation")
    assert list(Product.objects.filter(is_active=True).values_list("sku", flat=True)) == ["A"]
