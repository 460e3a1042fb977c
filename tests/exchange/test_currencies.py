"""A file in another currency than the shop's comes in at a rate that is on the record."""

from decimal import Decimal

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.models import ChangeSet
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.console.pages import page, signed_in

from .choosing import brought, step
from .files import bring, cells, counts, problems
from .pages import text_of, the_page, upload

pytestmark = pytest.mark.django_db

DOLLARS = "sku,name,price,cost\nA,Cup,USD 10.99,5.00 USD\nB,Mug,$3,\n"


@pytest.fixture
def manager(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("USD 10.99", "10.11"),
        ("10.99 USD", "10.11"),
        ("$1,000.00", "920.00"),
        ("-$2", "-1.84"),
        ("12.50", "12.50"),
        ("€ 12.50", "12.50"),
        ("GBP 3", "in another currency"),
    ],
)
@pytest.mark.usefixtures("at_work")
def test_what_says_the_currency_is_converted_and_nothing_else(cell: str, price: str) -> None:
    job = brought(
        f'sku,name,price\nA,a,"{cell}"\n',
        transformations={"price": [step("convert", "USD", "0.92")]},
    )
    found = [message for *_rest, message in problems(job)]
    assert (price in found[0]) if found and "currency" in price else cells(job)[0]["Price"] == price


@pytest.mark.usefixtures("at_work")
def test_the_currency_is_named_only_where_it_is_one_throughout() -> None:
    assert bring("sku,name,price\nA,a,USD 1\nB,b,USD 2\n").summary["currency"] == "USD"
    assert bring("sku,name,price\nA,a,1 GBP\nB,b,2\n").summary["currency"] == "GBP"
    assert bring("sku,name,price\nA,a,USD 1\nB,b,GBP 2\n").summary["currency"] == ""
    assert bring("sku,name,price\nA,a,1\n").summary["currency"] == ""


def test_the_rate_is_typed_on_the_page_and_stays_on_the_record(manager: Client) -> None:
    upload(manager, "sku,name,price,cost\nA,Cup,USD 10.99,5.00 USD\nB,Mug,USD 3,\n")
    job = ImportJob.objects.get()
    assert counts(job) == (0, 0, 0, 2)
    assert "The amounts are in USD" in text_of(the_page(manager, job))
    for wrong in ("", "x", "0", "-1"):
        response = manager.post(page("exchange_importjob_rate", job.pk), {"rate": wrong})
        assert response.context["rate_form"].errors, wrong
    manager.post(page("exchange_importjob_rate", job.pk), {"rate": "0,92"})
    job.refresh_from_db()
    assert counts(job) == (2, 0, 0, 0)
    assert "The amounts are in" not in text_of(the_page(manager, job))
    sent = {"reason": "New range", "plan": job.summary["plan"]}
    manager.post(page("exchange_importjob_apply", job.pk), sent)
    found = Product.objects.order_by("sku").values_list("price", "cost")
    assert list(found) == [(Decimal("10.11"), Decimal("4.60")), (Decimal("2.76"), None)]
    job.refresh_from_db()
    assert ChangeSet.objects.get(import_jobs=job).action == (
        "Products: import of march.csv (1 USD = 0.92 EUR)"
    )


def test_nobody_else_gives_a_rate(manager: Client, auditor: User) -> None:
    upload(manager, DOLLARS)
    job = ImportJob.objects.get()
    response = signed_in(auditor).post(page("exchange_importjob_rate", job.pk), {"rate": "1"})
    assert response.status_code == 403
    assert ImportJob.objects.get().transformations == {}
