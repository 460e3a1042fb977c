"""Looking through a preview: search, pages forth and back, and what expired."""

from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange import searching
from backoffice.exchange.models import ImportJob
from inventory.models import Product, ProductTag, Tag
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product

from .choosing import choose
from .files import bring, table
from .pages import text_of, the_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def lines_of(response: Any) -> list[int]:
    return [row.line for row in response.context["rows"]]


@pytest.fixture
def job(catalogue_manager: User) -> ImportJob:
    rows = [
        [f"S{i}", f"{'Cup' if i % 40 == 0 else 'Mug'} 100 %_{i}", "x" if i % 3 else "1", "secret"]
        for i in range(160)
    ]
    return bring(table(["sku", "name", "price", "note"], *rows), user=catalogue_manager)


def test_a_search_finds_any_cell_in_any_case(client: Client, job: ImportJob) -> None:
    assert lines_of(the_page(client, job, q="cUP")) == [2, 42, 82, 122]
    assert lines_of(the_page(client, job, q="cup", status="invalid")) == [42, 82]
    assert lines_of(the_page(client, job, q="%_7")) == [9, *range(72, 82)]
    assert lines_of(the_page(client, job, q="\\")) == []
    assert lines_of(the_page(client, job, q="'; DROP TABLE x; --")) == []


def test_a_column_that_is_not_imported_is_not_searched(client: Client, job: ImportJob) -> None:
    assert lines_of(the_page(client, job, q="secret")) == []


def test_the_row_with_that_very_key_comes_first(client: Client, job: ImportJob) -> None:
    assert lines_of(the_page(client, job, q="s15"))[:4] == [17, 152, 153, 154]


def test_a_search_is_paged_and_stops_when_its_time_is_up(
    client: Client, job: ImportJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = the_page(client, job, q="mug")
    assert len(lines_of(first)) == 50
    second = client.get(first.request["PATH_INFO"] + first.context["next_address"])
    assert lines_of(second)[0] == lines_of(first)[-1] + 1
    monkeypatch.setattr(searching, "PATIENCE", -1)
    stopped = the_page(client, job, q="cup")
    assert lines_of(stopped) == []
    monkeypatch.setattr(searching, "_STEP", 100)
    monkeypatch.setattr(searching, "PATIENCE", 0.7)
    assert lines_of(the_page(client, job, q="cup")) == [2, 42, 82, 122]


def test_what_a_reader_must_not_see_cannot_be_searched(
    job: ImportJob, catalogue_manager: User, auditor: User
) -> None:
    job = choose(bring("sku,name,price,cost\nA,a,1,77.77\n", user=catalogue_manager))
    assert len(lines_of(the_page(signed_in(catalogue_manager), job, q="77.7"))) == 1
    for group in auditor.groups.all():
        group.permissions.remove(*group.permissions.filter(codename="view_cost"))
    reader = signed_in(User.objects.get(pk=auditor.pk))
    assert lines_of(the_page(reader, job, q="77.7")) == []


def test_pages_go_forth_and_back(client: Client, job: ImportJob) -> None:
    address = page("exchange_importjob_change", job.pk)
    second = the_page(client, job, after=50)
    assert lines_of(second) == list(range(52, 102))
    first = client.get(address + second.context["previous_address"])
    assert (lines_of(first), first.context["previous_address"]) == (list(range(2, 52)), "")
    again = client.get(address + first.context["next_address"])
    assert lines_of(again) == lines_of(second)
    invalid = the_page(client, job, status="invalid", after=100)
    before = client.get(address + invalid.context["previous_address"])
    assert {row.status for row in before.context["rows"]} == {"invalid"}
    assert lines_of(before)[-1] < lines_of(invalid)[0]


def test_only_the_columns_that_change_can_be_shown(client: Client, catalogue_manager: User) -> None:
    make_product(sku="A", name="a", price=1, brand="x")
    job = bring("sku,name,price,brand\nA,a,2,x\n", user=catalogue_manager)
    assert the_page(client, job).context["shown"] == ["sku", "name", "brand", "price"]
    assert the_page(client, job, columns="changed").context["shown"] == ["sku", "price"]


def test_an_expired_preview_says_so_and_which_rows(client: Client, catalogue_manager: User) -> None:
    for sku in "ABCD":
        make_product(sku=sku, name=sku, price=1)
    rows = "sku,name,price,tags\nA,a,2,\nB,b,2,\nC,c,2,\nD,d,2,new\nE,e,2,\nF,f,x,\n"
    job = bring(rows, user=catalogue_manager)
    assert "has expired" not in text_of(the_page(client, job))
    make_product(sku="Z")
    make_product(sku="f")
    assert "has expired" not in text_of(the_page(client, job))
    Product.objects.filter(sku="A").update(sku="A2")
    Product.objects.filter(sku="B").delete()
    tag = Tag.objects.create(name="other")
    ProductTag.objects.create(product=Product.objects.get(sku="D"), tag=tag)
    make_product(sku="e")
    response = the_page(client, job, status="changed", after=1)
    assert [(row.line, row.key) for row in response.context["stale"]] == [
        (2, "A"), (3, "B"), (5, "D"), (6, "E"),
    ]  # fmt: skip
    assert "This preview has expired: data changed since. line 2: A line 3: B" in text_of(response)
    again = client.post(
        page("exchange_importjob_again", job.pk), {"place": response.context["place"]}
    )
    assert again["Location"].endswith("?status=changed&after=1#rows")
    assert "has expired" not in text_of(the_page(client, job))


def test_a_place_that_is_none_is_not_gone_to(client: Client, job: ImportJob) -> None:
    again = client.post(
        page("exchange_importjob_again", job.pk), {"place": "next=//evil.example&after=x\r\n"}
    )
    assert again["Location"] == page("exchange_importjob_change", job.pk)


def test_conflicts_are_shown_with_who_and_decided_on_the_page(
    client: Client, catalogue_manager: User
) -> None:
    product = make_product(sku="A", name="a", price=1)
    version = product.version
    Product.objects.update(name="corrected")
    job = bring(f"sku,name,price,version\nA,mine,2,{version}\n", user=catalogue_manager)
    response = the_page(client, job, status="conflict")
    text = text_of(response)
    assert "This cell was changed since the export, and in the file too" in text
    assert "Leave them as they are" in text
    said = {"reason": "x", "plan": job.summary["plan"]}
    client.post(page("exchange_importjob_apply", job.pk), {**said, "conflicts": "overwrite"})
    assert Product.objects.get().name == "mine"


def test_missing_rows_are_shown_and_more_than_half_asks_back(
    client: Client, catalogue_manager: User
) -> None:
    for sku in "ABC":
        make_product(sku=sku)
    job = choose(bring("sku,price\nA,3\n", user=catalogue_manager), deactivate_missing=True)
    response = the_page(client, job, status="missing")
    assert [row.key for row in response.context["rows"]] == ["B", "C"]
    assert "2 are not in the file and will be deactivated." in text_of(response)
    said = {"reason": "x", "plan": job.summary["plan"]}
    refused = client.post(page("exchange_importjob_apply", job.pk), said)
    assert "Confirm it if the file is the full list" in text_of(refused)
    assert Product.objects.active().count() == 3
    client.post(page("exchange_importjob_apply", job.pk), {**said, "confirm": "on"})
    assert Product.objects.active().count() == 1
