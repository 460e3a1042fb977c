"""The record as a file: what it holds, for whom, and that it is itself on the record."""

import csv
import hashlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit import exporting
from backoffice.audit.context import Source, audit_context
from backoffice.audit.exporting import COLUMNS, export_csv, exported_lines
from backoffice.audit.models import ChangeSet
from backoffice.audit.timeline import Narrowing, Touched
from inventory.models import Category, Product, Tag

from .conftest import a_product
from .pages import LIST

EXPORT = f"{LIST}export/"


def exported(client: Client, form: str = "csv", **query: Any) -> list[dict[str, Any]]:
    response = client.post(EXPORT, {"form": form}, query_params=query)
    assert response.status_code == 200
    text = response.getvalue().decode("utf-8-sig")
    if form == "csv":
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return [json.loads(line) for line in text.splitlines()]


def told(lines: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(line[column] for column in columns) for line in lines]


def test_a_csv_has_one_line_for_each_field_that_changed(
    as_auditor: Client, change_set: ChangeSet, catalogue_manager: User
) -> None:
    lines = exported(as_auditor, request="request-0001")
    product, tag = Product.objects.get(), Tag.objects.get()
    category = Category.objects.get(name="Speakers")
    assert list(lines[0]) == list(COLUMNS)
    columns = ("model", "name", "change", "field", "old", "new", "old_name", "new_name")
    assert told(lines, *columns) == [
        ("inventory.tag", "new", "added", "name", "", "new", "", ""),
        ("inventory.tag", "new", "added", "slug", "", "new", "", ""),
        ("inventory.product", "Product S-1 (S-1)", "changed", "price", "10.00", "12.34", "", ""),
        ("inventory.product", "Product S-1 (S-1)", "changed", "category", "", str(category.pk),
         "", "Audio > Speakers"),
        ("inventory.producttag", "Product S-1 (S-1) · new", "added", "product", "",
         str(product.pk), "", "Product S-1 (S-1)"),
        ("inventory.producttag", "Product S-1 (S-1) · new", "added", "tag", "", str(tag.pk),
         "", "new"),
    ]  # fmt: skip
    head = {
        "entry": str(change_set.pk),
        "kind": "change",
        "who": "Carla Catalogue <carla@stockbook.test>",
        "user": str(catalogue_manager.pk),
        "source": "admin",
        "action": "Product changed: Product S-1",
        "reason": "the supplier's <new> list",
        "request": "request-0001",
        "address": "10.1.2.3",
        "database_user": change_set.database_user,
        "cause": "",
        "facts": "",
    }
    for line in lines:
        assert {name: line[name] for name in head} == head
    assert lines[2]["key"] == str(product.pk)
    row = Product.history.order_by("-history_id").first()
    assert lines[2]["time"] == row.history_date.isoformat()


def test_json_lines_keep_the_types(as_auditor: Client, product: Product) -> None:
    with audit_context(source=Source.SHELL, reason="gone", request_id="r-1"):
        Product.objects.update(price="9.50", is_active=False, options={"Size": "M"}, name="=1+1")
        Product.objects.get().delete()
    lines = exported(as_auditor, "jsonl", request="r-1")
    changed = {line["field"]: line for line in lines if line["change"] == "changed"}
    assert (changed["price"]["old"], changed["price"]["new"]) == ("10.00", "9.50")
    assert (changed["is_active"]["old"], changed["is_active"]["new"]) == (True, False)
    assert changed["options"]["new"] == {"Size": "M"}
    assert changed["name"]["new"] == "=1+1"
    deleted = {line["field"]: line for line in lines if line["change"] == "deleted"}
    assert (deleted["price"]["old"], deleted["price"]["new"]) == ("9.50", None)
    assert {line["entry"] for line in lines} == {ChangeSet.objects.get(request_id="r-1").pk}


@pytest.mark.parametrize("start", list("=+-@\t\r＝＋－＠"))
def test_no_text_of_a_csv_is_taken_for_a_formula(
    start: str, as_auditor: Client, product: Product
) -> None:
    formula = f"{start}HYPERLINK(1)"
    with audit_context(
        source=Source.SHELL, reason=formula, action=formula, actor_name=formula, request_id="r-1"
    ):
        Product.objects.update(name=f"{start}x", price="0.5")
    lines = exported(as_auditor, request="r-1")
    assert told(lines, "reason", "action", "who")[0] == (f"'{formula}",) * 3
    new = {line["field"]: line["new"] for line in lines}
    assert new == {"name": f"'{start}x", "price": "0.50"}
    assert lines[0]["name"] == f"'{start}x (S-1)"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"field": "price"}, [("inventory.product", "price", "12.34")]),
        ({"model": "inventory.tag"}, [("inventory.tag", "name", "new"),
                                      ("inventory.tag", "slug", "new")]),
        ({"model": "inventory.product", "object": "S-1", "source": "admin"},
         [("inventory.product", "price", "12.34"), ("inventory.product", "category", None)]),
        ({"q": "nowhere"}, []),
        ({"source": "nonsense"}, []),
    ],
)  # fmt: skip
def test_what_is_exported_is_what_is_filtered(
    query: dict[str, str], found: list[Any], as_auditor: Client, change_set: ChangeSet
) -> None:
    lines = exported(as_auditor, "jsonl", **query)
    shown = told(lines, "model", "field", "new")
    assert [(m, f, None if f == "category" else n) for m, f, n in shown] == found


def test_one_change_set_is_exported_from_its_page(as_auditor: Client, product: Product) -> None:
    with audit_context(source=Source.ADMIN, reason="The one"):
        Product.objects.filter(pk=product.pk).update(price=11)
    number = ChangeSet.objects.latest("pk").pk
    with audit_context(source=Source.ADMIN, reason="Another"):
        Product.objects.filter(pk=product.pk).update(price=12)
    page = as_auditor.get(f"/admin/audit/changeset/{number}/change/").content.decode()
    assert f'action="/admin/audit/changeset/export/?entry={number}"' in page
    response = as_auditor.post(f"/admin/audit/changeset/export/?entry={number}", {"form": "jsonl"})
    lines = [json.loads(line) for line in b"".join(response).decode().splitlines()]
    assert [(line["entry"], line["reason"], line["new"]) for line in lines] == [
        (number, "The one", "11.00")
    ]
    export = ChangeSet.objects.latest("pk")
    assert (export.kind, export.facts["filter"]) == (ChangeSet.Kind.EXPORT, {"entry": str(number)})


def test_an_event_is_a_line_with_its_facts(as_auditor: Client, change_set: ChangeSet) -> None:
    exported(as_auditor, request="request-0001")
    (line,) = exported(as_auditor, "jsonl", kind="export")
    assert line["facts"]["filter"] == {"request": "request-0001"}
    assert "model" not in line


def test_an_export_is_on_the_record(
    as_auditor: Client, auditor: User, change_set: ChangeSet
) -> None:
    response = as_auditor.post(
        EXPORT, {"form": "csv"}, query_params={"q": "supplier", "nonsense": "x", "before": "1"}
    )
    content = response.getvalue()
    assert 'attachment; filename="record-' in response["Content-Disposition"]
    assert content.startswith(b"\xef\xbb\xbf" + ",".join(COLUMNS).encode())
    entry = ChangeSet.objects.get(kind="export")
    assert entry.actor_id == auditor.pk
    assert entry.source == "admin"
    assert entry.request_id
    facts = entry.facts
    assert facts["filter"] == {"q": "supplier"}
    assert facts["format"] == "csv"
    assert facts["rows"] == 6
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["complete"] is True


def test_rows_of_models_that_one_may_not_see_are_left_out(
    client: Client, outsider: User, change_set: ChangeSet
) -> None:
    outsider.user_permissions.set(
        Permission.objects.filter(codename__in=["view_changeset", "view_historicaltag"])
    )
    client.force_login(outsider)
    lines = exported(client, "jsonl")
    assert {line["model"] for line in lines if "model" in line} == {"inventory.tag"}
    # That something happened is told, and no more.
    silent = [line for line in lines if line["entry"] != change_set.pk]
    assert silent
    assert all("field" not in line for line in silent)
    assert "inventory.product" in ChangeSet.objects.get(kind="export").facts["left_out"]
    assert exported(client, "jsonl", field="price") == []


def test_another_form_is_refused(as_auditor: Client, db: None) -> None:
    assert as_auditor.post(EXPORT, {"form": "xml"}).status_code == 400
    assert not ChangeSet.objects.filter(kind="export").exists()


def test_every_entry_and_row_is_exported_once_whatever_the_sizes(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    with audit_context(source=Source.IMPORT, reason="large"):
        Product.objects.bulk_create([a_product(f"N-{n:02}") for n in range(25)])
    for number in range(12):
        with audit_context(source=Source.ADMIN, reason="small", request_id=f"r-{number}"):
            Product.objects.filter(sku=f"N-{number:02}").update(price=100 + number)
    expected = [(f"N-{n:02}", f"{100 + n}.00") for n in reversed(range(12))] + [
        (f"N-{n:02}", "10.00") for n in range(25)
    ]
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(exporting, "ENTRIES_AT_ONCE", 5)
    latest = ChangeSet.objects.order_by("-pk")[12].pk
    lines = [line for some in exported_lines(Narrowing(), [Product]) for line in some]
    prices = [
        (line["name"][8:12], f"{line['new']:.2f}")
        for line in lines
        if line.get("field") == "price" and line["entry"] >= latest
    ]
    assert prices == expected
    numbers = list(dict.fromkeys(line["entry"] for line in lines))
    assert numbers == list(ChangeSet.objects.order_by("-pk").values_list("pk", flat=True))


def test_memory_does_not_grow_with_what_is_exported(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 200)
    peaks = []
    for count in (800, 3_200):
        with audit_context(source=Source.IMPORT, reason="large"), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('audit.context', '', true);"
                "INSERT INTO inventory_tag (name) SELECT 't' || %s || '-' || i "
                "FROM generate_series(1, %s) i",
                [count, count],
            )
        narrowing = Narrowing(touched=(Touched(model=Tag),))
        sum(len(block) for _, block in export_csv(exported_lines(narrowing, [Tag])))  # warm
        tracemalloc.start()
        size = sum(len(block) for _, block in export_csv(exported_lines(narrowing, [Tag])))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert size > count * 100
    assert peaks[1] < peaks[0] * 1.3
