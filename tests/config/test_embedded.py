"""The embedded PostgreSQL keeps its data, and stops with the last process that uses it."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

START = """
import os, signal, sys
from pathlib import Path
import environ, psycopg
from config.embedded import start_embedded_postgres
url = start_embedded_postgres(Path(sys.argv[1]))
at = environ.Env.db_url_config(url)
database = psycopg.connect(dbname=at["NAME"], user=at["USER"], host=at["HOST"], autocommit=True)
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # One for all: making it takes seconds. Not in pytest's own folder: as root, the server runs
    # as another user, who may not look into that.
    with tempfile.TemporaryDirectory(prefix="stockbook-") as parent:
        yield Path(parent) / "data"


def in_a_process(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START + program, str(folder)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def is_running(folder: Path) -> bool:
    return (folder / "postmaster.pid").exists()


def test_a_second_start_finds_the_data_of_the_first(folder: Path) -> None:
    first = in_a_process(
        folder, 'database.execute("CREATE TABLE kept AS SELECT 42 AS answer"); print(url)'
    )
    assert (first.returncode, first.stderr) == (0, "")
    assert not is_running(folder)

    second = in_a_process(folder, 'print(database.execute("SELECT * FROM kept").fetchone()[0])')
    assert (second.returncode, second.stdout.strip()) == (0, "42"), second.stderr
    assert not is_running(folder)


def test_it_has_the_settings_for_large_imports_from_its_second_start_on(folder: Path) -> None:
    shown = """
for name in ("shared_buffers", "max_wal_size", "checkpoint_timeout"):
    print(database.execute(f"SHOW {name}").fetchone()[0])
"""
    in_a_process(folder, "")
    done = in_a_process(folder, shown)
    buffers, *others = done.stdout.split()
    assert others == ["4GB", "15min"], done.stderr
    assert 128 <= int(buffers.removesuffix("MB")) <= 512
    # A setting that a person made by ALTER SYSTEM goes before ours, and starts do not pile up.
    in_a_process(folder, "database.execute(\"ALTER SYSTEM SET max_wal_size = '2GB'\")")
    assert in_a_process(folder, shown).stdout.split()[1:] == ["2GB", "15min"]
    assert (folder / "postgresql.conf").read_text().count("stockbook.conf") == 1


def test_the_server_outlives_a_process_while_another_uses_it(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", START + "print('up', flush=True); sys.stdin.read()", str(folder)],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline().strip() == "up"
        assert in_a_process(folder, "").returncode == 0
        assert is_running(folder)
    finally:
        holder.communicate("", timeout=30)
    assert not is_running(folder)


def test_a_process_that_was_killed_does_not_keep_the_server_up(folder: Path) -> None:
    killed = in_a_process(folder, "os.kill(os.getpid(), signal.SIGKILL)")
    assert killed.returncode == -signal.SIGKILL
    assert is_running(folder)
    assert len(json.loads((folder / ".handle_pids.json").read_text())) == 1

    assert in_a_process(folder, "").returncode == 0
    assert not is_running(folder)


def test_names_in_any_alphabet_are_compared_without_case(folder: Path) -> None:
    done = in_a_process(folder, "print(database.execute(\"SELECT upper('café ж')\").fetchone()[0])")
    assert done.stdout.strip() == "CAFÉ Ж", done.stderr


def test_a_folder_that_the_server_cannot_live_in_is_refused_in_words(tmp_path: Path) -> None:
    done = in_a_process(tmp_path / "my shop", "")
    assert done.returncode == 1
    assert "my shop" in done.stderr
    assert "set DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "my shop").exists()
