"""What people see when something is refused, missing or broken: what it is, and what to do next."""

from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from django.test.client import RequestFactory
from django.urls import path
from django.views import defaults

from backoffice.accounts.models import User
from backoffice.console.errors import server_error
from config import urls as site_urls

SECRET = "the-password-is-hunter2"


@login_not_required
def _fails(request: Any) -> Any:
    raise RuntimeError(SECRET)


@login_not_required
def _is_suspicious(request: Any) -> Any:
    raise SuspiciousOperation(SECRET)


urlpatterns = [
    path("fails/", _fails),
    path("is-suspicious/", _is_suspicious),
    *site_urls.urlpatterns,
]
handler500 = site_urls.handler500


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def _shown(response: Any, status: int, words: str) -> str:
    text: str = response.content.decode()
    assert response.status_code == status
    assert f'<p class="code">{status}</p>' in text
    assert words in text
    assert SECRET not in text
    return text


def test_what_one_may_not_do_says_whom_to_ask(client: Client, warehouse: User) -> None:
    client.force_login(warehouse)
    text = _shown(client.get("/admin/audit/changeset/"), 403, "You may not do this")
    assert "ask an administrator for the right" in text
    assert 'href="/admin/"' in text


def test_refused_to_nobody_in_particular_leads_to_the_sign_in(db: None) -> None:
    request = RequestFactory().get("/admin/audit/")
    text = _shown(
        defaults.permission_denied(request, PermissionError(SECRET)), 403, "Sign in first"
    )
    assert 'href="/admin/login/"' in text
    assert "on the record" not in text


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_wrong_address_does_not_come_back(client: Client, auditor: User, signed_in: bool) -> None:
    if signed_in:
        client.force_login(auditor)
    address = f"/nowhere/{SECRET}/"
    _shown(client.get(address), 404, "There is nothing here")


@pytest.mark.urls(__name__)
def test_what_makes_no_sense(client: Client, db: None) -> None:
    _shown(client.get("/is-suspicious/"), 400, "nothing was changed")


@pytest.mark.urls(__name__)
def test_a_failure_gives_the_number_of_the_log(client: Client, db: None) -> None:
    response = client.get("/fails/")
    text = _shown(response, 500, "Something went wrong")
    assert response["X-Request-ID"] in text


def test_a_failure_is_told_without_the_database(client: Client) -> None:
    # Without the fixture `db`, whatever asks the database fails this test.
    request = RequestFactory().get("/")
    _shown(server_error(request), 500, "tell an administrator when it did")


def test_a_form_that_is_out_of_date(auditor: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(auditor)
    _shown(client.post("/admin/logout/"), 403, "This form is out of date")
