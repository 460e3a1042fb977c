"""Whose language a page is in, that everyone can choose theirs, and what it does not change."""

from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from backoffice.accounts.models import Profile, User
from backoffice.accounts.notifications.sending import send_mails
from backoffice.audit.models import ChangeSet
from backoffice.exchange.models import ImportProgress
from backoffice.exchange.notices import tell_of_import
from inventory.models import Product
from tests.console.pages import PRODUCTS, page, product_form, signed_in
from tests.exchange.files import HEADER, bring
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db
LANGUAGE = "/admin/language/"


def choose(user: User, language: str) -> Client:
    client = signed_in(user)
    assert client.post(LANGUAGE, {"language": language, "next": PRODUCTS}).status_code == 302
    return client


def body(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize(
    ("asked", "lang", "heading"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Produkte"),
        ("fr-CA", "fr", "Produits"),
        ("en-US,en;q=0.9", "en-gb", "Products"),
        ("ja", "en-gb", "Products"),
        ("", "en-gb", "Products"),
    ],
)
def test_without_a_choice_it_is_what_the_browser_says(
    asked: str, lang: str, heading: str, warehouse: User
) -> None:
    text = body(signed_in(warehouse).get(PRODUCTS, headers={"accept-language": asked}))
    assert f'<html lang="{lang}"' in text
    assert heading in text


def test_the_sign_in_page_speaks_the_language_of_the_browser() -> None:
    text = body(Client().get("/admin/login/", headers={"accept-language": "de"}))
    assert "E-Mail-Adresse" in text
    assert "Anmelden" in text


def test_a_choice_holds_on_every_machine(warehouse: User) -> None:
    response = choose(warehouse, "fr").get(PRODUCTS, headers={"accept-language": "de"})
    assert '<html lang="fr"' in body(response)
    elsewhere = signed_in(warehouse).get(PRODUCTS, headers={"accept-language": "de"})
    assert '<html lang="fr"' in body(elsewhere)


def test_the_page_for_signing_in_keeps_it_on_this_machine(warehouse: User) -> None:
    client = choose(warehouse, "fr")
    client.logout()
    client.cookies["django_language"] = "fr"
    assert '<html lang="fr"' in body(client.get("/admin/login/", headers={"accept-language": "de"}))


def test_the_browser_decides_again_when_the_choice_is_taken_back(warehouse: User) -> None:
    choose(warehouse, "fr")
    client = choose(warehouse, "")
    assert '<html lang="de"' in body(client.get(PRODUCTS, headers={"accept-language": "de"}))


def test_everyone_chooses_in_the_menu_below_their_name(outsider: User) -> None:
    text = body(signed_in(outsider).get("/admin/"))
    for name in ("English", "Deutsch", "Français", "As the browser says"):
        assert name in text
    assert f'action="{LANGUAGE}"' in text


def test_a_choice_is_a_post_of_a_language_that_there_is(warehouse: User) -> None:
    client = signed_in(warehouse)
    assert client.get(LANGUAGE).status_code == 405
    assert client.post(LANGUAGE, {"language": "tlh"}).status_code == 400
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(warehouse)
    assert strict.post(LANGUAGE, {"language": "de"}).status_code == 403
    assert Client().post(LANGUAGE, {"language": "de"}).status_code == 302
    assert Profile.objects.get(user=warehouse).language == ""


def test_a_choice_leads_back_and_nowhere_else(warehouse: User) -> None:
    client = signed_in(warehouse)
    to = {"language": "de", "next": "https://evil.example/"}
    assert client.post(LANGUAGE, to)["Location"] == "/admin/"
    assert client.post(LANGUAGE, {"language": "de", "next": PRODUCTS})["Location"] == PRODUCTS


def test_a_choice_is_on_the_record(warehouse: User) -> None:
    choose(warehouse, "de")
    change_set = ChangeSet.objects.latest("pk")
    assert (change_set.action, change_set.actor_id) == ("Language chosen", warehouse.pk)


def test_a_language_that_is_not_offered_any_more_counts_as_none(warehouse: User) -> None:
    Profile.objects.filter(user=warehouse).update(language="eo")
    client = signed_in(warehouse)
    assert '<html lang="fr"' in body(client.get(PRODUCTS, headers={"accept-language": "fr"}))


@pytest.mark.parametrize(
    ("language", "shown", "typed"),
    [("de", "1.234,50", "17,90"), ("fr", "1\xa0234,50", "17,90"), ("en-gb", "1,234.50", "17.90")],
)
def test_numbers_are_shown_and_read_as_the_language_writes_them(
    language: str, shown: str, typed: str, catalogue_manager: User
) -> None:
    product = make_product(price=Decimal("1234.5"))
    client = choose(catalogue_manager, language)
    assert shown in body(client.get(PRODUCTS))
    address = page("inventory_product_change", product.pk)
    in_the_form = "1234,50" if language != "en-gb" else "1234.50"
    assert f'name="price" value="{in_the_form}"' in body(client.get(address))
    reply = client.post(address, product_form(product, price=typed, change_reason="Sale"))
    assert reply.status_code == 302, reply.context["errors"]
    assert Product.objects.get().price == Decimal("17.90")


@pytest.mark.parametrize(
    ("language", "typed"),
    [("de", "1.234"), ("de", "17.90"), ("de", "1.234,50"), ("fr", "1.234"), ("en-gb", "17,90")],
)
def test_a_number_that_could_be_another_is_refused(
    language: str, typed: str, catalogue_manager: User
) -> None:
    product = make_product(price=10)
    client = choose(catalogue_manager, language)
    address = page("inventory_product_change", product.pk)
    reply = client.post(address, product_form(product, price=typed, change_reason="Sale"))
    assert reply.status_code == 200
    assert "price" in reply.context["adminform"].form.errors
    assert Product.objects.get().price == 10


def test_a_form_that_nobody_touched_changes_nothing_in_any_language(
    catalogue_manager: User,
) -> None:
    product = make_product(price=Decimal("1234.5"), weight=Decimal("0.125"))
    client = choose(catalogue_manager, "de")
    form = client.get(page("inventory_product_change", product.pk)).context["adminform"].form
    assert form["price"].value() == Decimal("1234.5")
    before = Product.history.count()
    sent = product_form(product, price="1234,50", weight="0,125")
    assert client.post(page("inventory_product_change", product.pk), sent).status_code == 302
    assert Product.history.count() == before


def test_dates_are_shown_as_the_language_writes_them(auditor: User) -> None:
    product = make_product()
    change_set = ChangeSet.objects.latest("pk")
    address = page("audit_changeset_change", change_set.pk)
    month = {"de": ".", "fr": " "}
    for language, sign in month.items():
        text = body(choose(auditor, language).get(address))
        assert f"{change_set.at.day}{sign}" in text
    assert product.pk


def test_a_mail_is_in_the_language_of_whoever_gets_it(catalogue_manager: User) -> None:
    Profile.objects.filter(user=catalogue_manager).update(language="de")
    user = User.objects.get(pk=catalogue_manager.pk)
    rows = "".join(f"S-{number},Cup,1\n" for number in range(1234))
    job = bring(f"{HEADER}\n{rows}", user=user, name="preise.csv")
    ImportProgress.objects.create(job=job)
    tell_of_import(job)
    assert send_mails.call() == 1
    (message,) = mail.outbox
    assert message.subject == (
        "preise.csv wurde gelesen: Sehen Sie sich an, was die Datei bewirken würde."
    )
    assert "Neu: 1.234" in message.body
    assert "Sie erfahren dies per E-Mail" in message.body


def test_the_record_says_the_same_whoever_is_at_work(catalogue_manager: User) -> None:
    product = make_product(price=10)
    words = []
    for language, price in (("en-gb", "11.00"), ("de", "12,00"), ("fr", "13,00")):
        client = choose(catalogue_manager, language)
        sent = product_form(product, price=price, change_reason="Sale")
        assert client.post(page("inventory_product_change", product.pk), sent).status_code == 302
        product.refresh_from_db()
        words.append(ChangeSet.objects.latest("pk").action)
    assert words == [f"Product changed: {product}"] * 3
