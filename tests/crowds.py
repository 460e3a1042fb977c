"""Many rows of everything that pages list, for what must not grow with their number."""

from typing import Any

from backoffice.accounts.models import Role, User
from backoffice.audit.context import Source, audit_context
from backoffice.console.models import SavedView
from backoffice.exchange.models import ExportJob, ImportFeed, ImportJob, ImportProfile
from inventory.models import Category, Discount, Product, ProductImage, ProductTag, Tag


def make_crowd(number: int, *, objects: dict[str, Any], user: User) -> None:
    """So many rows of each kind, and as many that hang on each of `objects`."""
    numbers = range(number)
    with audit_context(source=Source.COMMAND, action="A crowd", actor=user, reason="test"):
        _make_catalogue(numbers, objects)
        _make_exchange(numbers, objects, user)
        people = User.objects.bulk_create(
            User(email=f"crowd{n}@stockbook.test", username=f"crowd{n}", first_name=f"Crowd {n}")
            for n in numbers
        )
        roles = [Role.objects.create(name=f"Crowd {n}") for n in numbers[:50]]
        for n, person in enumerate(people):
            person.groups.add(roles[n % len(roles)].pk)
        SavedView.objects.bulk_create(
            SavedView(name=f"View {n}", model="inventory.category", user=user) for n in numbers
        )
    # Each a change set of its own; so many that the first page has nothing else, for few rows too.
    for n in range(60):
        with audit_context(source=Source.COMMAND, action=f"Crowd {n}", actor=user, reason="test"):
            Product.objects.filter(pk=objects["product"].pk).update(price=n + 20)


def _make_catalogue(numbers: range, objects: dict[str, Any]) -> None:
    product, tag = objects["product"], objects["tag"]
    categories = Category.objects.bulk_create(
        Category(name=f"Crowd {n}", parent=objects["category"]) for n in numbers
    )
    tags = Tag.objects.bulk_create(Tag(name=f"Crowd {n}") for n in numbers)
    discounts = Discount.objects.bulk_create(Discount(name=f"Crowd {n}", value=5) for n in numbers)
    products = Product.objects.bulk_create(
        Product(
            sku=f"C-{n}", name=f"Crowd {n}", price=n + 10, category=categories[n],
            discount=discounts[n], brand=f"Brand {n}", barcode=f"40{n:08}",
            variant_of=product if n % 2 else None,
        )
        for n in numbers
    )  # fmt: skip
    links = [ProductTag(product=each, tag=tag) for each in products]
    links += [ProductTag(product=product, tag=each) for each in tags[:200]]
    ProductTag.objects.bulk_create(links)
    images = [ProductImage(product=each, url="/a.png") for each in products[::2]]
    images += [ProductImage(product=product, url=f"/{n}.png") for n in numbers[:200]]
    ProductImage.objects.bulk_create(images)


def _make_exchange(numbers: range, objects: dict[str, Any], user: User) -> None:
    profiles = ImportProfile.objects.bulk_create(
        ImportProfile(name=f"Crowd {n}", resource="products", user=user) for n in numbers
    )
    feeds = ImportFeed.objects.bulk_create(
        ImportFeed(
            name=f"Crowd {n}", profile=profiles[n], location=f"https://a.example/{n}.csv",
            every="day", user=user, reason="Crowd",
        )
        for n in numbers
    )  # fmt: skip
    ImportJob.objects.bulk_create(
        ImportJob(
            user=user, resource="products", file_name=f"{n}.csv", size=1, profile=profiles[n],
            feed=feeds[n],
        )
        for n in numbers
    )  # fmt: skip
    ExportJob.objects.bulk_create(
        ExportJob(user=user, resource="products", format="csv") for n in numbers
    )
