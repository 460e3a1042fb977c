import json
import logging
from typing import Any

import pytest
from django.test import Client

from backoffice.console.logs import JSONFormatter


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="stockbook.request")
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [
        json.loads(JSONFormatter().format(record))
        for record in log.records
        if record.name == "stockbook.request"
    ]


@pytest.mark.django_db
def test_each_request_leaves_one_json_line(client: Client, log: pytest.LogCaptureFixture) -> None:
    response = client.get("/admin/login/")
    (line,) = lines(log)
    assert line["message"] == "GET /admin/login/"
    assert line["status"] == 200
    assert line["level"] == "info"
    assert line["request_id"] == response["X-Request-ID"]
    assert isinstance(line["duration_ms"], float)
    assert line["duration_ms"] > 0


@pytest.mark.django_db
def test_each_request_has_an_id_of_its_own(client: Client) -> None:
    ids = {client.get("/admin/login/")["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.django_db
def test_the_request_id_of_a_proxy_of_ours_is_kept(
    client: Client, log: pytest.LogCaptureFixture, settings: Any
) -> None:
    theirs = client.get("/admin/login/", headers={"X-Request-ID": "proxy-0123456789"})
    assert theirs["X-Request-ID"] != "proxy-0123456789"
    log.clear()
    settings.TRUSTED_PROXIES = 1
    response = client.get("/admin/login/", headers={"X-Request-ID": "proxy-0123456789"})
    assert response["X-Request-ID"] == "proxy-0123456789"
    assert lines(log)[0]["request_id"] == "proxy-0123456789"


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["short", "x" * 65, 'quote"and{brace}', "two words here"])
def test_a_request_id_that_is_no_plain_word_is_replaced(
    client: Client, given: str, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    returned = client.get("/admin/login/", headers={"X-Request-ID": given})["X-Request-ID"]
    assert returned != given
    assert len(returned) == 32


def test_what_a_call_passes_as_extra_stands_in_the_line() -> None:
    record = logging.makeLogRecord({"msg": "Imported “%s”", "args": ("a.csv",), "rows": 3})
    line = json.loads(JSONFormatter().format(record))
    assert line["message"] == "Imported “a.csv”"
    assert line["rows"] == 3
