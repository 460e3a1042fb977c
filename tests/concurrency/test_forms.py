"""Two people save one form at the same moment: one is told of the other."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from backoffice.console import locking
from inventory.models import Product
from tests.console.pages import page, product_form
from tests.inventory.factories import make_product
from tests.personas import Persona, make_user

from .test_actors import in_threads

ROUNDS = 20
pytestmark = pytest.mark.django_db(transaction=True)


def client_of(persona: Persona) -> Client:
    client = Client()
    client.force_login(make_user(persona))
    return client


def saved_at_once(clients: list[Client], product: Product, round_: int) -> list[int]:
    """Both open the form, then both save it with a name of their own."""
    address = page("inventory_product_change", product.pk)
    forms = [product_form(product, name=f"{round_}-{n}") for n in range(len(clients))]
    barrier = threading.Barrier(len(clients))
    answers: list[int] = []

    def save(client: Client, form: dict[str, Any]) -> None:
        barrier.wait(timeout=30)
        answers.append(client.post(address, form).status_code)

    in_threads(*(lambda c=c, f=f: save(c, f) for c, f in zip(clients, forms, strict=True)))
    return sorted(answers)


def test_one_of_two_is_told_of_the_other() -> None:
    clients = [client_of(Persona.ADMINISTRATOR), client_of(Persona.CATALOGUE_MANAGER)]
    product = make_product()
    for round_ in range(ROUNDS):
        assert saved_at_once(clients, product, round_) == [200, 302]
    assert Product.history.count() == 1 + ROUNDS


def test_without_the_lock_an_edit_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: both compare before either saves, and both are told it was saved."""
    monkeypatch.setattr(locking, "lock_rows", lambda model, keys: list(keys))
    clients = [client_of(Persona.ADMINISTRATOR), client_of(Persona.CATALOGUE_MANAGER)]
    product = make_product()
    outcomes = [saved_at_once(clients, product, round_) for round_ in range(ROUNDS)]
    assert [302, 302] in outcomes
    connection.close()
