"""The dashboard where nothing is counted in time: it is filled in by itself."""

import pytest
from playwright.sync_api import expect

from backoffice.console.dashboard import page as dashboard
from tests.inventory.factories import make_product
from tests.journeys.conftest import Visitor
from tests.personas import Persona

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_was_not_counted_in_time_comes_by_itself_and_is_drawn(
    visitors: list[Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "PATIENCE", 0)
    make_product(sku="KE-1", name="Kettle")
    manager, _ = visitors
    page = manager.sign_in(Persona.CATALOGUE_MANAGER)
    expect(page.get_by_role("link", name="1 product without an image")).to_be_visible()
    expect(page.get_by_text("being counted")).to_have_count(0)
    page.wait_for_function(
        "() => Chart.getChart(document.querySelector('[data-chart=\"products-added\"] canvas'))"
    )
