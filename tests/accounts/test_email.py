"""One address, one user: by form, by ORM and in the database."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from backoffice.accounts.managers import normalise_email
from backoffice.accounts.models import User


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("Anna@Example.com")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Anna@Example.COM", "anna@example.com"),
        (" anna@example.com\t", "anna@example.com"),
        ("ＡＮＮＡ＠ｅｘａｍｐｌｅ．ｃｏｍ", "anna@example.com"),
        ("STRAẞE@example.com", "strasse@example.com"),
        ("A\u0308nna@example.com", "änna@example.com"),
        ("ﬁnn@example.com", "finn@example.com"),
        # What browsers make of a domain that is not ASCII, and the same as a shell has it.
        ("anna@xn--mller-kva.de", "anna@müller.de"),
        ("Anna@MÜLLER.de", "anna@müller.de"),
        ("anna@xn--strae-oqa.de", "anna@xn--strae-oqa.de"),  # has no other spelling that is its own
        ("anna@xn--.de", "anna@xn--.de"),
        ("xn--a@example.com", "xn--a@example.com"),
        ("", ""),
    ],
)
def test_an_address_has_one_form(typed: str, stored: str) -> None:
    assert normalise_email(typed) == stored
    assert normalise_email(stored) == stored


def test_every_route_of_the_orm_stores_the_one_form(db: None) -> None:
    User.objects.create_user("ONE@example.com")
    User.objects.create(email="TWO@example.com")
    User.objects.bulk_create([User(email="THREE@example.com")])
    User.objects.filter(email="Two@Example.com").update(email="Four@example.com")
    assert list(User.objects.values_list("email", flat=True)) == [
        "four@example.com",
        "one@example.com",
        "three@example.com",
    ]


@pytest.mark.parametrize("lookup", ["email", "email__in"])
def test_a_lookup_knows_the_address_however_it_is_typed(anna: User, lookup: str) -> None:
    typed = "ＡＮＮＡ@EXAMPLE.com"
    assert User.objects.get(**{lookup: [typed] if lookup.endswith("in") else typed}) == anna


def test_the_orm_refuses_a_second_user_of_an_address(anna: User) -> None:
    for make in (
        lambda: User.objects.create_user("ANNA@example.com"),
        lambda: User.objects.bulk_create([User(email="ANNA@example.com")]),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make()
    assert User.objects.count() == 1


def test_validation_refuses_it_with_words(anna: User) -> None:
    with pytest.raises(ValidationError) as refusal:
        User(email="ANNA@example.com", password="x").full_clean()
    assert "email" in refusal.value.message_dict


def test_the_database_refuses_it_in_sql(anna: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (password, is_superuser, first_name, last_name, is_staff,"
            " is_active, date_joined, email, phone) VALUES ('', false, '', '', false, true, now(),"
            " 'ANNA@Example.COM', '')"
        )
    assert User.objects.count() == 1


def test_many_users_may_do_without_a_username(db: None) -> None:
    User.objects.create_user("one@example.com")
    User.objects.create_user("two@example.com")
    assert User.objects.filter(username=None).count() == 2


def test_a_user_needs_an_address(db: None) -> None:
    for blank in ("", "  "):
        with pytest.raises(ValueError, match="e-mail"):
            User.objects.create_user(blank)
    assert not User.objects.exists()
