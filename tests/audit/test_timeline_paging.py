"""The pages of the timeline: every entry once, at the same cost however deep, for those who may."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.audit import timeline, timeline_sql
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.audit.timeline import Narrowing, Touched, timeline_page
from inventory.models import Category, Product

from .conftest import a_product
from .pages import LIST


def work(number: int) -> None:
    source = Source.ADMIN if number % 3 else Source.API
    with audit_context(
        source=source, request_id=f"r-{number}", reason="odd" if number % 2 else "even"
    ):
        if number % 4:
            Product.objects.update(price=100 + number)
        else:
            Category.objects.create(name=f"c-{number}")


def price() -> Any:
    return Product._meta.get_field("price")


EVERY_KIND: dict[str, Callable[[], Narrowing]] = {
    "all": Narrowing,
    "one stream": lambda: Narrowing(source="admin"),
    "streams": lambda: Narrowing(source="admin", kind="change"),
    "text": lambda: Narrowing(text="odd"),
    "model": lambda: Narrowing(touched=(Touched(model=Category),)),
    "model and source": lambda: Narrowing(source="api", touched=(Touched(model=Product),)),
    "models": lambda: Narrowing(touched=(Touched(model=Product), Touched(model=Category))),
    "field": lambda: Narrowing(touched=(Touched(model=Product, field=price()),)),
    "text and model": lambda: Narrowing(text="even", touched=(Touched(model=Product),)),
}


def fits(narrowing: Narrowing, number: int) -> bool:
    """What the timeline is to find, said in Python."""
    model = Product if number % 4 else Category
    return (
        narrowing.source in ("", "admin" if number % 3 else "api")
        and narrowing.text in ("", "odd" if number % 2 else "even")
        and (not narrowing.touched or model in {one.model for one in narrowing.touched})
    )


@pytest.mark.parametrize("limits", ["as they are", "tight"])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_paging_visits_every_entry_exactly_once_while_new_ones_arrive(
    kind: str, limits: str, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limits == "tight":  # so that pages end before they are full
        monkeypatch.setattr(timeline, "WINDOW", 3)
        monkeypatch.setattr(timeline, "SECONDS_PER_PAGE", 0)
        monkeypatch.setattr(timeline_sql, "MOST_STEPS", 4)
    for number in range(40):
        work(number)
    narrowing = EVERY_KIND[kind]()
    seen: list[str] = []
    before, pages = None, 0
    while True:
        page = timeline_page(narrowing, before=before, size=4)
        seen += [entry.request_id for entry in page.entries if entry.request_id]
        assert len(page.entries) <= 4
        if page.older is None:
            break
        assert before is None or page.older < before
        before, pages = page.older, pages + 1
        work(1000 + pages)
    assert seen == [f"r-{n}" for n in reversed(range(40)) if fits(narrowing, n)]


def test_a_page_that_ran_out_of_time_says_how_far_it_looked(
    as_auditor: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        work(number)
    monkeypatch.setattr(timeline, "WINDOW", 3)
    monkeypatch.setattr(timeline, "SECONDS_PER_PAGE", 0)
    response = as_auditor.get(LIST, {"q": "nowhere"})
    assert response.context["page"].entries == []
    assert "Looked through the record back to" in response.content.decode()
    assert "Look further back" in response.content.decode()


def test_a_filter_that_finds_little_reads_little(product: Product) -> None:
    """The rare among the common is found by jumping, not by reading all that lies between."""
    for number in range(1, 200, 2):
        with audit_context(source=Source.ADMIN if number % 3 else Source.API, reason="x"):
            Product.objects.update(price=100 + number)
    with audit_context(source=Source.SQL):
        Category.objects.create(name="rare")
    (wanted,) = ChangeSet.objects.order_by("-pk")[:1]
    for number in range(100):
        with audit_context(source=Source.ADMIN, reason=str(number)):
            Product.objects.update(price=500 + number)
    narrowing = Narrowing(touched=(Touched(model=Category),), kind="change")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline_sql, "MOST_STEPS", 8)
        page = timeline_page(narrowing)
    assert page.entries == [wanted]


@pytest.mark.parametrize("query", [{}, {"source": "admin"}, {"model": "inventory.product"}])
def test_the_number_of_queries_depends_neither_on_the_entries_nor_on_the_depth(
    query: dict[str, str], as_auditor: Client, product: Product
) -> None:
    for number in range(1, 230):
        work(number)
    counts = set()
    for before in ("", str(ChangeSet.objects.order_by("-pk")[80].pk)):
        as_auditor.get(LIST, {**query, "before": before})
        with CaptureQueriesContext(connection) as queries:
            response = as_auditor.get(LIST, {**query, "before": before})
        assert len(response.context["page"].entries) == 50
        counts.add(len(queries))
    assert len(counts) == 1, counts


def test_pages_are_linked(as_auditor: Client, product: Product) -> None:
    Product.objects.bulk_create([a_product(f"N-{n}") for n in range(3)])
    for number in range(90):
        work(number)
    newest = as_auditor.get(LIST, {"source": "admin"}).content.decode()
    assert 'rel="next" href="?source=admin&amp;before=' in newest
    assert "Newest" not in newest


def test_only_those_who_may_see_the_record_do(
    client: Client,
    administrator: User,
    auditor: User,
    catalogue_manager: User,
    warehouse: User,
    order_desk: User,
    outsider: User,
) -> None:
    for user, status in (
        (administrator, 200),
        (auditor, 200),
        (catalogue_manager, 403),
        (warehouse, 403),
        (order_desk, 403),
        (outsider, 403),
    ):
        client.force_login(user)
        assert client.get(LIST).status_code == status
        export = client.post(f"{LIST}export/")
        assert export.status_code == status
        if status == 200:
            assert export.getvalue()
    assert ChangeSet.objects.filter(kind="export").count() == 2
    client.force_login(auditor)
    assert client.post(LIST).status_code == 405
    assert client.get(f"{LIST}export/").status_code == 405
