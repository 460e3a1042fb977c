"""`make bench ARGS=home`: the command palette and the dashboard over 1,000,000 products."""

import sys
import time
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.test import Client

from backoffice.accounts.models import User
from backoffice.console.dashboard.page import count_beforehand
from tests.bench.catalogue_data import fill
from tests.bench.pages import say

RUNS = 5
TYPED = {
    "an exact SKU": "SKU-0500000",
    "a barcode": "2000005000000",
    "a word of many": "kettle",
    "two words": "kettle 500000",
    "a mistyped word": "ketle",
    "two mistyped words": "ketle grindr",
    "two letters": "ke",
    "an action": "import products",
    "an e-mail address": "boss@stockbook.test",
    "what is nowhere": "zzzzqqq",
}


def home() -> None:
    """In a database of its own. A second argument makes it smaller."""
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        fill(many)
        measure_home(say)
    finally:
        connection.creation.destroy_test_db("stockbook", verbosity=0)


def measure_home(say: Callable[[str], None]) -> None:
    """What the palette and the dashboard need on the catalogue that there is."""
    user, _made = User.objects.get_or_create(
        email="boss@stockbook.test", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)

    say("\nthe palette, in ms: the whole answer, of it in the database")
    for name, typed in TYPED.items():
        say(_told(name, min(_costs(lambda t=typed: _ask(client, t)) for _ in range(RUNS))))

    say("\nthe dashboard, in ms: the whole page, of it in the database")
    cache.clear()
    say(_told("nothing counted yet", _costs(lambda: client.get("/admin/"))))
    say(_told("the second request then", _costs(lambda: client.get("/admin/?in_full"))))
    cache.clear()
    say(_told("the worker's counting", _costs(count_beforehand)))
    say(_told("the first page after it", _costs(lambda: client.get("/admin/"))))
    say(_told("the next", min(_costs(lambda: client.get("/admin/")) for _ in range(RUNS))))


def _ask(client: Client, typed: str) -> None:
    response = client.get("/admin/search/", {"s": typed})
    if response.status_code != 200:
        raise RuntimeError(response.status_code)


def _told(name: str, costs: tuple[float, float]) -> str:
    return f"  {name:<30}{costs[0]:10.1f}{costs[1]:10.1f}"


def _costs(work: Callable[[], object]) -> tuple[float, float]:
    spent = 0.0

    def stopwatch(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal spent
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent += time.perf_counter() - started

    started = time.perf_counter()
    with connection.execute_wrapper(stopwatch):
        work()
    return (time.perf_counter() - started) * 1000, spent * 1000
