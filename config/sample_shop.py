"""The sample shop of `manage.py demo`: its people and its catalogue, each made only if missing."""

import csv
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection, transaction

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.audit.context import audit_context
from backoffice.exchange.services import import_file
from inventory.models import Category, Discount, Product, ProductImage, Tag

FIXTURES = settings.BASE_DIR / "fixtures"
# Published in README.md, which is why the demo runs only where DEMO_ALLOWED says so.
PASSWORD = "open-the-stockbook"  # noqa: S105 - no secret


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody of the sample shop, who signs in with PASSWORD."""

    email: str
    first_name: str
    last_name: str
    job_title: str
    role: RoleName


PEOPLE = (
    Person(
        email="administrator@stockbook.example",
        first_name="Helen",
        last_name="Ashworth",
        job_title="Owner",
        role=RoleName.ADMINISTRATOR,
    ),
    Person(
        email="catalogue@stockbook.example",
        first_name="Tomás",
        last_name="Rivera",
        job_title="Buyer",
        role=RoleName.CATALOGUE_MANAGER,
    ),
    Person(
        email="warehouse@stockbook.example",
        first_name="Grace",
        last_name="Okafor",
        job_title="Warehouse lead",
        role=RoleName.WAREHOUSE,
    ),
    Person(
        email="orders@stockbook.example",
        first_name="Jonas",
        last_name="Lindqvist",
        job_title="Customer service",
        role=RoleName.ORDER_DESK,
    ),
    Person(
        email="auditor@stockbook.example",
        first_name="Priya",
        last_name="Raman",
        job_title="Accountant",
        role=RoleName.AUDITOR,
    ),
)


def is_somebody_elses_database() -> bool:
    """Whether people work here of whom none is of the sample shop."""
    if User._meta.db_table not in connection.introspection.table_names():
        return False
    emails = [person.email for person in PEOPLE]
    return User.objects.exists() and not User.objects.filter(email__in=emails).exists()


def make_people() -> list[User]:
    """Make who is missing, and return them all in the order of PEOPLE."""
    with (
        transaction.atomic(),
        audit_context(action="Sample shop: people", reason="One person for each role"),
    ):
        return [_make_person(person) for person in PEOPLE]


def _make_person(person: Person) -> User:
    if found := User.objects.filter(email=person.email).first():
        return found
    user = User.objects.create_user(
        person.email,
        PASSWORD,
        first_name=person.first_name,
        last_name=person.last_name,
        is_staff=True,
    )
    user.groups.add(Group.objects.get(name=person.role.value))
    user.profile.job_title = person.job_title
    user.profile.save(update_fields=["job_title"])
    return user


def still_signs_in(user: User) -> bool:
    """Whether the published password is still this user's; asking changes nothing."""
    return user.is_active and check_password(PASSWORD, user.password)


def fill_catalogue(*, actor: User) -> bool:
    """Bring in what the catalogue never had, and return whether that was anything.

    The record tells: an interrupted first run is completed by the next, and what people changed
    or deleted since stays as they left it.
    """
    came = False
    if not any(model.history.exists() for model in (Category, Tag, Discount)):
        with audit_context(action="Sample shop: categories, tags and discounts", actor=actor):
            tables = sorted(str(path) for path in FIXTURES.glob("*.json"))
            call_command("loaddata", *tables, verbosity=0)
        came = True
    if not Product.history.exists():
        import_file(
            resource="products",
            path=FIXTURES / "products.csv",
            user=actor,
            reason="The first catalogue of the sample shop",
        )
        came = True
    if not ProductImage.history.exists():
        with (
            transaction.atomic(),
            audit_context(action="Sample shop: pictures", actor=actor),
        ):
            _hang_pictures()
        came = True
    return came


def _hang_pictures() -> None:
    with (FIXTURES / "images.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    products = {product.sku: product for product in Product.objects.only("sku")}
    ProductImage.objects.bulk_create(
        ProductImage(product=products[row["sku"]], url=row["url"], alt_text=row["alt_text"])
        for row in rows
        # A product that was deleted before its picture came needs none.
        if row["sku"] in products
    )
