"""`make bench ARGS=pages`: the console's pages over 1,000 and over 1,000,000 products.

Beside them stands the stock Unfold ModelAdmin, with search_fields, on the same tables.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import unfold.admin
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName
from backoffice.console.models import SavedView
from inventory.models import Category, Product, Tag
from tests.bench.catalogue_data import fill

# What a page of many products may cost, as a multiple of the same page of few; and an answer of the
# palette, in ms. How long the dashboard takes goes by what there is to be told.
WITHIN = 1.3
ANSWERED = 100
RUNS = 5
LIST = "inventory_product_changelist"


@dataclass(frozen=True)
class Cost:
    work: float  # in ms of a processor, the page's and its database's; the best of several runs
    page: float  # in ms by the clock, which other work on the machine lengthens, of the same run
    database: float  # of that in the database
    rows: int = 0  # that a list shows


class Stock(unfold.admin.ModelAdmin):
    """What one would write without the console: the same columns, searched by Django's own."""

    list_display = ["name", "sku", "price", "cost", "is_active", "category", "updated_at"]
    list_filter = ["is_active", "is_featured", "tax_class"]
    list_select_related = ["category"]
    search_fields = ["sku", "name", "brand", "barcode"]
    ordering = ["name", "id"]
    list_per_page = 50


def pages() -> None:
    """In a database of its own. Takes eight minutes; a second argument makes it smaller."""
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    with connection.cursor() as cursor:
        # One process does the database's work, and so it is known how much that is.
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    try:
        measure_pages(say, many=many)
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def measure_pages(say: Callable[[str], None], few: int = 1_000, many: int = 1_000_000) -> None:
    """Open the pages with few products, then with many; each is told once it is measured."""
    fill(few)
    user = _catalogue_manager()
    say(f"\npages with {few:,} products, in ms of a processor (by the clock, in the database)")
    before = {}
    for name, cost in _costs(user):
        before[name] = cost
        say(f"  {name:<34}{cost.work:8.1f} ({cost.page:7.1f}, {cost.database:6.1f})")
    say(f"filling up to {many:,} products ...")
    started = time.perf_counter()
    fill(many)
    say(f"... in {time.perf_counter() - started:.0f} s")
    cache.clear()
    say(
        f"\npages with {many:,} products after those with {few:,}; to be reached: {WITHIN} x, "
        f"and {ANSWERED} ms in the palette"
    )
    say("* has fewer rows there, and is compared with the list, which has as many as here")
    above = [name for name, cost in _costs(user) if _is_above(say, name, before, cost)]
    say(f"\nabove what is to be reached: {', '.join(above) or 'none'}")


def _is_above(say: Callable[[str], None], name: str, before: dict[str, Cost], cost: Cost) -> bool:
    """Whether a page costs more than it may; it is told anyway."""
    fewer = not name.startswith("stock Unfold") and before[name].rows < cost.rows
    of_few = before["list" if fewer else name].work
    if name.startswith("palette"):
        above = cost.work > ANSWERED
    else:
        above = cost.work / of_few > WITHIN and not name.startswith(("stock Unfold", "dashboard"))
    say(
        f"  {name:<34}{of_few:8.1f}{'*' if fewer else ' '}{cost.work:8.1f} "
        f"({cost.page:7.1f}, {cost.database:6.1f}){cost.work / of_few:7.2f} x"
        f"{'  above' if above else ''}"
    )
    return above


def _catalogue_manager() -> User:
    user, made = User.objects.get_or_create(
        email="bench@stockbook.test", defaults={"username": "bench", "is_staff": True}
    )
    if made:
        user.groups.add(Group.objects.get(name=RoleName.CATALOGUE_MANAGER.value))
        SavedView.objects.create(
            user=user, model="inventory.product", name="Dear", query="o=-price_now&price_from=900"
        )
    return user


def _costs(user: User) -> Iterator[tuple[str, Cost]]:
    client = Client()
    client.force_login(user)
    pages = addresses(client, user)
    for name, address in pages.items():
        yield name, _cost(partial(_opened, client, address))
    stock = Stock(Product, UnfoldAdminSite(name="admin"))
    for name, query in stock_queries().items():
        yield f"stock Unfold: {name}", _cost(partial(_stock_page, stock, user, query))


def addresses(client: Client, user: User) -> dict[str, str]:
    """What staff do all day."""
    listed = reverse(f"admin:{LIST}")
    some = Product.objects.get(sku="SKU-0000777")
    category = Category.objects.filter(parent__isnull=False).earliest("pk")
    view = SavedView.objects.get(user=user)
    queries = {
        "list": "",
        "list, a category": f"category__id__exact={category.pk}",
        "list, a tag": f"tags__id__exact={Tag.objects.earliest('pk').pk}",
        "list, a brand": "brand=nordhaus",
        "list, prices from and to": "price_from=50&price_to=60",
        "list, inactive": "is_active__exact=0",
        "list, without image": "without=image",
        "list, without category": "without=category",
        "list, without price": "without=price",
        "list, without cost": "without=cost",
        "list, without description": "without=description",
        "list, variants only": "variants=only",
        "list, dearest first": "o=-price_now",
        "list, changed last": "o=changed",
        "search, many hits": "q=kettle",
        "search, two words": "q=leather kettle",
        "search, one hit": "q=SKU-0000777",
        "search, mistyped": "q=blutooth ketle",
        "search, nothing": "q=xylophone",
        "search, an exact barcode": f"q={some.barcode}",
        "saved view": f"view={view.pk}&{view.query}",
        "columns": "cols=product,brand,barcode,tax_class,weight_now,added,changed",
    }
    pages = {name: f"{listed}?{query}" for name, query in queries.items()}
    pages["deep page"] = _far(client, listed)
    pages["deep page of a search"] = _far(client, f"{listed}?q=kettle")
    for name in ("change", "timeline", "history", "as_of"):
        pages[f"product, {name.replace('_', ' ')}"] = reverse(
            f"admin:inventory_product_{name}", args=[some.pk]
        )
    pages["add"] = reverse("admin:inventory_product_add")
    for name in ("import", "export"):
        pages[name] = reverse(f"admin:inventory_product_{name}")
    typed = {
        "a code": some.sku, "a word": "kettle", "mistyped": "ketle",
        "two mistyped words": "blutooth ketle",
    }  # fmt: skip
    for name, term in typed.items():
        pages[f"palette, {name}"] = reverse("admin:search") + f"?s={term}"
    pages["dashboard"] = reverse("admin:index")
    return pages


def _far(client: Client, address: str) -> str:
    """The page before the last, as one gets there: from the end a page back, if it goes on."""
    joint = "&" if "?" in address else "?"
    changelist = _listed(client, address)
    if not changelist.goes_on:
        return f"{address}{joint}p={changelist.paginator.num_pages}"
    last = _listed(client, f"{address.partition('?')[0]}{changelist.last_link}")
    return f"{address.partition('?')[0]}{last.previous_link}"


def _listed(client: Client, address: str) -> Any:
    response: Any = client.get(address)
    return response.context_data["cl"]


def stock_queries() -> dict[str, str]:
    deep = Product.objects.count() // Stock.list_per_page - 1
    return {
        "list": "", "search": "q=leather kettle", "search, nothing": "q=xylophone",
        "deep page": f"p={deep}",
    }  # fmt: skip


def _opened(client: Client, address: str) -> int:
    """How many rows the page lists, if it is a list."""
    response: Any = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    changelist = (getattr(response, "context_data", None) or {}).get("cl")
    return len(changelist.result_list) if changelist else 0


def _stock_page(stock: Stock, user: User, query: str) -> int:
    request = RequestFactory().get(f"{reverse(f'admin:{LIST}')}?{query}")
    request.user = user
    request.session = {}  # type: ignore[assignment]
    response: Any = stock.changelist_view(request)
    assert response.status_code == 200, query
    response.render()
    return len(response.context_data["cl"].result_list)


def _cost(work: Callable[[], int]) -> Cost:
    """The best of several runs, after one that warms; fewer of what takes seconds."""
    work()
    costs: list[Cost] = []
    spent = 0.0
    while len(costs) < RUNS and spent < 3_000:
        with CaptureQueriesContext(connection) as captured:
            before, started = _processor(), time.perf_counter()
            rows = work()
            taken = (time.perf_counter() - started) * 1000
            worked = (_processor() - before) * 1000
        # To the millisecond in Django's log, so at least what it says.
        database = sum(float(query["time"]) for query in captured.captured_queries) * 1000
        costs.append(Cost(worked, taken, database, rows))
        spent += taken
    return min(costs, key=lambda cost: cost.work)


def _processor() -> float:
    """The seconds that this process and its database's have had of a processor."""
    pid = connection.connection.info.backend_pid
    in_database = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])  # nanoseconds
    return time.process_time() + in_database / 1e9
