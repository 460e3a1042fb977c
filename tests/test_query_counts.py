"""What each page asks of the database: as committed in query_counts.json, however many rows.

`UPDATE_QUERY_COUNTS=1 make test ARGS=tests/test_query_counts.py` writes the file anew.
"""

# ruff: noqa: F811 - the fixtures of test_every_page are arguments here

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.console.models import SavedView
from inventory.admin.product import ProductAdmin
from inventory.models import Category, Product
from tests.crowds import make_crowd
from tests.personas import Persona
from tests.test_every_page import PAGES, address_of, objects, people  # noqa: F401 - two fixtures

COMMITTED = Path(__file__).parent / "query_counts.json"
UPDATE = bool(os.environ.get("UPDATE_QUERY_COUNTS"))
FEW, MANY = 10, 1_000

PRODUCTS = "inventory_product_changelist"
# Pages as people use them: found, filtered, in another order, in a saved view.
MORE = {
    f"{PRODUCTS}?q=barcode": "?q=4000000007",
    f"{PRODUCTS}?q=mistyped": "?q=crwod",
    f"{PRODUCTS}?category": "?category__id__exact={category}",
    f"{PRODUCTS}?without=image": "?without=image",
    f"{PRODUCTS}?o=-price_now": "?o=-price_now",
    f"{PRODUCTS}?view": "?view={view}",
    f"{PRODUCTS}?cols": "?cols=product,brand,barcode,weight_now,added,category_path,changed",
}  # fmt: skip

# Page: how many statements of which kind on which table.
Counts = dict[str, dict[str, int]]
_KIND = re.compile(
    r"\W*(\w+)\b.*?(?:FROM|INTO|(?<=UPDATE)|TABLE|CURSOR)\s+\"?([a-z][\w.]+)", re.DOTALL
)


def kind_of(sql: str) -> str:
    """ "SELECT inventory_tag": the verb and the first table, numbers in names left out."""
    found = _KIND.match(sql)
    kind = f"{found[1]} {found[2]}" if found else sql.partition("(")[0].strip()
    return re.sub(r"\d+", "n", kind)


def counted(client: Client, address: str) -> Counter[str]:
    """The statements of a page that was opened before; transactions are the test's own."""
    for _time in range(2):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
            if response.streaming:
                response.getvalue()
    assert response.status_code == 200, address
    asked = [query["sql"] for query in captured.captured_queries]
    return Counter(kind_of(sql) for sql in asked if "SAVEPOINT" not in sql)


def counts_of(people: dict[Persona, User], addresses: dict[str, tuple[Persona, str]]) -> Counts:
    clients = {persona: Client() for persona in people}
    for persona, client in clients.items():
        client.force_login(people[persona])
        # When somebody was last there is written once a minute; not in the midst of this.
        cache.set(f"last-active:{people[persona].pk}", True, timeout=None)
    return {
        page: dict(sorted(counted(clients[persona], address).items()))
        for page, (persona, address) in sorted(addresses.items())
    }


def addresses_of(objects: dict[str, Any], view: SavedView) -> dict[str, tuple[Persona, str]]:
    """Every page, and who looks at it: the administrator wherever they may."""
    found = {
        page: (
            min(readers, key=lambda persona: (persona is not Persona.ADMINISTRATOR, persona.name)),
            address_of(page, objects),
        )
        for page, readers in PAGES.items()
        if readers
    }
    for page, query in MORE.items():
        filled = query.format(category=objects["product"].category_id, view=view.pk)
        found[page] = (Persona.CATALOGUE_MANAGER, reverse(f"admin:{PRODUCTS}") + filled)
    found["search"] = (Persona.ADMINISTRATOR, reverse("admin:search") + "?s=crowd")
    return found


def differences(counts: Counts, committed: Counts) -> list[str]:
    """Where the two differ, with the statements that are more (+) or fewer (-)."""
    found = []
    for page in sorted({*counts, *committed}):
        now, then = counts.get(page), committed.get(page)
        if now is None or then is None:
            found.append(f"{page}: {'is new' if then is None else 'is gone'}")
        elif now != then:
            changed = sorted(kind for kind in {*now, *then} if now.get(kind) != then.get(kind))
            told = ", ".join(f"{now.get(k, 0) - then.get(k, 0):+d} {k}" for k in changed)
            found.append(f"{page}: {sum(then.values())} -> {sum(now.values())} ({told})")
    return found


def written(counts: Counts) -> str:
    """One line a page, so that a change of it is one line of the diff."""
    lines = [f"  {json.dumps(page)}: {json.dumps(kinds)}" for page, kinds in counts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


@pytest.fixture
def addresses(
    people: dict[Persona, User],
    objects: dict[str, Any],
) -> dict[str, tuple[Persona, str]]:
    view = SavedView.objects.create(
        name="Dear", model="inventory.product", user=people[Persona.CATALOGUE_MANAGER],
        query="price_from=5", columns=["product", "price_now", "brand"],
    )  # fmt: skip
    # Of its own, since the one of the fixtures holds whatever these have made.
    with audit_context(source=Source.COMMAND, action="Counted"):
        Category.objects.create(name="Counted")
    change_set = ChangeSet.objects.get(action="Counted")
    return addresses_of({**objects, "change_set": change_set}, view)


@pytest.mark.parametrize("rows", [FEW, MANY])
def test_every_page_asks_what_is_committed_for_few_rows_and_for_many(
    rows: int,
    people: dict[Persona, User],
    objects: dict[str, Any],
    addresses: dict[str, tuple[Persona, str]],
) -> None:
    make_crowd(rows, objects=objects, user=people[Persona.CATALOGUE_MANAGER])
    counts = counts_of(people, addresses)
    if UPDATE and rows == FEW:
        COMMITTED.write_text(written(counts), encoding="utf-8")
    found = differences(counts, json.loads(COMMITTED.read_text(encoding="utf-8")))
    assert not found, (
        "\n".join(found) + "\nIf that is meant: UPDATE_QUERY_COUNTS=1 make test "
        "ARGS=tests/test_query_counts.py, and say why in the commit."
    )


def test_a_query_for_each_row_is_found(
    people: dict[Persona, User],
    objects: dict[str, Any],
    addresses: dict[str, tuple[Persona, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def planted(self: ProductAdmin, product: Product) -> str:
        return f"{product.product_tags.count()}"

    monkeypatch.setattr(ProductAdmin, "category_path", planted)
    make_crowd(FEW, objects=objects, user=people[Persona.CATALOGUE_MANAGER])
    counts = counts_of(people, {PRODUCTS: addresses[PRODUCTS]})
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    (found,) = differences(counts, {PRODUCTS: committed[PRODUCTS]})
    assert f"+{Product.objects.count()} SELECT inventory_producttag" in found


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ('SELECT "a"."b" FROM "inventory_tag" WHERE 1', "SELECT inventory_tag"),
        ('UPDATE "accounts_profile" SET "x" = 1', "UPDATE accounts_profile"),
        ('INSERT INTO "audit_changeset" ("x") VALUES (1)', "INSERT audit_changeset"),
        ("EXPLAIN (FORMAT JSON) SELECT 1 FROM inventory_tag", "EXPLAIN inventory_tag"),
        ('CREATE TEMPORARY TABLE "undo_12_3" ON COMMIT DROP', "CREATE undo_n_n"),
        (
            'DECLARE "_cursor_139" NO SCROLL CURSOR FOR SELECT 1 FROM "auth_group"',
            "DECLARE auth_group",
        ),
        ("SELECT set_config('a', 'b', true)", "SELECT set_config"),
    ],
)
def test_statements_are_told_apart_by_what_they_touch(sql: str, kind: str) -> None:
    assert kind_of(sql) == kind


def test_more_and_fewer_queries_are_both_told() -> None:
    committed = {"a": {"SELECT x": 2}, "b": {"SELECT y": 1}, "gone": {}}
    now = {"a": {"SELECT x": 1}, "b": {"SELECT y": 1, "SELECT z": 3}, "new": {}}
    assert differences(now, committed) == [
        "a: 2 -> 1 (-1 SELECT x)",
        "b: 1 -> 4 (+3 SELECT z)",
        "gone: is gone",
        "new: is new",
    ]
