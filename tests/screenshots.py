"""`make screenshots`: the main pages of the sample shop for docs, light and dark, wide and narrow.

Works in a database of its own, which it drops at the end.
"""

import base64
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
# Playwright's synchronous API keeps an event loop running in this thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import django

django.setup()

from django.conf import settings
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.models import ImportJob
from config import sample_shop
from inventory.models import Product
from tests.journeys.conftest import ARGUMENTS

# What is shown is what `make demo` shows.
settings.ENVIRONMENT = "Demo"
FOLDER = settings.BASE_DIR / "docs" / "screenshots"
WIDTHS = {"wide": 1440, "narrow": 420}
HEIGHT = 900
_AS_WEBP = """async (png) => {
    const picture = new Image();
    picture.src = "data:image/png;base64," + png;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return canvas.toDataURL("image/webp", 0.82).split(",")[1];
}"""


class Shot(NamedTuple):
    name: str
    address: Callable[[], str]
    do: Callable[[Page], Any] = lambda page: None


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("kettle", delay=20)
    page.wait_for_timeout(1_000)


def _listed(query: str = "") -> str:
    return reverse("admin:inventory_product_changelist") + query


SHOTS = [
    Shot("dashboard", lambda: reverse("admin:index")),
    Shot("products", _listed),
    Shot(
        "product",
        lambda: reverse("admin:inventory_product_change", args=[Product.objects.earliest("pk").pk]),
    ),
    Shot("search", lambda: _listed("?q=tepot")),
    Shot("timeline", lambda: reverse("admin:audit_changeset_changelist")),
    Shot("import", lambda: reverse("admin:exchange_importjob_change", args=[_job().pk])),
    Shot("palette", lambda: reverse("admin:index"), _open_palette),
]


def _job() -> ImportJob:
    return ImportJob.objects.latest("pk")


def main() -> None:
    """With words, the shots of these names alone."""
    wanted = [shot for shot in SHOTS if shot.name in sys.argv[1:] or not sys.argv[1:]]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with audit_context(source=Source.COMMAND, action="Sample shop"):
            administrator, *_others = sample_shop.make_people()
            sample_shop.fill_catalogue(actor=administrator)
        with _served() as server, _chromium() as browser:
            for theme in ("light", "dark"):
                for width in WIDTHS:
                    _take(browser, server, wanted, theme, width)
    finally:
        _let_go()
        connection.creation.destroy_test_db("stockbook", verbosity=0)
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    sys.stdout.write(f"{FOLDER}: {size / 1_000:,.0f} kB in all\n")


def _let_go() -> None:
    """End what threads of the server still hold of the database, which is to be dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def _served() -> Iterator[str]:
    StaticLiveServerTestCase.setUpClass()
    try:
        yield StaticLiveServerTestCase.live_server_url
    finally:
        StaticLiveServerTestCase.doClassCleanups()


@contextmanager
def _chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


def _take(browser: Browser, server: str, shots: list[Shot], theme: str, width: str) -> None:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": HEIGHT},
        color_scheme=theme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(f"{server}{reverse('admin:index')}")
    page.get_by_label("E-mail address").fill(sample_shop.PEOPLE[0].email)
    page.get_by_label("Password").fill(sample_shop.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{server}{reverse('admin:index')}")
    drawing = context.new_page()
    for shot in shots:
        page.bring_to_front()
        page.goto(f"{server}{shot.address()}")
        page.wait_for_load_state("networkidle")
        shot.do(page)
        _keep(drawing, page.screenshot(), FOLDER / f"{shot.name}-{theme}-{width}.webp")
    context.close()


def _keep(drawing: Page, png: bytes, path: Path) -> None:
    """As WebP, which the browser itself writes: a quarter of a PNG."""
    coded = drawing.evaluate(_AS_WEBP, base64.b64encode(png).decode())
    path.write_bytes(base64.b64decode(coded))


if __name__ == "__main__":
    main()
