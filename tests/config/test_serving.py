"""`manage.py demo` as a user meets it: started, answered, stopped, in a process of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from config import sample_shop, serving
from config.embedded import TEMPLATE
from config.serving import Worker, free_port


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The DATABASE_URL of a database of its own, beside that of the tests."""
    at = connection.settings_dict
    name = f"{at['TEST']['NAME']}_demo"
    template = "template0" if settings.DATABASE_URL else TEMPLATE
    address = settings.DATABASE_URL or f"postgres://{at['USER']}@/{at['HOST']}/stockbook"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(
        dbname="postgres",
        user=at["USER"],
        password=at["PASSWORD"] or None,
        host=at["HOST"],
        port=at["PORT"] or None,
        autocommit=True,
    ) as server:
        server.execute(drop)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        yield address.rpartition("/")[0] + f"/{name}"
        server.execute(drop)


def test_a_worker_that_dies_is_replaced_until_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "RESTARTING_TAKES", 0.05)
    # It dies at once, whatever it is told.
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    started: list[int] = []
    with Worker("http://127.0.0.1:1/") as worker:
        patience = time.monotonic() + 30
        while len(started) < 3 and time.monotonic() < patience:
            if worker.process.pid not in started:
                started.append(worker.process.pid)
    assert len(started) == 3
    last = worker.process.pid
    time.sleep(0.2)
    assert (worker.process.pid, worker.process.poll()) == (last, worker.process.returncode)


def test_the_next_free_port_is_taken(taken_port: int) -> None:
    assert free_port("127.0.0.1", taken_port) > taken_port


def test_a_range_without_a_free_port_is_said() -> None:
    with pytest.raises(OSError, match="Name another with --port"):
        free_port("127.0.0.1", 70_000)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_stopped(
    empty_database: str, taken_port: int, stop: signal.Signals, tmp_path: Path
) -> None:
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        demo = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "demo", "--port", str(taken_port)],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings.development",
                "DATABASE_URL": empty_database,
                "MEDIA_ROOT": str(tmp_path / "media"),
                "LOG_LEVEL": "INFO",
            },
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        said = _words_until(demo, "Press Ctrl-C")
        found = re.search(r"ready at (http://127\.0\.0\.1:(\d+)/)", said)
        assert found, said + errors.read_text()
        assert int(found[2]) != taken_port
        assert f"Port {taken_port} is in use; taking {found[2]} instead." in said
        for person in sample_shop.PEOPLE:
            assert re.search(rf"{person.email} +{sample_shop.PASSWORD} +{person.role.value}", said)

        with urlopen(f"{found[1]}admin/login/") as response:  # noqa: S310
            assert response.status == 200
            request_id = response.headers["X-Request-ID"]
        with urlopen(f"{found[1]}static/inventory/sample/kettle.svg") as response:  # noqa: S310
            assert response.headers["Content-Type"] == "image/svg+xml"
        assert _done_by_a_worker(empty_database)
    finally:
        demo.send_signal(stop)
        demo.communicate(timeout=30)

    assert demo.returncode == 0
    told = errors.read_text()
    assert "Traceback" not in told
    assert "Warning" not in told
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == request_id]
    assert (line["message"], line["status"]) == ("GET /admin/login/", 200)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(found[2]))) != 0


def _done_by_a_worker(database: str) -> bool:
    """Whether a task that is put into the queue now gets done."""
    asked = (
        "import time; from backoffice.exchange.tasks import work_on_import\n"
        "result = work_on_import.enqueue(0)\n"
        "for _ in range(100):\n"
        "    time.sleep(0.2); result.refresh()\n"
        "    if result.is_finished: break\n"
        "print('ended', result.status)"
    )
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.development",
            "DATABASE_URL": database,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return "ended SUCCESSFUL" in told.stdout


def _words_until(process: subprocess.Popen[str], mark: str) -> str:
    said = ""
    assert process.stdout
    for line in process.stdout:
        said += line
        if mark in line:
            break
    return said
