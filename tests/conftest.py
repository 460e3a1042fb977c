import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Playwright's synchronous API keeps an event loop running in the thread of the tests.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import pytest
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations

from backoffice.accounts.models import User
from tests.personas import Persona, make_user


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _media_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


# Of imports that a test left unfinished; no model knows these tables.
_DROP_STAGED_ROWS = """DO $$ DECLARE staged text; BEGIN
    FOR staged IN SELECT format('exchange.%I', tablename) FROM pg_tables
        WHERE schemaname = 'exchange' LOOP EXECUTE 'DROP TABLE ' || staged; END LOOP;
END $$;"""


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_record() -> Iterator[None]:
    """Tests on committed data are cleaned up by TRUNCATE, which the record refuses.

    Here, and nowhere else, the triggers are set aside for it. Roles and their permissions, which
    migrations made, stay with their history.
    """
    flush = DatabaseOperations.sql_flush
    histories = {"accounts_historicalrole", "accounts_historicalrolepermission"}
    kept = {
        "auth_group", "auth_permission", "auth_group_permissions", "django_content_type",
        "audit_changeset", *histories,
    }  # fmt: skip
    of_roles = " UNION ".join(f"SELECT change_set_id FROM {table}" for table in sorted(histories))

    def sql_flush(
        self: DatabaseOperations, style: Any, tables: list[str], **options: Any
    ) -> list[str]:
        statements = flush(self, style, [t for t in tables if t not in kept], **options)
        return [
            "SET session_replication_role = replica;",
            *statements,
            f"DELETE FROM audit_changeset WHERE id NOT IN ({of_roles});",
            _DROP_STAGED_ROWS,
            "SET session_replication_role = origin;",
        ]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[assignment, method-assign]
    yield
    DatabaseOperations.sql_flush = flush  # type: ignore[method-assign]


@pytest.fixture
def administrator(db: None) -> User:
    return make_user(Persona.ADMINISTRATOR)


@pytest.fixture
def catalogue_manager(db: None) -> User:
    return make_user(Persona.CATALOGUE_MANAGER)


@pytest.fixture
def warehouse(db: None) -> User:
    return make_user(Persona.WAREHOUSE)


@pytest.fixture
def order_desk(db: None) -> User:
    return make_user(Persona.ORDER_DESK)


@pytest.fixture
def auditor(db: None) -> User:
    return make_user(Persona.AUDITOR)


@pytest.fixture
def outsider(db: None) -> User:
    return make_user(Persona.OUTSIDER)
