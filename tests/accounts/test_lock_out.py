"""Guessing passwords is cut short, by address and by client, and is no way to lock others out."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.expressions import RawSQL
from django.test import Client
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from tests.accounts.test_sign_in import FAILURE, SIGN_IN, is_signed_in
from tests.personas import PASSWORD

LOCKED = "Too many sign-ins have failed. Try again in 15 minutes"
Kind = ChangeSet.Kind
WRONG = "not-the-password"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.SIGN_IN_MAX_FAILURES = 3
    settings.SIGN_IN_MAX_FAILURES_PER_ADDRESS = 4
    settings.SIGN_IN_MAX_FAILURES_PER_CLIENT = 5
    settings.SIGN_IN_LOCK_MINUTES = 15


@pytest.fixture
def anna(db: None) -> User:
    return User.objects.create_user("anna@example.com", PASSWORD, is_staff=True)


def attempt(email: str, password: str = WRONG, client: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=client).post(SIGN_IN, {"username": email, "password": password})


def signs_in(email: str, client: str = "192.0.2.1") -> bool:
    browser = Client(REMOTE_ADDR=client)
    browser.post(SIGN_IN, {"username": email, "password": PASSWORD})
    return is_signed_in(browser)


def told(response: Any) -> str:
    return str(response.context["form"].non_field_errors())


def record_past(kind: str, age: timedelta, **facts: Any) -> None:
    """What happened some time ago; the record takes no other time afterwards."""
    ChangeSet.objects.create(
        kind=kind, facts=facts, at=timezone.now() - age, source="admin",
        transaction_id=RawSQL("pg_current_xact_id()", []),
        action="", reason="", actor_name="", request_id="", reference="", database_user="",
    )  # fmt: skip


def test_after_too_many_failures_the_right_password_does_not_help(anna: User) -> None:
    for number in range(3):
        response = attempt(anna.email)
        assert (LOCKED in told(response)) == (number == 2)
    assert not signs_in(anna.email)
    assert LOCKED in told(attempt(anna.email, PASSWORD))


def test_who_guesses_elsewhere_locks_nobody_out(anna: User) -> None:
    for _number in range(9):
        attempt(anna.email, client="192.0.2.66")
    assert not signs_in(anna.email, client="192.0.2.66")
    assert signs_in(anna.email)


def test_one_address_tried_from_many_clients_is_locked_everywhere(anna: User) -> None:
    for number in range(4):
        response = attempt(anna.email, client=f"192.0.2.{number}")
        assert (LOCKED in told(response)) == (number == 3)
    assert not signs_in(anna.email, client="192.0.2.9")


def test_but_not_where_its_owner_signed_in_lately(anna: User) -> None:
    facts = {"email": anna.email, "client": "192.0.2.9"}
    record_past(Kind.SIGN_IN, timedelta(days=29), **facts)
    record_past(Kind.SIGN_IN, timedelta(days=31), **{**facts, "client": "192.0.2.10"})
    for number in range(4):
        attempt(anna.email, client=f"192.0.2.{number}")
    assert signs_in(anna.email, client="192.0.2.9")
    assert not signs_in(anna.email, client="192.0.2.10")
    for _number in range(3):
        attempt(anna.email, client="192.0.2.9")
    assert not signs_in(anna.email, client="192.0.2.9"), "guesses there are as few as anywhere"


def test_a_client_that_is_locked_lets_in_who_belongs_there(anna: User) -> None:
    """A colleague in the same office, or everyone behind a proxy that nobody told us of."""
    assert signs_in(anna.email)
    for number in range(5):
        attempt(f"someone-{number}@example.com")
    assert signs_in(anna.email)
    bert = User.objects.create_user("bert@example.com", PASSWORD, is_staff=True)
    assert not signs_in(bert.email)


def test_one_failure_less_does_no_harm(anna: User) -> None:
    attempt(anna.email)
    attempt(anna.email)
    assert signs_in(anna.email)


@pytest.mark.parametrize("written", ["ANNA@Example.com", " anna@example.com ", "ａnna@example.com"])
def test_an_address_is_one_however_it_is_typed(anna: User, written: str) -> None:
    for _number in range(3):
        attempt(written)
    assert not signs_in(anna.email)


@pytest.mark.parametrize(("clients", "guesses"), [(1, 3), (5, 4)])
def test_nobody_learns_from_it_whether_an_address_is_known(
    anna: User, clients: int, guesses: int
) -> None:
    User.objects.create_user("closed@example.com", PASSWORD, is_staff=True, is_active=False)
    User.objects.create_user("customer@example.com", PASSWORD)
    attempts = [
        (anna.email, "wrong"),
        ("nobody@example.com", "wrong"),
        ("closed@example.com", PASSWORD),
        ("customer@example.com", PASSWORD),
    ]
    answers = {
        tuple(
            told(attempt(email, password, client=f"192.0.{number}.{each % clients}"))
            for each in range(5)
        )
        for number, (email, password) in enumerate(attempts)
    }
    (answer,) = answers
    assert [LOCKED in text for text in answer] == [each + 1 >= guesses for each in range(5)]
    assert FAILURE in answer[0]


def test_a_client_that_tries_many_addresses_is_locked_out_of_all(anna: User) -> None:
    for number in range(5):
        attempt(f"someone-{number}@example.com")
    assert not signs_in(anna.email)
    assert signs_in(anna.email, client="192.0.2.2"), "others go on working"


def test_signing_in_oneself_buys_no_more_guesses_at_others(anna: User) -> None:
    eve = User.objects.create_user("eve@example.com", PASSWORD, is_staff=True)
    for number in range(4):
        attempt(f"someone-{number}@example.com")
    assert signs_in(eve.email)
    attempt("someone-9@example.com")
    assert not signs_in(anna.email)


def test_a_network_of_ipv6_is_one_client(anna: User) -> None:
    for number in range(5):
        attempt(f"someone-{number}@example.com", client=f"2001:db8:1:2::{number}")
    assert not signs_in(anna.email, client="2001:db8:1:2:aaaa::1")
    assert signs_in(anna.email, client="2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("addresses", "elsewhere"),
    [
        (["192.0.2.1:{n}", "192.0.2.1"], "192.0.2.2:1"),
        (["::ffff:192.0.2.1", "192.0.2.1"], "::ffff:192.0.2.2"),
        (["[2001:db8:1:2::{n}]:{n}", "2001:db8:1:2::9"], "[2001:db8:1:3::1]:1"),
    ],
)
def test_a_client_is_one_however_its_address_is_written(
    anna: User, addresses: list[str], elsewhere: str
) -> None:
    for number in range(1, 6):
        attempt(f"someone-{number}@example.com", client=addresses[0].format(n=number))
    assert not signs_in(anna.email, client=addresses[1])
    assert signs_in(anna.email, client=elsewhere)


def test_a_lock_ends_by_itself(anna: User) -> None:
    of_anna = {"locked": "address", "email": anna.email}
    record_past(Kind.LOCK_OUT, timedelta(minutes=14, seconds=30), **of_anna)
    assert "Try again in 1 minute," in told(attempt(anna.email, PASSWORD))
    other = User.objects.create_user("other@example.com", PASSWORD, is_staff=True)
    of_other = {"locked": "address", "email": other.email}
    record_past(Kind.LOCK_OUT, timedelta(minutes=15, seconds=1), **of_other)
    assert signs_in(other.email)


def test_failures_of_long_ago_do_not_count(anna: User) -> None:
    here = {"email": anna.email, "client": "192.0.2.1"}
    for _number in range(9):
        record_past(Kind.SIGN_IN_FAILED, timedelta(minutes=16), **here)
    record_past(Kind.SIGN_IN_FAILED, timedelta(minutes=14), **here)
    attempt(anna.email)
    assert signs_in(anna.email)


def test_a_success_clears_the_address(anna: User) -> None:
    for _round in range(2):
        attempt(anna.email)
        attempt(anna.email)
        assert signs_in(anna.email)


def test_a_new_password_from_an_administrator_lets_them_in_again(anna: User) -> None:
    for number in range(6):
        attempt(anna.email, client=f"192.0.2.{number % 2}")
    assert [not signs_in(anna.email, client=f"192.0.2.{n}") for n in (0, 9)] == [True, True]
    with audit_context(source=Source.ADMIN, reason="Called, and is who she says"):
        anna.set_password("a-quite-different-one")
        anna.save()
    for client in ("192.0.2.0", "192.0.2.9"):
        response = attempt(anna.email, "a-quite-different-one", client=client)
        assert response.status_code == 302


def test_what_is_tried_while_locked_neither_counts_nor_fills_the_record(anna: User) -> None:
    for _number in range(10):
        attempt(anna.email)
    events = ChangeSet.objects.exclude(kind="change").order_by("pk")
    assert [event.kind for event in events] == ["sign_in_failed"] * 3 + ["lock_out"]


def test_the_record_says_who_was_locked_out(anna: User) -> None:
    for _number in range(3):
        attempt("Anna@example.com")
    lock_out = ChangeSet.objects.get(kind=Kind.LOCK_OUT)
    assert lock_out.action == "Locked out after 3 failures: anna@example.com at 192.0.2.1"
    assert lock_out.facts == {
        "locked": "address at client",
        "email": "anna@example.com",
        "client": "192.0.2.1",
        "failures": 3,
    }
    assert (lock_out.client_address, lock_out.actor_id) == ("192.0.2.1", None)
    assert lock_out.reference == f"accounts.user/{anna.pk}"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locking", [True, False])
def test_many_guesses_at_once_are_no_more_than_one_after_the_other(
    locking: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Without the turns that attempts take, the negative control, more get through."""
    settings.SIGN_IN_MAX_FAILURES_PER_CLIENT = 1000
    user = User.objects.create_user("anna@example.com", PASSWORD, is_staff=True)
    checked: list[str] = []
    ready = threading.Barrier(8)

    def check_password(self: User, raw_password: str | None) -> bool:
        checked.append(str(raw_password))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.05)")  # as long as a real hash takes
        return False

    monkeypatch.setattr(User, "check_password", check_password)
    if not locking:
        monkeypatch.setattr("backoffice.accounts.lock_out.Attempt.take_turns", lambda self: None)

    def guess(number: int) -> None:
        try:
            ready.wait(timeout=30)
            attempt(user.email, f"guess-{number}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(checked) == 3) if locking else (len(checked) > 3)


@pytest.mark.parametrize("typed", ["hunter2-my-password", "", "x" * 300 + "@example.com"])
def test_what_is_no_address_may_be_a_password_and_is_not_recorded(db: None, typed: str) -> None:
    attempt(typed)
    for event in ChangeSet.objects.exclude(kind="change"):
        assert event.action == "Sign-in failed for something that is no e-mail address"
        assert event.facts == {"client": "192.0.2.1"}
