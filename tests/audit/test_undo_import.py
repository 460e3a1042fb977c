"""The undo of an import: of the file of a real shop, and of one that the test makes."""

import csv
import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import Keep
from backoffice.audit.undo.wording import tally_in_words
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import import_file
from inventory.models import Category, Product, ProductTag, Tag
from tests.audit.conftest import Record
from tests.bench.data import write_products

from .undoing import kept_because, undo, work

pytestmark = pytest.mark.django_db

CONTOSO = Path(__file__).parents[3] / "shared/data/contoso-products.csv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The catalogue of Contoso where it is at hand, and one of the same size elsewhere."""
    return CONTOSO if CONTOSO.exists() else write_products(tmp_path / "p.csv", 2_517, tags=True)


def bring_in(path: Path, user: User) -> ImportJob:
    with audit_context(source=Source.COMMAND, action="test"):
        return import_file(resource="products", path=path, user=user, reason="spring")


@pytest.fixture
def job(path: Path, administrator: User) -> ImportJob:
    return bring_in(path, administrator)


def state() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Product, ProductTag, Tag)]


def test_an_import_is_undone_but_for_what_was_edited_since(
    job: ImportJob, administrator: User, catalogue_manager: User
) -> None:
    assert Product.objects.count() == 2_517
    for number, product in enumerate(Product.objects.order_by("pk")[:3]):
        with work(f"edit {number}", catalogue_manager):
            Product.objects.filter(pk=product.pk).update(price=Decimal(number + 1))
    edited, before = set(Product.objects.order_by("pk")[:3]), state()
    assert job.change_set is not None

    result = undo(job.change_set, administrator)

    (products,) = [tally for tally in result.plan.tallies if tally.model is Product]
    assert (products.undone, products.kept) == (2_514, {Keep.CHANGED: 3})
    assert tally_in_words(products) == "Products: 2,514 removed; 3 kept: changed since"
    assert set(Product.objects.all()) == edited
    reasons = kept_because(result.plan)
    assert len(reasons) == 3
    for code, words in reasons.values():
        assert code == Keep.CHANGED
        assert words.startswith("Changed since by Carla Catalogue <carla@stockbook.test>, ")
    # What stays is whole: the categories that it lies in.
    kept_categories = {str(p.category) for p in edited if p.category}
    paths = set(Category.objects.values_list("path", flat=True))
    assert kept_categories <= paths
    assert all(any(kept.startswith(path) for kept in kept_categories) for path in paths)
    # That the file was brought in stays true.
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED

    undo(result.change_set, administrator)
    assert state() == before


def test_a_file_over_products_that_were_there_puts_their_values_back(
    tmp_path: Path, administrator: User
) -> None:
    bring_in(write_products(tmp_path / "a.csv", 300, tags=True), administrator)
    before = [
        list(Product.objects.order_by("pk").values("pk", "price", "name")),
        Tag.objects.count(),
    ]
    links = set(ProductTag.objects.values_list("product", "tag"))
    changed = write_products(tmp_path / "b.csv", 300, tags=True, change_every=10)
    with changed.open(newline="") as file:
        rows = list(csv.reader(file))
    for row in rows[1:20]:
        row[-1] = "other, newer"
    with changed.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    job = bring_in(changed, administrator)
    assert job.change_set is not None
    undo(job.change_set, administrator)
    after = [
        list(Product.objects.order_by("pk").values("pk", "price", "name")),
        Tag.objects.count(),
    ]
    assert after == before
    assert set(ProductTag.objects.values_list("product", "tag")) == links


# The command.


def run(*arguments: Any) -> str:
    out = StringIO()
    with audit_context(source=Source.COMMAND, action="manage.py undo"):
        call_command("undo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def small(tmp_path: Path, administrator: User) -> ImportJob:
    job = bring_in(write_products(tmp_path / "s.csv", 20), administrator)
    with work("edit"):
        Product.objects.filter(sku="SKU-0000003").update(price=1)
    return job


def test_the_command_tells_programs_what_it_did(small: ImportJob) -> None:
    said = json.loads(run(small.change_set_id, "--reason", "wrong file", "--json"))
    made = ChangeSet.objects.get(pk=said["undone_by"])
    assert (made.source, made.reason) == ("command", "wrong file")
    assert made.action == "Undo of: Products: import of s.csv"
    assert said["change_set"] == small.change_set_id
    # 19 of 20 products, and 38 of 40 categories: one of 20 groups and of 20 shelves stays.
    assert (said["reverted"], said["kept_changed_since"], said["kept_in_use"]) == (57, 1, 2)
    assert said["kept_forbidden"] == 0
    of_products = said["models"]["inventory.product"]
    (kept,) = of_products.pop("kept_rows")
    assert of_products == {"remove": 19, "kept": {"changed": 1}}
    edited = Product.objects.get()
    assert (kept["key"], kept["name"], kept["why"]) == (str(edited.pk), str(edited), "changed")
    assert kept["reason"].startswith("Changed since by ")
    reasons = [row["reason"] for row in said["models"]["inventory.category"]["kept_rows"]]
    assert any(reason.startswith(f"In use by product “{edited}”") for reason in reasons)


def test_the_command_tells_people_what_it_did(small: ImportJob) -> None:
    said = run(small.change_set_id, "--reason", "wrong file")
    assert "Products: 19 removed; 1 kept: changed since\n" in said
    assert "(SKU-0000003): Changed since by " in said


def test_a_dry_run_writes_nothing(small: ImportJob) -> None:
    record = Record.from_now()
    said = run(small.change_set_id, "--dry-run")
    assert said.startswith("Nothing is written. It would come to this:\n")
    assert "Products: 19 removed; 1 kept: changed since" in said
    assert "(SKU-0000003): Changed since by " in said
    assert "(SKU-0000004): will be removed.\n" in said
    assert "Categories: 38 removed; 2 kept: in use" in said
    assert "  ... and 18 more.\n" in said
    assert record.is_empty()


def test_the_command_acts_with_the_rights_of_a_user(small: ImportJob, auditor: User) -> None:
    with pytest.raises(CommandError, match="You may not undo changes"):
        run(small.change_set_id, "--reason", "x", "--user", auditor.email)
    assert Product.objects.count() == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10**12, "--reason", "x"), "There is no change set"),
        (("job",), "needs a reason"),
        (("job", "--reason", "x", "--user", "nobody@x.test"), "There is no user nobody@x.test"),
    ],
)
def test_the_command_refuses_with_a_message(
    small: ImportJob, arguments: tuple[Any, ...], message: str
) -> None:
    record = Record.from_now()
    with pytest.raises(CommandError, match=message):
        run(*(small.change_set_id if a == "job" else a for a in arguments))
    assert record.is_empty()


def test_the_second_undo_ends_with_status_1(small: ImportJob) -> None:
    run(small.change_set_id, "--reason", "x")
    with pytest.raises(SystemExit) as ended:
        run(small.change_set_id, "--reason", "x", "--json")
    assert ended.value.code == 1
    with pytest.raises(CommandError, match="Nothing is left to undo"):
        run(small.change_set_id, "--reason", "x")
