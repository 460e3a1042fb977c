"""The dashboard: what each sees, that its numbers are right, and that its links lead to them."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet
from backoffice.console.dashboard import Attention, cards, registry
from backoffice.console.dashboard.page import count_beforehand
from backoffice.exchange.models import ImportFeed, ImportJob, ImportProfile
from config.settings import base
from inventory.models import Product, ProductImage
from tests.console.pages import signed_in
from tests.inventory.factories import make_category, make_product

pytestmark = pytest.mark.django_db

FACTS = {"resource": "products", "size": 1, "sha256": "0" * 64, "encoding": "utf-8"}
State = ImportJob.State


def home(user: User) -> Any:
    response = signed_in(user).get("/admin/")
    assert response.status_code == 200
    return response


def numbers(user: User) -> dict[str, int]:
    context: Any = home(user).context
    return {figure.title: figure.value for figure in context["figures"]}


def panels(user: User) -> list[str]:
    context: Any = home(user).context
    return [panel.title for panel in context["panels"]]


def charts(user: User) -> dict[str, Any]:
    context: Any = home(user).context
    return {chart.name: chart for chart in context["charts"]}


def listed(client: Client, link: str) -> int:
    """How many rows the page of a link has: a list, or the timeline."""
    context: Any = client.get(link).context
    return context["cl"].result_count if "cl" in context else len(context["page"].entries)


@pytest.fixture
def shop(catalogue_manager: User) -> None:
    """Something of all that a card counts."""
    audio = make_category("Audio")
    pictured = make_product(category=audio, barcode="1")
    ProductImage.objects.create(product=pictured, url="/a.png")
    ProductImage.objects.create(product=pictured, url="/b.png")
    make_product(category=audio, price=0, barcode="2")
    make_product(is_featured=True)
    make_product(is_active=False, price=0)
    for state, conflicts in ((State.FAILED, 0), (State.CHECKED, 3), (State.CHECKED, 0)):
        ImportJob.objects.create(
            user=catalogue_manager,
            file_name=f"{state}.csv",
            state=state,
            conflicts=conflicts,
            **FACTS,
        )
    profile = ImportProfile.objects.create(name="P", resource="products", user=catalogue_manager)
    ImportFeed.objects.create(
        name="Contoso", profile=profile, location="https://contoso.example/a.csv", every="day",
        user=catalogue_manager, reason="Prices", last_problem="Not found",
    )  # fmt: skip
    record_event(kind=ChangeSet.Kind.SIGN_IN_FAILED, action="Sign-in failed")


TO_MEND = {
    "products without a price": 2,
    "products without a category": 2,
    "products without an image": 3,
    "products without a barcode": 2,
}
IN_THE_CATALOGUE = {"active products": 3, "inactive product": 1}
OF_IMPORTS = {
    "import failed": 1,
    "import with conflicts": 1,
    "imports wait to be applied": 2,
    "feed has a problem": 1,
}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (
            "administrator",
            {**TO_MEND, **IN_THE_CATALOGUE, **OF_IMPORTS, "failed sign-in today": 1},
        ),
        ("catalogue_manager", {**TO_MEND, **IN_THE_CATALOGUE, **OF_IMPORTS}),
        ("warehouse", {"products without a barcode": 2, **IN_THE_CATALOGUE}),
        ("order_desk", {**IN_THE_CATALOGUE, "featured product": 1}),
        ("auditor", {**IN_THE_CATALOGUE, **OF_IMPORTS, "failed sign-in today": 1}),
        ("outsider", {}),
    ],
)
def test_each_role_sees_its_numbers_and_each_leads_to_as_many_rows(
    role: str, expected: dict[str, int], shop: None, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(role)
    context: Any = home(user).context
    assert {figure.title: figure.value for figure in context["figures"]} == expected
    client = signed_in(user)
    for figure in context["figures"]:
        assert listed(client, figure.link) == figure.value, figure.title


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (
            "administrator",
            ["Your imports", "What others did last", "What you did last", "Proof of the record"],
        ),
        ("catalogue_manager", ["Your imports", "What you did last", "Products changed last"]),
        ("warehouse", ["Products changed last"]),
        ("order_desk", ["Products changed last"]),
        ("auditor", ["What others did last", "Proof of the record", "What you did last"]),
        ("outsider", []),
    ],
)
def test_each_role_sees_the_work_that_it_may_see(
    role: str, expected: list[str], request: pytest.FixtureRequest
) -> None:
    assert panels(request.getfixturevalue(role)) == expected


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("administrator", ["products-added", "changes", "imports"]),
        ("catalogue_manager", ["products-added", "imports"]),
        ("warehouse", ["products-added"]),
        ("auditor", ["changes", "products-added", "imports"]),
        ("outsider", []),
    ],
)
def test_each_role_sees_its_trends(
    role: str, expected: list[str], request: pytest.FixtureRequest
) -> None:
    assert sorted(charts(request.getfixturevalue(role))) == sorted(expected)


def test_who_has_no_role_is_told_what_to_do(outsider: User) -> None:
    make_product(name="Mug")
    text = home(outsider).text
    assert "Your account has no role." in text
    assert "Mug" not in text
    assert "Nothing needs your attention." not in text


def test_a_shop_in_order_says_so(catalogue_manager: User) -> None:
    product = make_product(category=make_category("Audio"), barcode="1")
    ProductImage.objects.create(product=product, url="/a.png")
    assert numbers(catalogue_manager) == {"active product": 1, "inactive products": 0}
    assert "Nothing needs your attention." in home(catalogue_manager).text


def test_every_number_of_a_chart_leads_to_as_many_rows(administrator: User, shop: None) -> None:
    client = signed_in(administrator)
    seen = 0
    for chart in charts(administrator).values():
        for day in chart.days:
            for point in [*day.points, day.total]:
                assert bool(point.link) == bool(point.value)
                if point.link:
                    assert listed(client, point.link) == point.value, (chart.name, point.link)
                    seen += 1
            assert not day.points or sum(p.value for p in day.points) == day.total.value
        assert sum(day.total.value for day in chart.days) == chart.total
    assert seen >= 6


def test_a_chart_counts_by_day(catalogue_manager: User) -> None:
    noon = timezone.localtime().replace(hour=12, minute=0)
    for days in (1, 1, 3, 20):
        make_product(created_at=noon - timedelta(days=days))
    chart = charts(catalogue_manager)["products-added"]
    assert [day.total.value for day in chart.days] == [*([0] * 10), 1, 0, 2, 0]
    assert chart.days[-1].day == timezone.localdate()
    assert chart.drawing["datasets"][0]["data"] == [day.total.value for day in chart.days]


def test_the_numbers_of_a_chart_stand_in_a_table_too(catalogue_manager: User) -> None:
    make_product()
    chart = charts(catalogue_manager)["products-added"]
    text = home(catalogue_manager).text
    assert "<summary>The numbers</summary>" in text
    assert chart.days[-1].total.link.replace("&", "&amp;") in text


def test_an_importer_sees_their_own_imports_and_counts_them_alone(
    catalogue_manager: User, administrator: User
) -> None:
    ImportJob.objects.create(
        user=administrator, file_name="theirs.csv", state=State.FAILED, **FACTS
    )
    job = ImportJob.objects.create(
        user=catalogue_manager, file_name="mine.csv", state=State.CHECKED, new=2, invalid=1, **FACTS
    )
    # What the administrator was shown is kept, and is not what the other is shown.
    assert numbers(administrator)["import failed"] == 1
    response = home(catalogue_manager)
    context: Any = response.context
    (mine,) = next(p for p in context["panels"] if p.name == "imports-mine").lines
    assert (mine.title, mine.note) == ("mine.csv", "waits for your decision: 2 new, 1 invalid")
    assert str(job.pk) in mine.link
    assert "theirs.csv" not in response.text
    assert "import failed" not in numbers(catalogue_manager)


def test_recent_work_is_mine_or_that_of_others(
    administrator: User, catalogue_manager: User
) -> None:
    category = make_category("Audio")
    client = signed_in(catalogue_manager)
    client.post(f"/admin/inventory/category/{category.pk}/delete/", {"post": "yes", "reason": "x"})

    def lines(user: User, name: str) -> list[str]:
        context: Any = home(user).context
        return [
            line.title for panel in context["panels"] if panel.name == name for line in panel.lines
        ]

    done = ChangeSet.objects.filter(actor_id=catalogue_manager.pk, kind="change").first()
    assert done is not None
    assert lines(catalogue_manager, "mine") == [done.action]
    assert done.action in lines(administrator, "team")
    assert lines(administrator, "mine") == []
    context: Any = home(catalogue_manager).context
    (line,) = next(panel for panel in context["panels"] if panel.name == "mine").lines
    assert client.get(line.link).status_code == 200


def test_what_sql_changes_is_counted_anew_at_once(catalogue_manager: User) -> None:
    make_product(price=10)
    assert "product without a price" not in numbers(catalogue_manager)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET price = 0")
    assert numbers(catalogue_manager)["product without a price"] == 1


def test_a_number_that_holds_is_not_counted_again(catalogue_manager: User) -> None:
    make_product(price=0)
    numbers(catalogue_manager)
    with CaptureQueriesContext(connection) as captured:
        numbers(catalogue_manager)
    counted = [q["sql"] for q in captured.captured_queries if "AS counted" in q["sql"]]
    assert [sql for sql in counted if "inventory_product" in sql] == []


def test_a_costly_number_is_old_for_no_longer_than_it_says(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    title = "product without an image"
    product = make_product()
    assert numbers(catalogue_manager)[title] == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_productimage (product_id, url, alt_text, position) "
            "VALUES (%s, '/a.png', '', 0)",
            [product.pk],
        )
    assert numbers(catalogue_manager)[title] == 1
    now = time.time() + cards.UNHURRIED + 1
    monkeypatch.setattr(time, "time", lambda: now)
    assert title not in numbers(catalogue_manager)


def test_a_worker_counts_the_costly_numbers_before_anybody_asks(
    catalogue_manager: User,
) -> None:
    title = "product without an image"
    product = make_product()
    count_beforehand()
    ProductImage.objects.create(product=product, url="/a.png")
    assert numbers(catalogue_manager)[title] == 1
    count_beforehand()
    assert title not in numbers(catalogue_manager)


def test_a_number_goes_when_the_right_to_see_it_does(warehouse: User) -> None:
    make_product()
    assert numbers(warehouse) != {}
    warehouse.groups.clear()
    assert numbers(warehouse) == {}
    assert charts(warehouse) == {}


def test_a_card_about_a_secret_field_is_for_those_who_may_see_it(
    warehouse: User, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Attention(
        name="without-cost",
        title="products without a cost%.0s",
        icon="payments",
        model=Product,
        rows=lambda rows: rows.filter(cost=None),
        query="without=cost",
        field="cost",
    )
    monkeypatch.setitem(registry.cards, card.name, card)
    make_product()
    assert "products without a cost" in numbers(administrator)
    assert "products without a cost" not in numbers(warehouse)


def test_the_cache_of_production_is_a_table_that_all_processes_share(
    catalogue_manager: User, settings: Any
) -> None:
    assert base.CACHES["default"]["BACKEND"] == "django.core.cache.backends.db.DatabaseCache"
    settings.CACHES = base.CACHES
    make_product(price=0)
    assert numbers(catalogue_manager)["product without a price"] == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM console_cache WHERE cache_key LIKE '%%figure:%%'")
        assert cursor.fetchone()[0] > 5
    Product.objects.update(price=5)
    assert "product without a price" not in numbers(catalogue_manager)
