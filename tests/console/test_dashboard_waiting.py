"""The dashboard while something takes long to count: it is shown, and the figure comes later."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.console.dashboard import Attention, cards, page, registry
from inventory.models import Product
from tests.console.pages import signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db

SLOW = "slow product"


@pytest.fixture(autouse=True)
def _costly(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Attention(
        name="slow",
        title="slow product%.0s",
        icon="hourglass",
        model=Product,
        rows=lambda rows: rows.extra(where=["pg_sleep(0.3) IS NOT NULL"]),
        patience=cards.UNHURRIED,
    )
    monkeypatch.setitem(registry.cards, card.name, card)
    monkeypatch.setattr(page, "PATIENCE", 100)


def slow(client: Client, query: str = "") -> tuple[Any, str]:
    """The figure of the costly card, and the page."""
    response = client.get(f"/admin/{query}")
    context: Any = response.context
    (figure,) = (each for each in context["figures"] if each.title == SLOW)
    return figure, response.text


def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    now = time.time() + cards.UNHURRIED + 1
    return lambda: monkeypatch.setattr(time, "time", lambda: now)


def test_what_takes_long_to_count_comes_by_a_second_request(administrator: User) -> None:
    make_product()
    client = signed_in(administrator)
    figure, text = slow(client)
    assert figure.value is None
    assert "being counted" in text
    assert 'hx-get="/admin/?in_full"' in text
    assert "Nothing needs your attention." not in text

    figure, text = slow(client, "?in_full")
    assert figure.value == 1
    assert 'hx-get="/admin/?in_full"' not in text
    assert slow(client)[0].value == 1


def test_an_old_figure_is_shown_with_its_time_until_it_is_counted_anew(
    administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product()
    client = signed_in(administrator)
    assert slow(client, "?in_full")[0].since is None
    make_product()
    later(monkeypatch)()
    figure, text = slow(client)
    assert (figure.value, figure.since is None) == (1, False)
    assert "as of" in text
    assert 'hx-get="/admin/?in_full"' in text
    figure, _text = slow(client, "?in_full")
    assert (figure.value, figure.since) == (2, None)


def test_other_figures_are_there_at_once(administrator: User) -> None:
    make_product(price=0)
    context: Any = signed_in(administrator).get("/admin/").context
    shown = {figure.title: figure.value for figure in context["figures"]}
    assert shown["product without a price"] == 1
