"""What a request says of itself, as far as it can be believed."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from backoffice.accounts.models import User
from backoffice.audit.context import current_context
from backoffice.audit.middleware import AuditMiddleware, _warn_of_a_proxy, client_address
from inventory.models import Product, Tag
from tests.console.pages import seen

from .conftest import Record, a_product


@pytest.mark.django_db(transaction=True)
def test_a_request_that_writes_says_who_and_from_where(
    client: Client, catalogue_manager: User
) -> None:
    client.force_login(catalogue_manager)
    tag = Tag.objects.create(name="old")
    record = Record.from_now()
    response = client.post(
        f"/admin/inventory/tag/{tag.pk}/change/",
        {"name": "new", "slug": "new", "change_reason": "a better word", "_seen": seen(tag)},
        headers={"X-Request-ID": "somebody-elses", "X-Forwarded-For": "6.6.6.6"},
        REMOTE_ADDR="10.1.2.3",
    )

    assert response.status_code == 302, response.context["errors"]
    assert Tag.objects.get().name == "new"
    (change_set,) = [
        s for s in record.change_sets() if s.pk in {row.change_set_id for row in record.rows(Tag)}
    ]
    assert change_set.actor_id == catalogue_manager.pk
    assert change_set.who == "Carla Catalogue <carla@stockbook.test>"
    # Neither header is believed where no proxy of ours stands in front.
    assert (change_set.source, change_set.request_id) == ("admin", response["X-Request-ID"])
    assert change_set.request_id != "somebody-elses"
    assert change_set.client_address == "10.1.2.3"
    assert change_set.reason == "a better word"


def test_a_request_that_only_reads_leaves_nothing(
    client: Client, catalogue_manager: User, product: Product
) -> None:
    client.force_login(catalogue_manager)
    record = Record.from_now()
    assert client.get(f"/admin/inventory/product/{product.pk}/change/").status_code == 200
    assert record.is_empty()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (0, "", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 5.5.5.5", "1.2.3.4"),
        (2, "6.6.6.6", "10.0.0.1"),
    ],
)
def test_the_clients_address(
    proxies: int, forwarded: str, address: str, settings: Any, rf: RequestFactory
) -> None:
    """From the header only as far as our own proxies wrote it; the rest anyone can write."""
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == address


def test_a_proxy_that_nobody_told_us_of_is_warned_of_once(
    settings: Any, rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    _warn_of_a_proxy.cache_clear()
    settings.TRUSTED_PROXIES = 0
    client_address(rf.get("/"))
    settings.TRUSTED_PROXIES = 1
    client_address(rf.get("/", HTTP_X_FORWARDED_FOR="1.2.3.4"))
    assert caplog.messages == []
    settings.TRUSTED_PROXIES = 0
    for _number in range(3):
        client_address(rf.get("/", HTTP_X_FORWARDED_FOR="1.2.3.4"))
    (said,) = caplog.messages
    assert "set it" in said


@pytest.mark.parametrize(("path", "source"), [("/admin/x/", "admin"), ("/api/v1/x/", "api")])
def test_the_context_lasts_as_long_as_the_request(
    path: str, source: str, rf: RequestFactory, record: Record
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        a_product().save()
        return HttpResponse()

    AuditMiddleware(view)(rf.post(path))
    (change_set,) = record.change_sets()
    assert (change_set.source, change_set.action) == (source, f"POST {path}")
    assert current_context() is None


def test_the_context_ends_with_a_request_that_fails(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        assert current_context() is not None
        raise RuntimeError

    with pytest.raises(RuntimeError):
        AuditMiddleware(view)(rf.post("/admin/"))
    assert current_context() is None
