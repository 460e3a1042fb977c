"""Signing in: by e-mail address however it is typed, and by nothing else."""

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from tests.personas import PASSWORD

SIGN_IN = "/admin/login/"
FAILURE = "This e-mail address and password do not open an account here."


def sign_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(SIGN_IN, {"username": email, "password": password, "next": "/admin/"})
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("änna@example.com", PASSWORD, username="anna", is_staff=True)


@pytest.mark.parametrize(
    "typed",
    [
        "änna@example.com",
        "ÄNNA@Example.COM",
        "  Änna@example.com  ",
        "A\u0308nna@example.com",  # the dots as a character of their own
        "änna＠ｅｘａｍｐｌｅ．ｃｏｍ",  # full-width letters
    ],
)
def test_an_address_opens_the_account_however_it_is_typed(anna: User, typed: str) -> None:
    assert is_signed_in(sign_in(typed))


@pytest.mark.parametrize("typed", ["anna", "ANNA", str(1), "", "anna@example.com"])
def test_nothing_but_the_address_is_a_key(anna: User, typed: str) -> None:
    assert not is_signed_in(sign_in(typed))


def test_a_domain_that_is_not_ascii_is_known_as_browsers_send_it(db: None) -> None:
    User.objects.create_user("anna@müller.de", PASSWORD, is_staff=True)
    assert is_signed_in(sign_in("anna@xn--mller-kva.de"))


def test_whoever_opens_the_page_itself_lands_in_the_back_office(administrator: User) -> None:
    data = {"username": administrator.email, "password": PASSWORD}
    response = Client().post(SIGN_IN, data)
    assert response["Location"] == "/admin/"


def test_a_username_that_looks_like_the_address_of_another_opens_neither(anna: User) -> None:
    User.objects.create_user("eve@example.com", "her-own-word", username="änna@example.com")
    assert authenticate(username="änna@example.com", password="her-own-word") is None
    assert authenticate(username="änna@example.com", password=PASSWORD) == anna


def test_a_failure_says_the_same_whoever_it_was(anna: User) -> None:
    User.objects.create_user("closed@example.com", PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("customer@example.com", PASSWORD)
    attempts = [
        ("änna@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("closed@example.com", PASSWORD),
        ("customer@example.com", PASSWORD),
    ]
    pages = set()
    for email, password in attempts:
        response = Client().post(SIGN_IN, {"username": email, "password": password})
        page = response.content.decode()
        assert FAILURE in page
        pages.add(str(response.context["form"].non_field_errors()))
    assert len(pages) == 1


def test_the_page_asks_for_an_email_address(db: None) -> None:
    page = Client().get(SIGN_IN).content.decode()
    assert "E-mail address" in page
    field = page[page.index('name="username"') - 100 :]
    field = field[field.index("<input") if "<input" in field[:100] else 0 :].split(">")[0]
    assert 'type="email"' in field
    assert "autofocus" in field
    assert 'autocomplete="username"' in field


def test_a_page_asks_the_stranger_to_sign_in_and_leads_on(anna: User) -> None:
    page = reverse("admin:accounts_user_changelist")
    response = Client().get(page)
    assert response.status_code == 302
    assert response["Location"] == f"{SIGN_IN}?next={page}"


def test_deactivation_ends_the_sessions_at_the_next_request(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    assert client.get("/admin/").status_code == 200
    User.objects.filter(pk=administrator.pk).update(is_active=False)
    response = client.get("/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith(SIGN_IN)


def test_losing_the_back_office_ends_the_way_in(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    User.objects.filter(pk=administrator.pk).update(is_staff=False)
    assert client.get("/admin/").status_code == 302


def test_changing_ones_own_password_ends_the_other_sessions_only(administrator: User) -> None:
    here, elsewhere = Client(), Client()
    here.force_login(administrator)
    elsewhere.force_login(administrator)
    new = "a-quite-different-one"
    response = here.post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert response.status_code == 302
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302
    assert is_signed_in(sign_in(administrator.email, new))
    assert not is_signed_in(sign_in(administrator.email, PASSWORD))
