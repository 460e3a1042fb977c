"""The command palette: what it finds for whom, in which order, and what it says where it cannot."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.console.palette.results import Answer
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.console.pages import signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"


def answer(client: Client, typed: str) -> Answer:
    response = client.get(SEARCH, {"s": typed})
    assert response.status_code == 200
    context: Any = response.context
    answered: Answer = context["answer"]
    return answered


def found(client: Client, typed: str) -> list[str]:
    return answer(client, typed).titles


def test_the_exact_code_stands_first_then_the_best_five(warehouse: User) -> None:
    for number in range(8):
        make_product(name=f"Cup for M-1 {number}")
    make_product(sku="M-1", name="Mug")
    make_product(sku="X", name="Zebra", barcode="4006381333931")
    client = signed_in(warehouse)
    exact, others = answer(client, "m-1").groups
    assert (exact.title, [each.title for each in exact.results]) == ("Exactly this", ["Mug"])
    assert (len(others.results), others.more) == (5, "Show all: 3 more")
    assert all(each.title.startswith("Cup for M-1") for each in others.results)
    assert found(client, "4006381333931") == ["Zebra"]


def test_an_exact_email_stands_first(administrator: User, auditor: User) -> None:
    User.objects.create_user("not.aude@stockbook.test", "x", first_name="Aude@stockbook.test")
    titles = found(signed_in(administrator), "AUDE@stockbook.test")
    assert titles[0] == auditor.get_full_name()
    assert len(titles) == 2


def test_the_rest_is_one_click_away_in_the_list_searched(warehouse: User) -> None:
    for number in range(9):
        make_product(name=f"Kettle {number}")
    client = signed_in(warehouse)
    (group,) = answer(client, "kettle").groups
    assert group.title == "Products"
    assert (len(group.results), group.more) == (5, "Show all: 4 more")
    shown: Any = client.get(group.more_link).context["cl"]
    assert shown.result_count == 9


def test_what_is_most_like_what_was_typed_stands_first(warehouse: User) -> None:
    for number in range(6):
        make_product(name=f"A cable of the kettle, number {number}")
    make_product(name="Kettle", sku="K-1")
    assert found(signed_in(warehouse), "kettle")[0] == "Kettle"


def test_a_mistyped_name_is_found_and_said_to_be_only_similar(warehouse: User) -> None:
    make_product(name="Bluetooth speaker")
    make_product(name="Kettle")
    client = signed_in(warehouse)
    answered = answer(client, "blutooth spaeker")
    assert (answered.titles, answered.is_similar) == (["Bluetooth speaker"], True)
    text = client.get(SEARCH, {"s": "blutooth spaeker"}).text
    assert "Nothing has “blutooth spaeker”. What is most like it:" in text


def test_lists_and_what_they_offer_are_found(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    assert found(client, "import products") == ["Import products"]
    assert found(client, "upload products") == ["Import products"]
    assert found(client, "imprt prodcts") == ["Import products"]
    assert found(client, "discounts") == ["Discounts", "Import discounts", "Export discounts"]
    assert found(client, "password") == ["Change my password"]


@pytest.mark.parametrize("role", ["administrator", "catalogue_manager", "warehouse", "auditor"])
def test_all_that_is_offered_opens(role: str, request: pytest.FixtureRequest) -> None:
    client = signed_in(request.getfixturevalue(role))
    offered = {
        result.link
        for typed in ("a", "e", "i", "o", "u", "p", "d", "s", "t", "c", "r", "f")
        for group in answer(client, typed).groups
        if group.title == "Pages and actions"
        for result in group.results
    }
    assert len(offered) > 5
    assert [link for link in offered if client.get(link).status_code != 200] == []


def test_who_may_only_read_is_offered_nothing_to_write(warehouse: User) -> None:
    client = signed_in(warehouse)
    assert found(client, "import products") == []
    assert found(client, "add product") == []
    assert found(client, "products") == ["Products"]


def test_categories_and_pages_are_found_by_any_word(warehouse: User) -> None:
    make_category("Audio > Radios")
    client = signed_in(warehouse)
    assert found(client, "radios") == ["Radios"]
    assert found(client, "\0radios") == ["Radios"]


def test_nothing_found_says_what_to_do(warehouse: User) -> None:
    text = signed_in(warehouse).get(SEARCH, {"s": "no such thing"}).text
    assert "Nothing found" in text
    assert "Try fewer words, a part of the name, or the whole code." in text


def test_who_may_see_nothing_finds_nothing(outsider: User) -> None:
    make_product(name="Mug", sku="MUG", category=make_category("Mugs"))
    client = signed_in(outsider)
    assert found(client, "mug") == []
    assert found(client, "products") == []


def test_people_are_found_by_those_only_who_may_see_their_list(
    warehouse: User, auditor: User
) -> None:
    typed = "walt@stockbook.test"
    assert found(signed_in(auditor), typed) == [warehouse.get_full_name()]
    assert found(signed_in(warehouse), typed) == []


def test_an_importer_finds_their_own_files_and_an_auditor_all(
    catalogue_manager: User, administrator: User, auditor: User
) -> None:
    facts = {"resource": "products", "size": 1, "sha256": "0" * 64, "encoding": "utf-8"}
    ImportJob.objects.create(user=administrator, file_name="contoso theirs.csv", **facts)
    ImportJob.objects.create(user=catalogue_manager, file_name="contoso mine.csv", **facts)
    assert found(signed_in(catalogue_manager), "contoso") == ["contoso mine.csv"]
    assert len(found(signed_in(auditor), "contoso")) == 2


def test_a_right_that_is_taken_away_is_gone_at_once(warehouse: User) -> None:
    make_product(name="Mug")
    client = signed_in(warehouse)
    assert found(client, "mug") == ["Mug"]
    warehouse.groups.remove(Group.objects.get(name=RoleName.WAREHOUSE.value))
    assert found(client, "mug") == []


def test_a_new_name_is_known_at_once(warehouse: User) -> None:
    product = make_product(name="Mug")
    client = signed_in(warehouse)
    assert found(client, "mug") == ["Mug"]
    Product.objects.filter(pk=product.pk).update(name="Mug, blue")
    assert found(client, "mug") == ["Mug, blue"]


def test_letters_that_no_index_finds_are_not_looked_for_in_a_large_list(warehouse: User) -> None:
    make_product(name="Yo-yo")
    make_product(sku="YO", name="Top")
    client = signed_in(warehouse)
    assert found(client, "yo") == ["Top", "Yo-yo"]
    with connection.cursor() as cursor:
        # As the planner knows a table of a million rows.
        cursor.execute("UPDATE pg_class SET reltuples = 1e6 WHERE relname = 'inventory_product'")
    answered = answer(client, "yo")
    assert answered.titles == ["Top"]
    assert answered.notes == ["Type three letters of a word to search products too."]


def opened(client: Client, *keys: str) -> list[str]:
    context: Any = client.get(SEARCH, {"recent": keys}).context
    groups = context["answer"].groups
    return [
        each.title for group in groups if group.title == "Opened last" for each in group.results
    ]


def test_before_anything_is_typed_stands_what_was_opened_last(
    warehouse: User, outsider: User
) -> None:
    mug, pot = make_product(name="Mug"), make_product(name="Pot")
    keys = [f"inventory.product/{pot.pk}", f"inventory.product/{mug.pk}", "do/password"]
    assert opened(signed_in(warehouse), *keys) == ["Pot", "Mug", "Change my password"]
    # The keys of another, on the same browser.
    assert opened(signed_in(outsider), *keys) == ["Change my password"]


@pytest.mark.parametrize(
    "key", ["inventory.product/x", "inventory.product/9999999999999999999999", "a.b/1", "/", "do/x"]
)
def test_keys_that_name_nothing_are_passed_over(key: str, warehouse: User) -> None:
    assert opened(signed_in(warehouse), key) == []


def test_each_role_is_offered_its_own_work(
    catalogue_manager: User, outsider: User, auditor: User
) -> None:
    def offered(user: User) -> list[str]:
        context: Any = signed_in(user).get(SEARCH).context
        return list(context["answer"].titles)

    assert offered(catalogue_manager)[:2] == ["Add product", "Import products"]
    assert offered(outsider) == ["Change my password"]
    assert "Import products" not in offered(auditor)


def test_lines_are_numbered_through_as_the_arrows_go(catalogue_manager: User) -> None:
    for number in range(7):
        make_product(name=f"Import {number}")
    text = signed_in(catalogue_manager).get(SEARCH, {"s": "import"}).text
    numbers = [int(part.split('"')[0]) for part in text.split('id="command-item-')[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == 11  # five pages, five products, and the way to the others


def test_what_is_similar_is_given_up_while_somebody_types(
    warehouse: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_arguments: Any, **_options: Any) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    make_category("Kettles")
    make_product(name="Kettle")
    client = signed_in(warehouse)
    assert answer(client, "ketle").titles == ["Kettle", "Kettles"]
    monkeypatch.setattr("backoffice.console.palette.objects.similar_keys", slow)
    answered = answer(client, "ketle")
    assert answered.titles == []
    assert "To find similar products takes longer: search their list." in answered.notes
