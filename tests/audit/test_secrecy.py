"""The history of a field is as secret as the field: who may not see the cost sees it nowhere."""

import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal
from backoffice.audit.naming import history_of
from backoffice.audit.secrecy import hidden_fields, is_hidden
from backoffice.audit.trail import trailed_models
from backoffice.exchange.models import ImportJob
from inventory.models import Category, Product, Tag
from tests.console.pages import PRODUCTS, act, page, product_form, signed_in
from tests.exchange.files import bring, counts
from tests.exchange.pages import export_form, sheet_text
from tests.personas import PASSWORD, Persona, make_user

pytestmark = pytest.mark.django_db

# Old, present and to come; in the ways in which pages and files write them.
COSTS = ("4711", "4,711", "4812", "4,812", "4913", "4,913")
AUTOCOMPLETE = "?app_label=inventory&model_name=product&field_name=variant_of&term=P"
SEES = {Persona.ADMINISTRATOR, Persona.CATALOGUE_MANAGER, Persona.AUDITOR}


@pytest.fixture
def seller(db: None) -> User:
    """Everything in the catalogue, the whole record, files of others: but not the cost."""
    role = Group.objects.create(name="Seller")
    role.permissions.set(
        Permission.objects.filter(
            Q(content_type__app_label__in=["inventory", "audit", "exchange"])
        ).exclude(codename="view_cost")
    )
    user = User.objects.create_user("seller@stockbook.test", PASSWORD, is_staff=True)
    user.groups.add(role)
    return user


@pytest.fixture
def product(db: None, catalogue_manager: User) -> Product:
    """With a cost, an older one on the record, and a tag and a variant to look at."""
    with audit_context(source=Source.ADMIN, actor=catalogue_manager, reason="Copper"):
        made: Product = Product.objects.create_with_tags(
            sku="P-1",
            name="Pot",
            price=Decimal(9000),
            cost=Decimal("4711.50"),
            category=Category.objects.create(name="Kitchen"),
            tags=["new"],
        )
    with audit_context(source=Source.ADMIN, actor=catalogue_manager, action="x", reason="Tin"):
        Product.objects.filter(pk=made.pk).update(cost=Decimal("4812.25"), brand="Acme")
    Product.objects.create(sku="P-2", name="Lid", price=1, cost=Decimal("4812.25"), variant_of=made)
    return made


@pytest.fixture
def job(product: Product, catalogue_manager: User) -> ImportJob:
    """A file of the catalogue manager with a new cost, and one that is wrong."""
    return bring("sku,price,cost\nP-1,9001,4913\nP-2,2,-4913\n", user=catalogue_manager)


def everywhere(product: Product, job: ImportJob) -> list[str]:
    """Every page of the admin that shows anything of products, their history or their files."""
    history = Product.history.filter(id=product.pk).order_by("history_id")
    older, newer = (row.history_id for row in history)
    sets = [row.change_set_id for row in history]
    of_product = ["change", "delete", "history", "timeline", "as_of"]
    field = f"?object=inventory.product/{product.pk}&field=cost&row={newer}&to={older}"
    return [
        "/admin/",
        "/admin/search/?s=P-1",
        "/admin/search/?s=pot",
        PRODUCTS,
        f"{PRODUCTS}?q=P-1",
        f"{PRODUCTS}?o=3",
        *(page(f"inventory_product_{name}", product.pk) for name in of_product),
        page("inventory_product_add"),
        page("inventory_product_as_of_list"),
        page("inventory_product_import"),
        page("inventory_product_export"),
        f"{reverse('admin:autocomplete')}{AUTOCOMPLETE}",
        page("audit_changeset_changelist"),
        f"{page('audit_changeset_changelist')}?field=cost",
        *(page("audit_changeset_change", pk) for pk in sets),
        *(f"{page('audit_changeset_change', pk)}?model=inventory.product" for pk in sets),
        *(f"{page('audit_changeset_change', pk)}?field=cost" for pk in sets),
        *(page("audit_changeset_undo", pk) for pk in sets),
        page("audit_changeset_revert") + field,
        page("audit_changeset_export"),
        page("exchange_importjob_changelist"),
        *(
            page(f"exchange_importjob_{name}", job.pk)
            for name in ("change", "file", "errors", "history", "timeline", "as_of")
        ),
        f"{page('exchange_importjob_change', job.pk)}?status=invalid",
        page("inventory_category_change", product.category_id),
        page("inventory_category_history", product.category_id),
        page("inventory_tag_history", Tag.objects.get().pk),
    ]


def body(response: Any) -> str:
    content: bytes = response.getvalue() if response.streaming else response.content
    return content.decode(errors="replace")


def shown(text: str) -> list[str]:
    """The costs in a page, where they stand alone: a token may have the same digits in it."""
    return [cost for cost in COSTS if re.search(rf"(?<![A-Za-z0-9]){cost}(?![A-Za-z0-9])", text)]


def leaks(user: User, product: Product, job: ImportJob) -> dict[str, list[str]]:
    client = signed_in(user)
    found = {}
    for address in everywhere(product, job):
        if costs := shown(body(client.get(address))):
            found[address] = costs
    for form in ("csv", "jsonl"):
        if costs := shown(body(client.post(page("audit_changeset_export"), {"form": form}))):
            found[f"export {form}"] = costs
    for action in ("change_prices", "activate_products", "set_category", "delete_selected"):
        steps: list[dict[str, Any]] = [
            {},
            {"preview": "1", "percent": "5", "category": product.category_id},
        ]
        for step in steps:
            if costs := shown(body(act(client, action, [product], **step))):
                found[f"{action} {step}"] = costs
    asked = act(client, "export_selected", [product])
    if asked.status_code == 200:
        for form in ("csv", "xlsx", "jsonl"):
            sent = {**export_form(asked), "file_format": form, "column_cost": "on"}
            content = client.post(page("inventory_product_export"), sent).getvalue()
            if costs := shown(sheet_text(content) if form == "xlsx" else content.decode()):
                found[f"export_selected {form}"] = costs
    return found


@pytest.mark.parametrize("persona", [*Persona])
def test_the_cost_appears_to_those_who_may_see_it_and_to_nobody_else(
    persona: Persona, product: Product, job: ImportJob
) -> None:
    user = User.objects.filter(email__startswith=persona.value[0].lower()).first()
    found = leaks(user or make_user(persona), product, job)
    if persona not in SEES:
        assert found == {}
        return
    # The same walk finds it where it is: it is not blind.
    assert {
        PRODUCTS,
        page("inventory_product_change", product.pk),
        page("inventory_product_history", product.pk),
        page("exchange_importjob_change", job.pk),
        page("exchange_importjob_file", job.pk),
    } <= found.keys()
    if persona is not Persona.AUDITOR:
        assert {f"export_selected {form}" for form in ("csv", "xlsx", "jsonl")} <= found.keys()
    if persona is not Persona.CATALOGUE_MANAGER:
        assert {"export csv", "export jsonl"} <= found.keys()


def test_who_may_see_all_but_the_cost_finds_it_nowhere(
    seller: User, product: Product, job: ImportJob
) -> None:
    client = signed_in(seller)
    opened = [
        address
        for address in everywhere(product, job)
        if body(response := client.get(address)) and response.status_code == 200
    ]
    assert len(opened) >= 35, "the seller gets in almost everywhere"
    assert leaks(seller, product, job) == {}


def test_that_something_changed_is_still_told(seller: User, product: Product) -> None:
    text = signed_in(seller).get(page("inventory_product_history", product.pk)).text
    assert "Acme" in text
    assert "Tin" in text


def test_the_list_sorts_and_filters_by_it_for_nobody_else(seller: User, product: Product) -> None:
    client = signed_in(seller)
    for query in ("cost=4812.25", "cost__gte=4800", "variant_of__cost__lt=9", "variants__cost=1"):
        assert client.get(f"{PRODUCTS}?{query}").status_code == 400, query
        export = client.get(f"{page('inventory_product_export')}?{query}")
        assert export.status_code in {302, 400}, query
    everything = client.get(PRODUCTS).context["cl"].result_count
    without = client.get(f"{PRODUCTS}?without=cost")
    assert without.context["cl"].result_count == everything
    assert "without=cost" not in client.get(PRODUCTS).text
    for order in range(1, 9):
        client.get(f"{PRODUCTS}?o={order}")
    categories = page("inventory_category_changelist")
    assert client.get(f"{categories}?products__cost__gte=1").status_code == 400


def test_what_somebody_else_asked_it_for_is_told_to_nobody_else(
    seller: User, auditor: User, catalogue_manager: User, product: Product
) -> None:
    """Which products cost at least so much, and how many there were, on the record of an export."""
    exported = f"{page('inventory_product_export')}?cost__gte=4812&brand="
    keeper = signed_in(catalogue_manager)
    body(keeper.post(exported, export_form(keeper.get(exported))))
    event = ChangeSet.objects.get(kind=ChangeSet.Kind.EXPORT)
    assert event.facts["filter"]["cost__gte"] == "4812"
    for user, is_told in ((auditor, True), (seller, False)):
        client = signed_in(user)
        for address in (
            f"{page('audit_changeset_changelist')}?kind=export",
            page("audit_changeset_change", event.pk),
        ):
            text = client.get(address).text
            assert "cost__gte" in text, "that it was asked for is no secret"
            assert ("4812" in shown(text)) is is_told
        for form in ("csv", "jsonl"):
            sent = {"form": form, "kind": "export"}
            text = body(client.post(f"{page('audit_changeset_export')}?kind=export", sent))
            assert ("4812" in shown(text)) is is_told, form


def test_what_is_posted_for_a_hidden_field_does_not_count(seller: User, product: Product) -> None:
    client = signed_in(seller)
    sent = product_form(product, cost="1", name="Renamed")
    sent |= {"variants-TOTAL_FORMS": "1", "variants-INITIAL_FORMS": "1"}
    client.post(page("inventory_product_change", product.pk), {**sent, "change_reason": "x"})
    product.refresh_from_db()
    assert product.cost == Decimal("4812.25")
    client.post(page("inventory_product_add"), product_form(sku="N-1", name="N", cost="1"))
    assert Product.objects.get(sku="N-1").cost is None


def test_a_file_neither_takes_it_out_nor_brings_it_in(seller: User, product: Product) -> None:
    client = signed_in(seller)
    asked = client.get(page("inventory_product_export"))
    sent = {**export_form(asked), "column_cost": "on", "place_cost": "1"}
    header = body(client.post(page("inventory_product_export"), sent)).splitlines()[0]
    assert "price" in header
    assert "cost" not in header

    upload = BytesIO(b"sku,name,price,cost\nP-1,,9000,4711.50\nP-2,,1,\nP-3,New,1,7\n")
    upload.name = "theirs.csv"
    address = client.post(page("inventory_product_import"), {"file": upload})["Location"]
    job = ImportJob.objects.get()
    assert job.mapping == {"sku": 0, "name": 1, "price": 2}
    # The cost in their file is none of ours, so whether it differs is not told either.
    assert counts(job) == (1, 0, 2, 0)
    text = client.get(address).text
    assert "4711.50" in text, "their own file"
    assert [cost for cost in shown(text) if cost not in ("4711", "4,711")] == []

    mapping = {"column_0": "sku", "column_2": "price", "column_3": "cost"}
    refused = client.post(page("exchange_importjob_map", job.pk), mapping)
    assert "cost is not one of the available choices" in body(refused)
    job.refresh_from_db()
    assert "cost" not in job.mapping
    client.post(page("exchange_importjob_apply", job.pk), {"reason": "x"})
    assert Product.objects.get(sku="P-1").cost == Decimal("4812.25")
    assert Product.objects.get(sku="P-3").cost is None


def test_a_right_taken_away_since_the_preview_counts(
    catalogue_manager: User, product: Product, job: ImportJob
) -> None:
    client = signed_in(catalogue_manager)
    permission = Permission.objects.get(codename="view_cost")
    Group.objects.get(name="Catalogue manager").permissions.remove(permission)
    sent = {"reason": "x", "rows": "valid"}
    client.post(page("exchange_importjob_apply", job.pk), sent)
    product.refresh_from_db()
    assert (product.cost, product.price) == (Decimal("4812.25"), Decimal(9000))
    job.refresh_from_db()
    assert "cost" not in job.mapping, "the new preview is without it"
    client.post(page("exchange_importjob_apply", job.pk), sent)
    product.refresh_from_db()
    assert (product.cost, product.price) == (Decimal("4812.25"), Decimal(9001))


def test_undoing_and_reverting_show_it_to_nobody_else(seller: User, product: Product) -> None:
    newest = Product.history.filter(id=product.pk).latest("history_id")
    address = page("audit_changeset_revert")
    query = f"?object=inventory.product/{product.pk}&field=cost&row={newest.history_id}"
    assert signed_in(seller).get(address + query).status_code in {403, 404}


def test_nobody_in_particular_is_told_no_secret(administrator: User, warehouse: User) -> None:
    assert hidden_fields(Product, None) == {"cost"}
    assert hidden_fields(Product, warehouse) == {"cost"}
    assert hidden_fields(Product, administrator) == frozenset()
    assert hidden_fields(Category, None) == frozenset()


@pytest.mark.parametrize(
    ("lookup", "hidden"),
    [
        ("cost", True), ("cost__gte", True), ("variant_of__cost", True), ("variants__cost", True),
        ("category__products__cost__lt", True), ("price__gte", False), ("category__name", False),
        ("nothing__cost", False), ("tags__products__cost", True), ("discount__value", False),
    ],
)  # fmt: skip
def test_lookups_that_lead_to_it_are_known(lookup: str, hidden: bool, warehouse: User) -> None:
    assert is_hidden(Product, lookup, warehouse) is hidden


@pytest.mark.parametrize("model", [ChangeSet, Seal])
def test_nobody_edits_the_record_in_the_application(model: Any, product: Product) -> None:
    client = signed_in(User.objects.create_superuser("root@stockbook.test", PASSWORD))
    newest, number = ChangeSet.objects.latest("pk"), ChangeSet.objects.count()
    base = page(f"audit_{model._meta.model_name}_changelist")
    for address in ("add/", f"{newest.pk}/change/", f"{newest.pk}/delete/"):
        sent = {"action": "Nothing happened", "reason": "", "post": "yes"}
        response = client.post(base + address, sent)
        assert response.status_code in {302, 403, 404, 405}, address
    client.post(base, {"action": "delete_selected", "_selected_action": newest.pk, "post": "yes"})
    assert ChangeSet.objects.filter(kind="change").count() == number
    assert ChangeSet.objects.get(pk=newest.pk).action == newest.action


def test_the_tables_of_history_have_no_pages_of_their_own(db: None) -> None:
    assert not any(admin.site.is_registered(history_of(model)) for model in trailed_models)
