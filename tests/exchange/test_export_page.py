"""The page between a list and its file: rows, columns and their order, templates."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.exchange.models import ExportTemplate
from inventory.models import Product
from tests.console.pages import PRODUCTS, act, page, said, signed_in
from tests.inventory.factories import make_category, make_product

from .pages import EXPORT, export_form, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def sent_form(client: Client, query: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the page would send if nothing on it were touched."""
    return export_form(client.get(EXPORT, query or {}))


def downloaded(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="products-')
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content, newline="")))


def skus(client: Client, query: dict[str, Any] | None = None) -> list[str]:
    """One click on the page that the list's Export button leads to."""
    return [row["sku"] for row in downloaded(client.post(EXPORT, sent_form(client, query)))]


# Which rows


def test_the_page_exports_what_the_lists_filters_find(client: Client) -> None:
    home, category = make_category("Home"), make_category("Home > Kitchen")
    make_product(sku="A", name="Red cup", category=category)
    make_product(sku="B", name="Blue cup")
    make_product(sku="C", name="Red mug", is_active=False)
    assert skus(client) == ["A", "B", "C"]
    assert skus(client, {"q": "red"}) == ["A", "C"]
    assert skus(client, {"q": "CUP red"}) == ["A"]
    assert skus(client, {"is_active__exact": "0"}) == ["C"]
    assert skus(client, {"category__id__exact": home.pk}) == ["A"]
    assert skus(client, {"q": "nothing at all"}) == []


def test_it_says_which_rows_and_how_many(client: Client) -> None:
    make_product(sku="A", name="Red cup")
    make_product(sku="B", name="Blue cup")
    assert "2 products The whole list, without a filter." in text_of(client.get(EXPORT))
    found = text_of(client.get(EXPORT, {"q": "red", "o": "1"}))
    assert "1 product What the list's search and filters find: search: red" in found


@pytest.mark.parametrize(
    "nasty", ["' OR 1=1 --", "%s", "%(x)s", "{}", "\\", '"; DROP TABLE inventory_product; --', "%"]
)
def test_nasty_filters_find_nothing_and_break_nothing(client: Client, nasty: str) -> None:
    make_product(sku="A")
    assert skus(client, {"q": nasty}) == []
    assert skus(client, {"brand": nasty}) in ([], ["A"])
    for response in (
        client.get(EXPORT, {"category__id__exact": nasty}),
        client.post(EXPORT, {"query": f"category__id__exact={nasty}"}),
    ):
        assert (response.status_code, response["Location"]) == (302, f"{PRODUCTS}?e=1")
    assert Product.objects.count() == 1


def test_selected_rows_are_exported_alone(client: Client) -> None:
    first, second, third = (make_product(sku=sku) for sku in "ABC")
    asked = act(client, "export_selected", [third, first])
    assert "2 products The rows that you selected." in text_of(asked)
    assert [row["sku"] for row in downloaded(client.post(EXPORT, export_form(asked)))] == ["A", "C"]
    assert second.sku == "B"


def test_all_that_the_list_finds_can_be_selected(client: Client) -> None:
    first = make_product(sku="A", name="Red")
    make_product(sku="B", name="Blue")
    response = act(client, "export_selected", [first], select_across="1", query="?q=red")
    assert (response.status_code, response["Location"]) == (302, f"{EXPORT}?q=red")


def test_keys_that_no_page_sends_are_refused(client: Client) -> None:
    make_product(sku="A")
    for keys in ("1,x", "-1", "1;DROP TABLE", "9" * 30, ","):
        assert client.post(EXPORT, {**sent_form(client), "keys": keys}).status_code == 400


# Which columns


def header(response: Any) -> list[str]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return next(csv.reader(io.StringIO(content)))


def only(form: dict[str, Any], *names: str) -> dict[str, Any]:
    """The form with these columns ticked, and placed in this order."""
    for name in [key for key in form if key.startswith("column_")]:
        del form[name]
    form |= {f"column_{name}": "on" for name in names}
    return form | {f"place_{name}": str(place) for place, name in enumerate(names, start=1)}


def test_chosen_columns_leave_in_chosen_order(client: Client) -> None:
    make_product(sku="A", name="Cup", price=2)
    response = client.post(EXPORT, only(sent_form(client), "price", "sku", "name"))
    assert response.getvalue() == b"\xef\xbb\xbfprice,sku,name\n2,A,Cup\n"


def test_places_that_are_none_come_last(client: Client) -> None:
    form = only(sent_form(client), "price", "sku", "name") | {"place_price": ""}
    assert header(client.post(EXPORT, form)) == ["sku", "name", "price"]


def test_without_a_column_nothing_leaves(client: Client) -> None:
    response = client.post(EXPORT, only(sent_form(client)))
    assert "Choose at least one column." in text_of(response)
    assert not response.streaming
    assert not ChangeSet.objects.filter(kind=ChangeSet.Kind.EXPORT).exists()


def test_a_column_that_is_none_is_not_exported(client: Client) -> None:
    form = only(sent_form(client), "sku", "created_by", "id")
    assert header(client.post(EXPORT, form)) == ["sku"]


def test_a_format_that_is_none_is_refused(client: Client) -> None:
    response = client.post(EXPORT, {**sent_form(client), "file_format": "exe"})
    assert not response.streaming
    assert "exe is not one of the available choices" in text_of(response)


# Templates


def save(client: Client, name: str, *columns: str, **more: str) -> Any:
    form = only(sent_form(client), *columns) | {"do": "save", "save_as": name, **more}
    return client.post(EXPORT, form)


def use(client: Client, template: ExportTemplate) -> Any:
    return client.post(EXPORT, {**sent_form(client), "do": "use", "template": template.pk})


def test_columns_are_saved_and_chosen_again(client: Client, catalogue_manager: User) -> None:
    make_product(sku="A", name="Cup", price=2)
    response = save(client, "Price list", "name", "price", file_format="xlsx")
    assert said(response) == ["Template “Price list” is saved."]
    template = ExportTemplate.objects.get()
    assert (template.columns, template.format, template.is_shared) == (
        ["name", "price"], "xlsx", False,
    )  # fmt: skip
    assert template.user == catalogue_manager
    form = export_form(use(client, template))
    assert form["file_format"] == "xlsx"
    response = client.post(EXPORT, {**form, "do": "export", "file_format": "csv"})
    assert header(response) == ["name", "price"]


def test_saving_under_the_same_name_replaces_ones_own(client: Client) -> None:
    save(client, "Price list", "name", "price")
    save(client, "PRICE LIST", "sku")
    assert [(t.name, t.columns) for t in ExportTemplate.objects.all()] == [("PRICE LIST", ["sku"])]


def test_a_template_needs_a_name_and_a_column(client: Client) -> None:
    assert "Give the template a name" in text_of(save(client, "  ", "sku"))
    assert "Choose at least one column." in text_of(save(client, "Nothing"))
    assert ExportTemplate.objects.count() == 0


def test_templates_of_others_are_there_only_if_they_are_for_everybody(
    client: Client, administrator: User
) -> None:
    other = signed_in(administrator)
    save(other, "Mine", "sku")
    save(other, "Ours", "sku", "name", is_shared="on")
    shown = text_of(client.get(EXPORT))
    assert "Ours" in shown
    assert "Mine" not in shown
    mine, ours = ExportTemplate.objects.order_by("name")
    assert said(use(client, mine)) == ["Choose a template first."]
    assert export_form(use(client, ours))["place_name"] == "2"


def test_somebody_elses_template_is_not_overwritten(client: Client, administrator: User) -> None:
    save(signed_in(administrator), "Ours", "sku", is_shared="on")
    assert "Somebody else has a template “ours”." in text_of(save(client, "ours", "name"))
    assert ExportTemplate.objects.get().columns == ["sku"]


def test_a_template_is_deleted_by_its_maker_only(client: Client, administrator: User) -> None:
    save(client, "Mine", "sku")
    template = ExportTemplate.objects.get()
    sent = {**sent_form(client), "do": "delete", "template": template.pk}
    assert said(signed_in(administrator).post(EXPORT, sent)) == ["Choose a template first."]
    assert ExportTemplate.objects.count() == 1
    assert said(client.post(EXPORT, sent)) == ["Template “Mine” is deleted."]
    assert ExportTemplate.objects.count() == 0


def test_saving_and_deleting_a_template_are_on_the_record(client: Client) -> None:
    save(client, "Mine", "sku")
    template = ExportTemplate.objects.get()
    client.post(EXPORT, {**sent_form(client), "do": "delete", "template": template.pk})
    told = ChangeSet.objects.order_by("pk").values_list("action", flat=True)
    assert [*told][-2:] == ["Export template “Mine” saved", "Export template “Mine” deleted"]


def test_a_column_that_is_gone_is_left_out_of_a_template_and_said(
    client: Client, catalogue_manager: User
) -> None:
    template = ExportTemplate.objects.create(
        name="Old", resource="products", user=catalogue_manager, columns=["name", "colour", "sku"]
    )
    response = use(client, template)
    assert said(response) == [
        "A column of “Old” is left out, for it is gone or not yours to see: colour."
    ]
    assert header(client.post(EXPORT, {**export_form(response), "do": "export"})) == ["name", "sku"]


# Who


def test_export_needs_its_own_permission(
    warehouse: User, order_desk: User, auditor: User, outsider: User, administrator: User
) -> None:
    product = make_product(sku="A")
    form = sent_form(signed_in(administrator))
    for user in (warehouse, order_desk, auditor, outsider):
        assert signed_in(user).get(EXPORT).status_code == 403
        assert signed_in(user).post(EXPORT, form).status_code == 403
        response = act(signed_in(user), "export_selected", [product])
        assert response.status_code == 403
    assert skus(signed_in(administrator)) == ["A"]
    for response in (Client().get(EXPORT), Client().post(EXPORT, form)):
        assert (response.status_code, response["Location"]) == (
            302,
            f"{page('login')}?next={EXPORT}",
        )


def test_a_post_without_its_token_is_refused(catalogue_manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(catalogue_manager)
    assert client.post(EXPORT, {"do": "export"}).status_code == 403
