"""Files as published by others, brought in."""

from pathlib import Path
from typing import Any

from django.db.models import Count

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.models import ImportJob
from backoffice.exchange.read_as import ReadAs
from backoffice.exchange.services import apply_import, start_import
from inventory.models import Product

from .files import counts

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"


def started(name: str, **said: Any) -> ImportJob:
    with (DATA / name).open("rb") as file:
        return start_import(
            resource="products", file=file, file_name=name, user=None, read_as=ReadAs(**said)
        )


def brought(name: str, **said: Any) -> ImportJob:
    """A file brought in and written as far as it is valid; the same file then changes nothing."""
    with audit_context(source=Source.COMMAND, action="test"):
        job = apply_import(job=started(name, **said), reason="x", valid_rows_only=True)
        again = started(name, **said)
    assert counts(again) == (0, 0, job.new, job.invalid)
    return job


def variants() -> dict[str, int]:
    """How many variants each product has, of those that have any."""
    return dict(
        Product.objects.filter(variants__isnull=False)
        .annotate(number=Count("variants"))
        .values_list("sku", "number")
    )


def images(sku: str) -> list[str]:
    found = Product.objects.get(sku=sku).images.order_by("position")
    return [address.rpartition("/")[2] for address in found.values_list("url", flat=True)]


def tags(sku: str) -> list[str]:
    return sorted(Product.objects.get(sku=sku).tags.values_list("name", flat=True))
