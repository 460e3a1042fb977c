"""What the timeline finds under each filter, alone and together."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit import timeline, timeline_fields
from backoffice.audit.context import Source, audit_context
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from inventory.models import Category, Product, Tag

from .conftest import a_product
from .pages import LIST, words


@contextmanager
def past_the_triggers() -> Iterator[Any]:
    """Rewrites the record, which nobody else can: here to give it a past."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def record(db: None, catalogue_manager: User, administrator: User) -> dict[str, ChangeSet]:
    """Seven entries by name, newest last, one every ten days, the last one today."""
    with past_the_triggers() as cursor:
        cursor.execute("DELETE FROM audit_changeset")  # of the people above

    def work(name: str, source: Source, actor: User | None = None, **facts: Any) -> Any:
        facts = {"reason": "for the test", **facts}
        return audit_context(source=source, actor=actor, request_id=f"request-{name}", **facts)

    with work("import", Source.IMPORT, catalogue_manager, reference="exchange.importjob/7"):
        Product.objects.bulk_create([a_product("P-1"), a_product("P-2"), a_product("P-3")])
    with work("price", Source.ADMIN, catalogue_manager, reason="Agreed with Northwind, 5% up"):
        Product.objects.filter(sku="P-1").update(price=11)
    with work("name", Source.ADMIN, administrator, action="Product changed: a_b"):
        Product.objects.filter(sku="P-1").update(name="Kettle")
    with work("tag", Source.API, administrator):
        Product.objects.get(sku="P-2").tags.set(Tag.objects.named(["new"]))
    record_event(
        kind=ChangeSet.Kind.SIGN_IN,
        action="Signed in",
        source=Source.ADMIN,
        actor=administrator,
        request_id="request-event",
    )
    with work("sql", Source.SQL):
        Product.objects.filter(sku="P-2").update(price=12, brand="Acme")
    with work("category", Source.COMMAND):
        Category.objects.create(name="Audio")
    found = {entry.request_id[8:]: entry for entry in ChangeSet.objects.order_by("pk")}
    with past_the_triggers() as cursor:
        for number, entry in enumerate(reversed(found.values())):
            cursor.execute(
                "UPDATE audit_changeset SET at = %s WHERE id = %s", [ago(number * 10), entry.pk]
            )
    return {entry.request_id[8:]: entry for entry in ChangeSet.objects.order_by("pk")}


def names(response: Any) -> list[str]:
    """The entries of a page by name, in its order."""
    assert response.status_code == 200
    return [
        line.change_set.request_id[8:] for day in response.context["days"] for line in day.lines
    ]


EVERYTHING = ["category", "sql", "event", "tag", "name", "price", "import"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, EVERYTHING),
        ({"who": "carla"}, ["price", "import"]),
        ({"who": "ada"}, ["event", "tag", "name"]),
        ({"who": "nobody"}, ["category", "sql"]),
        ({"who": "999999"}, []),
        ({"source": "admin"}, ["event", "name", "price"]),
        ({"source": "sql"}, ["sql"]),
        ({"kind": "sign_in"}, ["event"]),
        ({"kind": "export"}, []),
        ({"kind": "change"}, [name for name in EVERYTHING if name != "event"]),
        ({"request": "request-tag"}, ["tag"]),
        ({"request": "request-"}, []),
        ({"cause": "exchange.importjob/7"}, ["import"]),
        ({"cause": "7"}, ["import"]),
        ({"cause": "8"}, []),
        ({"model": "inventory.product"}, ["sql", "name", "price", "import"]),
        ({"model": "inventory.tag"}, ["tag"]),
        ({"model": "inventory.category"}, ["category"]),
        ({"model": "inventory.discount"}, []),
        ({"field": "inventory.product.price"}, ["sql", "price"]),
        ({"field": "price"}, ["sql", "price"]),
        ({"field": "name"}, ["name"]),
        ({"model": "inventory.product", "field": "brand"}, ["sql"]),
        ({"model": "inventory.category", "field": "name"}, []),
        ({"model": "inventory.product", "object": "P-1"}, ["name", "price", "import"]),
        ({"model": "inventory.product", "object": "key of P-2"}, ["sql", "import"]),
        ({"field": "inventory.product.price", "object": "P-1"}, ["price"]),
        ({"field": "inventory.product.price", "object": "P-3"}, []),
        ({"q": "northwind"}, ["price"]),
        ({"q": "NORTHWIND up"}, ["price"]),
        ({"q": "northwind down"}, []),
        ({"q": "5% up"}, ["price"]),
        ({"q": "%"}, ["price"]),
        ({"q": "a_b"}, ["name"]),
        ({"q": "carla"}, ["price", "import"]),
        ({"q": "request-sql"}, ["sql"]),
        ({"from": 15}, ["category", "sql"]),
        ({"to": 45}, ["price", "import"]),
        ({"from": 45, "to": 15}, ["event", "tag", "name"]),
        ({"from": 50, "to": 50}, ["price"]),  # all of that day
        ({"from": 5, "to": 8}, []),
        ({"from": 70, "to": 65}, []),
        # Together.
        ({"who": "carla", "source": "admin"}, ["price"]),
        ({"who": "carla", "source": "api"}, []),
        ({"who": "ada", "kind": "change"}, ["tag", "name"]),
        ({"who": "ada", "model": "inventory.product"}, ["name"]),
        ({"who": "carla", "field": "price", "from": 55, "to": 45}, ["price"]),
        ({"who": "carla", "field": "price", "from": 40}, []),
        ({"source": "admin", "q": "kettle"}, []),
        ({"source": "admin", "q": "product changed"}, ["name"]),
        ({"source": "admin", "who": "ada", "q": "signed"}, ["event"]),
        ({"model": "inventory.product", "object": "P-1", "who": "carla"}, ["price", "import"]),
        (
            {"model": "inventory.product", "object": "P-1", "cause": "7", "source": "import"},
            ["import"],
        ),
        ({"model": "inventory.product", "object": "P-1", "q": "northwind"}, ["price"]),
        ({"request": "request-price", "field": "price"}, ["price"]),
        ({"request": "request-price", "field": "brand"}, []),
        ({"kind": "sign_in", "model": "inventory.product"}, []),
    ],
)
def test_each_filter_finds_exactly_what_it_says(
    query: dict[str, Any],
    found: list[str],
    as_auditor: Client,
    auditor: User,
    administrator: User,
    catalogue_manager: User,
    record: dict[str, ChangeSet],
) -> None:
    people = {"carla": str(catalogue_manager.pk), "ada": str(administrator.pk)}
    if query.get("who") in people:
        query = {**query, "who": people[query["who"]]}
    if query.get("object") == "key of P-2":
        query = {**query, "object": str(Product.objects.get(sku="P-2").pk)}
    for side in ("from", "to"):
        if side in query:
            query = {**query, side: f"{ago(query[side]):%Y-%m-%d}"}
    assert [name for name in names(as_auditor.get(LIST, query)) if name in EVERYTHING] == found


def test_an_object_is_found_after_it_was_deleted(
    as_auditor: Client, record: dict[str, ChangeSet]
) -> None:
    product = Product.objects.get(sku="P-1")
    key = product.pk
    with audit_context(source=Source.SHELL, request_id="request-gone", reason="sold out"):
        product.delete()
    query = {"model": "inventory.product", "object": str(key)}
    assert names(as_auditor.get(LIST, query)) == ["gone", "name", "price", "import"]


def test_the_filters_that_are_on_are_named_and_can_be_taken_away(
    as_auditor: Client, record: dict[str, ChangeSet], catalogue_manager: User
) -> None:
    query = {"who": str(catalogue_manager.pk), "field": "inventory.product.price"}
    response = as_auditor.get(LIST, query)
    assert "Who Carla Catalogue <carla@stockbook.test> ✕" in words(response)
    assert "Field Price ✕" in words(response)
    page = response.content.decode()
    assert f'href="?who={catalogue_manager.pk}"' in page
    assert 'href="?field=inventory.product.price"' in page


def test_people_who_are_gone_can_still_be_chosen(
    as_auditor: Client, record: dict[str, ChangeSet], catalogue_manager: User
) -> None:
    key = catalogue_manager.pk
    catalogue_manager.delete()
    response = as_auditor.get(LIST, {"who": str(key)})
    assert names(response) == ["price", "import"]
    assert (key, "Carla Catalogue <carla@stockbook.test>") in response.context["people"]


NONSENSE = [
    "x", "-1", "0", "9" * 40, "٣", "' OR 1=1 --", "%s", "%(x)s", "\0", "\N{SNOWMAN}", "../..",
    "<script>alert(1)</script>", "{{ 7 * 7 }}", "1; DROP TABLE audit_changeset", "2026-13-45",
    "0001-01-01", "9999-12-31", "2026-01-01T25:00", "inventory.product.__class__", ".",
    "inventory.product.", "accounts.user.password", "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize(
    "parameter",
    ["q", "who", "from", "to", "model", "field", "object", "source", "kind", "request", "cause",
     "entry", "before", "unknown"],
)  # fmt: skip
def test_nonsense_finds_nothing_or_is_passed_over_and_breaks_nothing(
    parameter: str, as_auditor: Client, record: dict[str, ChangeSet]
) -> None:
    for nonsense in NONSENSE:
        query = {parameter: nonsense}
        if parameter == "object":
            query["model"] = "inventory.product"
        response = as_auditor.get(LIST, query)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
        if response.context["filters"].problems:
            assert names(response) == []
            assert "Nothing is shown" in words(response)
        elif parameter in ("source", "kind", "model", "field"):
            assert nonsense == "\0", f"{parameter}={nonsense} was taken for something"
    assert ChangeSet.objects.count() >= len(EVERYTHING)


def test_what_one_may_not_see_is_no_filter_either(
    client: Client, outsider: User, record: dict[str, ChangeSet]
) -> None:
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_changeset", "view_historicaltag"])
    )
    client.force_login(outsider)
    assert names(client.get(LIST, {"model": "inventory.tag"})) == ["tag"]
    for query in (
        {"model": "inventory.product"},
        {"field": "price"},
        {"field": "inventory.product.price"},
        {"model": "inventory.product", "object": "P-1"},
    ):
        response = client.get(LIST, query)
        assert names(response) == []
        assert "that you may see" in words(response)
    page = client.get(LIST).content.decode()
    assert "inventory.product" not in page


@pytest.fixture
def all_are_large(monkeypatch: pytest.MonkeyPatch, record: dict[str, ChangeSet]) -> None:
    """Entries of more than one row are looked through by themselves, a row at a time."""
    monkeypatch.setattr(timeline, "FIRST_ROWS", 1)
    monkeypatch.setattr(timeline_fields, "WINDOW", 1)
    with audit_context(source=Source.TASK, request_id="request-large", reason="renamed"):
        Product.objects.filter(sku="P-1").update(brand="Other")
        Product.objects.filter(sku="P-2").update(brand="Other", price=30)
    with audit_context(source=Source.TASK, request_id="request-other", reason="renamed"):
        Product.objects.update(brand="Another")


def test_a_field_is_looked_for_in_all_rows_of_a_large_entry(
    as_auditor: Client, all_are_large: None
) -> None:
    response = as_auditor.get(LIST, {"field": "inventory.product.price"})
    assert names(response) == ["large", "sql", "price"]
    assert "Too large" not in words(response)


def test_a_large_entry_for_which_the_time_does_not_suffice_is_shown_as_unsure(
    as_auditor: Client, all_are_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "SECONDS_PER_PAGE", -1)
    found, query = [], {"field": "inventory.product.price"}
    for _page in range(20):
        response = as_auditor.get(LIST, query)
        lines = [line for day in response.context["days"] for line in day.lines]
        found += [(line.change_set.request_id[8:], line.unsure) for line in lines]
        page = response.context["page"]
        if page.older is None:
            break
        query["before"] = str(page.older)
        if found == [("other", True)]:
            assert "Look through all of it" in words(response)
            search = "?model=inventory.product&amp;field=price"
            assert search in response.content.decode()
    assert found == [("other", True), ("large", True), ("sql", False), ("price", False),
                     ("import", True)]  # fmt: skip


def test_the_largest_numbers_do_not_overflow(as_auditor: Client, db: None) -> None:
    for number in (2**63 - 1, 2**63):
        for name in ("who", "before", "object", "cause"):
            query = {name: str(number), "model": "inventory.product"}
            assert as_auditor.get(LIST, query).status_code == 200
    assert isinstance(Product._meta.pk, models.BigAutoField)
