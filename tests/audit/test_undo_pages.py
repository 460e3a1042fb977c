"""The pages that put things back: preview, POST, result; and who gets there."""

import re
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backoffice.accounts.models import User
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.field import newest_row
from inventory.models import Category, Product, Tag
from tests.audit.conftest import Record, a_product

from .pages import detail, history_page, words
from .undoing import done, work

pytestmark = pytest.mark.django_db


def undo_page(change_set: ChangeSet, obj: Product | None = None) -> str:
    query = f"?object=inventory.product/{obj.pk}" if obj else ""
    return f"/admin/audit/changeset/{change_set.pk}/undo/{query}"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def confirm(client: Client, url: str, reason: str = "a mistake") -> Any:
    page = client.get(url).content.decode()
    return client.post(url, {"reason": reason, "previewed": hidden(page, "previewed")}, follow=True)


@pytest.fixture
def manager(client: Client, catalogue_manager: User) -> Client:
    client.force_login(catalogue_manager)
    return client


@pytest.fixture
def ada(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def raised(product: Product, administrator: User) -> ChangeSet:
    """Two prices raised, and one of the products edited since."""
    a_product("S-2").save()
    with work("Prices of March", administrator):
        Product.objects.update(price=20)
    with work("Product changed: Product S-2", administrator):
        Product.objects.filter(sku="S-2").update(name="Other")
    return done("Prices of March")


def test_the_preview_says_what_goes_back_and_what_stays_and_why(
    ada: Client, raised: ChangeSet
) -> None:
    record = Record.from_now()
    text = words(ada.get(undo_page(raised)))
    assert "Undo of: Prices of March" in text
    assert "1 goes back to what it was. 1 stays as it is." in text
    assert "Products 1 put back; 1 kept: changed since" in text
    assert "Product S-1 (S-1) will be put back" in text
    assert re.search(
        r"Product S-2 \(S-2\) Changed since by Ada Admin <ada@stockbook\.test>, .{5,40} · "
        r"Product changed: Product S-2",
        text,
    )
    assert "Undo 1 change" in text
    assert record.is_empty()


def test_numbers_have_their_plurals(ada: Client, product: Product) -> None:
    for number in range(2, 14):
        a_product(f"S-{number}").save()
    with work("many"):
        Product.objects.update(brand="Acme")
    text = words(ada.get(undo_page(done("many"))))
    assert "13 go back to what they were." in text
    assert "Undo 13 changes" in text
    assert "All of them, by page" in text


def test_pages_follow_each_other(ada: Client, db: None) -> None:
    Product.objects.bulk_create(a_product(f"S-{n:03}", slug=f"s{n}") for n in range(60))
    with work("many"):
        Product.objects.update(brand="Acme")
    url = undo_page(done("many")) + "?model=inventory.product&kept=0&after=0"
    first = ada.get(url)
    text = words(first)
    assert ("S-049" in text, "S-050" in text) == (True, False)
    following = re.search(r'rel="next"[^>]*href="([^"]+)"', first.content.decode())
    assert following
    second = words(ada.get(undo_page(done("many")) + unescape(following[1]).partition("#")[0]))
    assert ("S-049" in second, "S-059" in second) == (False, True)
    assert "Next page" not in second


def test_nothing_is_undone_that_no_preview_showed(ada: Client, raised: ChangeSet) -> None:
    response = ada.post(undo_page(raised), {"reason": "x"})
    assert "Look at it again, then confirm." in words(response)
    assert not Product.objects.filter(price=10).exists()


def test_confirming_puts_back_and_leads_to_the_record(ada: Client, raised: ChangeSet) -> None:
    response = confirm(ada, undo_page(raised), "wrong list")
    text = words(response)
    assert Product.objects.get(sku="S-1").price == 10
    made = done("Undo of: Prices of March")
    assert (made.source, made.reason) == ("admin", "wrong list")
    assert f"{detail(made)}" in response.content.decode()
    assert "Products: 1 put back; 1 kept: changed since." in text
    again = words(ada.get(undo_page(raised)))
    assert "Nothing is left to undo. 2 stay as they are." in again
    assert "Undone before, wholly or in part" in again
    assert "Undo of: Undo of: Prices of March" in words(ada.get(undo_page(made)))


def test_all_undone_is_a_success_and_nothing_that_is_kept(ada: Client) -> None:
    a_product("S-7").save()
    with work("renamed"):
        Product.objects.filter(sku="S-7").update(name="b")
    renamed = done("renamed")
    response = confirm(ada, undo_page(renamed), "wrong")
    assert [m.level_tag for m in response.context["messages"]] == ["success"]
    again = words(ada.get(undo_page(renamed)))
    assert "All of it is undone." in again
    assert "stays as it is" not in again


def test_without_a_reason_nothing_is_written(ada: Client, raised: ChangeSet) -> None:
    record = Record.from_now()
    response = ada.post(undo_page(raised), {"reason": " "})
    assert "Say why: this change needs a reason." in words(response)
    assert record.is_empty()


def test_what_changed_since_the_preview_is_shown_first(ada: Client, raised: ChangeSet) -> None:
    seen = hidden(ada.get(undo_page(raised)).content.decode(), "previewed")
    with work("later"):
        Product.objects.filter(sku="S-1").update(brand="Acme")
    response = ada.post(undo_page(raised), {"reason": "x", "previewed": seen})
    text = words(response)
    assert "What can be undone is not what you saw last." in text
    assert "Nothing is left to undo. 2 stay as they are." in text
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(20)}


def test_a_look_changes_nothing_and_other_methods_are_refused(
    ada: Client, raised: ChangeSet
) -> None:
    assert ada.put(undo_page(raised)).status_code == 405
    assert ada.post("/admin/audit/changeset/restore/?object=inventory.product/1").status_code == 405
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(20)}


def test_a_forged_post_is_refused(administrator: User, raised: ChangeSet) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert client.post(undo_page(raised), {"reason": "x"}).status_code == 403
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(20)}


@pytest.mark.parametrize("persona", ["warehouse", "order_desk", "auditor", "outsider"])
def test_others_neither_see_nor_undo(
    persona: str, request: pytest.FixtureRequest, raised: ChangeSet, product: Product
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(persona))
    made = newest_row(Product, product.pk)
    query = urlencode(
        {"object": f"inventory.product/{product.pk}", "row": made.history_id, "field": "price"}
    )
    for url in (
        undo_page(raised),
        f"/admin/audit/changeset/revert/?{query}",
        f"/admin/audit/changeset/restore/?{query}",
    ):
        assert client.get(url).status_code in (403, 404)
        assert client.post(url, {"reason": "x"}).status_code in (403, 404, 405)
    assert Product.objects.get(pk=product.pk).price == 20
    page = client.get(history_page(product))
    if page.status_code == 200:
        assert "Undo this" not in words(page)
        assert "Put back" not in words(page)


def test_the_catalogue_manager_undoes_what_the_catalogue_says(
    manager: Client, raised: ChangeSet, product: Product
) -> None:
    text = words(confirm(manager, undo_page(raised)))
    assert "Products: 1 put back; 1 kept: changed since." in text
    assert Product.objects.get(pk=product.pk).price == 10


def test_the_catalogue_manager_learns_nothing_of_people(
    manager: Client, administrator: User
) -> None:
    with work("secret plan", administrator):
        User.objects.filter(pk=administrator.pk).update(last_name="Other")
    assert manager.get(undo_page(done("secret plan"))).status_code == 403
    url = f"{undo_page(done('secret plan'))}?object=accounts.user/{administrator.pk}"
    assert manager.get(url).status_code == 403


def test_of_mixed_work_only_what_one_may_read_is_shown(
    manager: Client, administrator: User, product: Product
) -> None:
    with work("mixed", administrator):
        User.objects.filter(pk=administrator.pk).update(last_name="Other")
        Product.objects.update(brand="Acme")
    text = words(manager.get(undo_page(done("mixed"))))
    assert "One more kind of object is counted and not shown" in text
    assert "Ada Other" not in text.partition("What the undo will do")[2]
    confirm(manager, undo_page(done("mixed")))
    assert Product.objects.get().brand == ""
    assert User.objects.get(pk=administrator.pk).last_name == "Other"


@pytest.mark.parametrize("query", ["object=x", "object=inventory.product/", "object=a.b/1"])
def test_nonsense_is_not_found(ada: Client, raised: ChangeSet, query: str) -> None:
    assert ada.get(f"{undo_page(raised)}?{query}").status_code == 404
    assert ada.get(f"/admin/audit/changeset/restore/?{query}").status_code == 404
    assert ada.get(f"/admin/audit/changeset/revert/?{query}").status_code == 404


@pytest.mark.parametrize("key", ["0", "x", "999999999999999999999999", "1'", "%00"])
def test_keys_of_nothing_are_not_found(ada: Client, raised: ChangeSet, key: str) -> None:
    query = f"object=inventory.product/{key}"
    assert ada.get(f"{undo_page(raised)}?{query}").status_code == 404
    assert ada.get(f"/admin/audit/changeset/restore/?{query}").status_code == 404
    assert ada.get(f"/admin/audit/changeset/revert/?{query}&row=1&field=price").status_code == 404


def test_events_are_not_undone(ada: Client, administrator: User) -> None:
    record_event(kind=ChangeSet.Kind.SIGN_IN, action="Signed in", actor=administrator)
    event = done("Signed in")
    response = ada.get(undo_page(event), follow=True)
    assert "This entry of the record changed nothing" in words(response)


# Restoring an object that is gone.


def test_an_object_that_is_gone_is_restored_from_its_history(
    manager: Client, product: Product
) -> None:
    product.tags.set(Tag.objects.named(["new"]))
    other = a_product("S-2")
    other.save()
    with work("Products deleted"):
        Product.objects.all().delete()
    product = Product(pk=product.pk)
    gone = manager.get(history_page(product))
    link = re.search(r'href="([^"]*/restore/[^"]*)"', gone.content.decode())
    assert link
    page = manager.get(unescape(link[1]), follow=True)
    text = words(page)
    assert "Of it, only Product “Product S-1 (S-1)”" in text
    assert "2 go back to what they were." in text
    response = confirm(manager, undo_page(done("Products deleted"), product))
    assert Product.objects.get().pk == product.pk
    assert [tag.name for tag in Product.objects.get().tags.all()] == ["new"]
    assert "Tags of products: 1 brought back" in words(response)


def test_the_change_set_leads_to_the_undo_of_each_object(
    ada: Client, raised: ChangeSet, product: Product
) -> None:
    page = ada.get(detail(raised)).content.decode()
    assert undo_page(raised) in page
    assert undo_page(raised, product) in unescape(page)
    confirm(ada, undo_page(raised, product))
    assert Product.objects.get(pk=product.pk).price == 10


# One field.


def revert_link(client: Client, product: Product, field: str) -> str:
    page = client.get(history_page(product)).content.decode()
    links = re.findall(r'href="([^"]*/revert/[^"]*)"', page)
    return next(unescape(link) for link in links if link.endswith(f"field={field}"))


def test_one_field_is_put_back_from_the_history(
    manager: Client, raised: ChangeSet, product: Product
) -> None:
    url = revert_link(manager, product, "price")
    page = manager.get(url)
    assert "Price 20.00 → 10.00" in words(page)
    response = manager.post(
        url, {"reason": "too dear", "seen": hidden(page.content.decode(), "seen")}, follow=True
    )
    assert "Price put back." in words(response)
    assert Product.objects.get(pk=product.pk).price == 10
    made = ChangeSet.objects.latest("pk")
    assert (made.action, made.reason, made.source) == (
        "Price put back: product Product S-1 (S-1)", "too dear", "admin",
    )  # fmt: skip
    assert "It is “10.00” already" in words(manager.get(url))


def test_a_field_that_somebody_changed_meanwhile_is_left(
    manager: Client, raised: ChangeSet, product: Product
) -> None:
    url = revert_link(manager, product, "price")
    seen = hidden(manager.get(url).content.decode(), "seen")
    with work("meanwhile"):
        Product.objects.filter(pk=product.pk).update(price=33)
    response = manager.post(url, {"reason": "x", "seen": seen}, follow=True)
    assert "Price has changed since you looked; it is “33.00” now" in words(response)
    assert Product.objects.get(pk=product.pk).price == 33


def test_one_field_needs_a_reason(manager: Client, raised: ChangeSet, product: Product) -> None:
    url = revert_link(manager, product, "price")
    seen = hidden(manager.get(url).content.decode(), "seen")
    response = manager.post(url, {"reason": "", "seen": seen})
    assert "Say why: this change needs a reason." in words(response)
    assert Product.objects.get(pk=product.pk).price == 20


def test_fields_that_follow_from_others_say_so(manager: Client, db: None) -> None:
    Category.objects.get_or_create_path("Audio")
    with work("rename"):
        Category.objects.update(name="Sound")
    category = Category.objects.get()
    row = Category.history.earliest("history_id").history_id
    query = f"object=inventory.category/{category.pk}&row={row}&field=path"
    response = manager.get(f"/admin/audit/changeset/revert/?{query}", follow=True)
    assert "Path cannot be put back by itself" in words(response)


def test_the_number_of_queries_does_not_grow_with_the_rows(ada: Client, db: None) -> None:
    counts = []
    for number in (2, 3, 9):
        Product.objects.all().delete()
        Product.objects.bulk_create(a_product(f"S-{n}", slug=f"s{n}") for n in range(number))
        with work(f"of {number}"):
            Product.objects.update(brand="Acme")
        with CaptureQueriesContext(connection) as queries:
            ada.get(undo_page(done(f"of {number}")))
        counts.append(len(queries))
    assert counts[1] == counts[2]  # the first fills caches
