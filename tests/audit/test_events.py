"""What happens besides changes is on the record, as permanent as they are."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.events import (
    MOST_REFUSALS,
    keeping_events,
    record_event,
    record_refusal,
    recorded_export,
)
from backoffice.audit.middleware import AuditMiddleware
from backoffice.audit.models import ChangeSet
from tests.console.pages import PRODUCTS, act, page, signed_in
from tests.exchange.pages import export_form
from tests.inventory.factories import make_category, make_product
from tests.personas import PASSWORD

pytestmark = pytest.mark.django_db

Kind = ChangeSet.Kind
SIGN_IN = "/admin/login/"


def events(*kinds: str) -> list[ChangeSet]:
    found = ChangeSet.objects.exclude(kind=Kind.CHANGE).order_by("pk")
    return list(found.filter(kind__in=kinds) if kinds else found)


# Coming and going


def test_signing_in_and_out(warehouse: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1  # whose request ids are believed
    client = Client(REMOTE_ADDR="192.0.2.1", headers={"x-request-id": "request-0001"})
    client.post(SIGN_IN, {"username": "WALT@stockbook.test", "password": PASSWORD})
    client.post(reverse("admin:logout"))
    signed_in, signed_out = events()
    assert (signed_in.kind, signed_in.action) == ("sign_in", "Signed in")
    assert signed_in.facts == {"email": warehouse.email, "client": "192.0.2.1"}
    assert (signed_out.kind, signed_out.action) == ("sign_out", "Signed out")
    for event in (signed_in, signed_out):
        assert (event.actor_id, event.who) == (
            warehouse.pk,
            "Walt Warehouse <walt@stockbook.test>",
        )
        assert (event.source, event.client_address) == ("admin", "192.0.2.1")
        assert event.request_id == "request-0001"


def test_a_failed_sign_in_names_the_address_and_never_the_password(warehouse: User) -> None:
    for email in ("Walt@Stockbook.test", "nobody@example.com"):
        Client().post(SIGN_IN, {"username": email, "password": "my-secret-word"})
    known, unknown = events()
    assert known.action == "Sign-in failed for walt@stockbook.test"
    assert known.reference == f"accounts.user/{warehouse.pk}"
    assert unknown.action == "Sign-in failed for nobody@example.com"
    assert unknown.reference == ""
    for event in (known, unknown):
        assert (event.actor_id, event.who) == (None, "somebody unknown")
        assert "my-secret-word" not in repr(vars(event))


def test_the_right_password_without_the_back_office_is_a_failure_too(db: None) -> None:
    User.objects.create_user("customer@example.com", PASSWORD)
    Client().post(SIGN_IN, {"username": "customer@example.com", "password": PASSWORD})
    assert [event.kind for event in events()] == ["sign_in_failed"]


def test_a_program_that_signs_somebody_in_leaves_no_event(warehouse: User) -> None:
    Client().force_login(warehouse)
    assert authenticate(username=warehouse.email, password="wrong") is None
    assert events() == []


# Passwords


def test_a_new_password_is_an_event_whoever_sets_it(
    administrator: User, warehouse: User, settings: Any
) -> None:
    new = "a-quite-different-one"
    signed_in(administrator).post(
        f"/admin/accounts/user/{warehouse.pk}/password/", {"password1": new, "password2": new}
    )
    signed_in(administrator).post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    User.objects.filter(pk=warehouse.pk).update(password="!")
    others, own, by_sql = events()
    assert {event.kind for event in (others, own, by_sql)} == {"password"}
    assert others.action == by_sql.action == f"Password changed: {warehouse.email}"
    assert own.action == "Own password changed"
    assert others.actor_id == own.actor_id == administrator.pk
    assert (by_sql.source, by_sql.actor_id) == ("sql", None)
    assert others.facts == {"email": warehouse.email}
    assert others.reference == f"accounts.user/{warehouse.pk}"


def test_a_better_hash_of_the_same_password_is_no_new_one(warehouse: User, settings: Any) -> None:
    old = warehouse.password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    Client().post(SIGN_IN, {"username": warehouse.email, "password": PASSWORD})
    warehouse.refresh_from_db()
    assert warehouse.password != old
    assert [event.kind for event in events()] == ["sign_in"]


def test_a_password_that_is_rolled_back_was_never_changed(warehouse: User) -> None:
    with transaction.atomic():
        warehouse.set_password("x")
        warehouse.save()
        transaction.set_rollback(True)
    assert events() == []


# What is refused


def test_what_somebody_may_not_do_is_on_the_record(warehouse: User) -> None:
    product = make_product()
    client = signed_in(warehouse)
    address = page("inventory_product_delete", product.pk)
    assert client.post(address, {"post": "yes"}).status_code == 403
    assert act(client, "delete_selected", [product]).status_code == 403
    first, second = events()
    assert (first.kind, first.action) == ("refused", f"Refused: POST {address}")
    assert first.facts == {"method": "POST", "path": address}
    assert (first.actor_id, second.facts["path"]) == (warehouse.pk, PRODUCTS)


def test_a_form_without_its_token_is_refused_too(warehouse: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(warehouse)
    assert client.post(PRODUCTS, {"action": "x"}).status_code == 403
    assert [event.facts["path"] for event in events()] == [PRODUCTS]


def test_what_is_not_there_and_who_did_not_sign_in_are_no_refusals(warehouse: User) -> None:
    assert signed_in(warehouse).get("/admin/nothing/here/").status_code == 404
    assert Client().get(PRODUCTS).status_code == 302
    assert events() == []


def test_nobody_floods_the_record_with_refusals(warehouse: User, order_desk: User) -> None:
    client = signed_in(warehouse)
    for _number in range(3):
        client.get("/admin/audit/changeset/")
    assert len(events()) == 1
    for number in range(2 * MOST_REFUSALS):
        with audit_context(source=Source.ADMIN, actor=warehouse):
            record_refusal(method="GET", path=f"/admin/{number}/")
    assert len(events()) == MOST_REFUSALS
    signed_in(order_desk).get("/admin/audit/changeset/")
    assert len(events()) == MOST_REFUSALS + 1, "others are still on the record"


# Exports


def test_an_export_says_what_left_the_house(catalogue_manager: User) -> None:
    for sku in ("A-1", "A-2"):
        make_product(sku=sku, brand="Acme", category=make_category("Audio"))
    make_product(brand="Other")
    client = signed_in(catalogue_manager)
    asked = client.get(page("inventory_product_export") + "?brand=acme&o=1")
    response: Any = client.post(page("inventory_product_export"), export_form(asked))
    assert events() == [], "nothing has left yet"
    content = response.getvalue()
    (event,) = events()
    assert (event.kind, event.action) == ("export", "Exported 2 products")
    assert (event.actor_id, event.source) == (catalogue_manager.pk, "admin")
    assert event.facts["resource"] == "products"
    assert event.facts["filter"] == {"brand": "acme", "o": "1"}
    assert event.facts["format"] == "csv"
    assert event.facts["columns"][:3] == ["sku", "name", "slug"]
    assert event.facts["rows"] == 2
    assert event.facts["bytes"] == len(content)
    assert event.facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert event.facts["complete"] is True


def test_selected_rows_are_an_export_as_well(catalogue_manager: User) -> None:
    product = make_product()
    client = signed_in(catalogue_manager)
    asked = act(client, "export_selected", [product])
    assert events() == [], "nothing has left yet"
    response: Any = client.post(page("inventory_product_export"), export_form(asked))
    response.getvalue()
    (event,) = events()
    assert event.facts["filter"] == {"selected": 1}


def test_a_download_that_is_cut_off_is_told_with_what_was_sent(catalogue_manager: User) -> None:
    def blocks() -> Iterator[tuple[int, bytes]]:
        for number in range(10):
            yield 100, b"x" * (number + 1)

    with audit_context(source=Source.ADMIN, actor=catalogue_manager):
        stream = recorded_export(blocks(), what="products", facts={})  # type: ignore[arg-type]
    assert [next(stream), next(stream), next(stream)] == [b"x", b"xx", b"xxx"]
    stream.close()  # type: ignore[attr-defined]
    (event,) = events()
    assert event.action == "Export of products cut off"
    assert (event.facts["rows"], event.facts["bytes"]) == (300, 6)
    assert event.facts["sha256"] == hashlib.sha256(b"xxxxxx").hexdigest()
    assert event.facts["complete"] is False
    assert event.actor_id == catalogue_manager.pk


def test_an_export_that_fails_half_way_is_told_too() -> None:
    def blocks() -> Iterator[tuple[int, bytes]]:
        yield 1, b"x"
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute("SELECT 1/0")

    with pytest.raises(DatabaseError):
        list(recorded_export(blocks(), what="products", facts={}))  # type: ignore[arg-type]
    (event,) = events()
    assert event.facts["complete"] is False


def test_the_command_is_on_the_record_with_its_filter(tmp_path: Any) -> None:
    make_product(brand="Acme")
    file = tmp_path / "out.csv"
    with audit_context(source=Source.COMMAND, actor_name="nightly (system)"):
        call_command("export_file", "products", str(file), "--filter", "brand=Acme")
    (event,) = events()
    assert (event.source, event.who) == ("command", "nightly (system)")
    assert event.facts["filter"] == {"brand": "Acme"}
    assert event.facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


# Permanence


def test_an_event_survives_the_roll_back_of_its_request(catalogue_manager: User) -> None:
    def view(request: Any) -> HttpResponse:
        with transaction.atomic():
            record_event(kind=Kind.REFUSED, action="first")
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1/0")
            except DatabaseError:
                # The transaction takes no statement any more.
                record_event(kind=Kind.REFUSED, action="second", facts={"a": ["\0b"]})
            transaction.set_rollback(True)
        record_event(kind=Kind.REFUSED, action="third")
        return HttpResponse()

    request = RequestFactory().get("/x/")
    request.user = catalogue_manager
    AuditMiddleware(view)(request)
    assert sorted(event.action for event in events()) == ["first", "second", "third"]
    assert {event.actor_id for event in events()} == {catalogue_manager.pk}
    assert ChangeSet.objects.get(action="second").facts == {"a": ["b"]}


def test_an_event_of_a_request_that_raises_survives_too() -> None:
    @transaction.atomic
    def view(request: Any) -> HttpResponse:
        record_event(kind=Kind.REFUSED, action="tried")
        raise RuntimeError

    with pytest.raises(RuntimeError), keeping_events():
        view(None)
    assert [event.action for event in events()] == ["tried"]


def test_outside_of_a_request_an_event_shares_the_fate_of_its_transaction() -> None:
    with transaction.atomic():
        record_event(kind=Kind.EXPORT, action="undone")
        transaction.set_rollback(True)
    record_event(kind=Kind.EXPORT, action="kept")
    (event,) = events()
    assert (event.action, event.source) == ("kept", "shell")
    assert event.database_user == "postgres"
    assert event.transaction_id > 0


@pytest.mark.parametrize("statement", ["UPDATE audit_changeset SET action = ''", "DELETE FROM"])
def test_events_cannot_be_changed_or_deleted(statement: str) -> None:
    record_event(kind=Kind.SIGN_IN, action="Signed in")
    statement = statement if "SET" in statement else "DELETE FROM audit_changeset"
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_event_stands_on_the_timeline(auditor: User) -> None:
    Client().post(SIGN_IN, {"username": "nobody@example.com", "password": "x"})
    text = signed_in(auditor).get("/admin/audit/changeset/").text
    assert "Sign-in failed for nobody@example.com" in text
    assert "E-mail address" in text


def test_a_change_of_a_role_reads_well(administrator: User, auditor: User) -> None:
    role = Group.objects.create(name="Helpers")
    names = ("view_cost", "view_historicalproduct")
    with audit_context(source=Source.ADMIN, action="Role changed", reason="They help"):
        role.permissions.set(Permission.objects.filter(codename__in=names))
    text = signed_in(auditor).get("/admin/audit/changeset/").text
    assert "Helpers · View cost" in text
    assert "Helpers · View history of product" in text
