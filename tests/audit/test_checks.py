"""Each system check catches a planted bad case, and finds none in the project."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.test.utils import isolate_apps

from backoffice.audit import checks
from backoffice.audit.checks import every_model_is_on_the_record, triggers_fit_their_models
from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models
from inventory.models import Product

TRIGGER = "pgtrigger_history_update_%"


def told() -> list[tuple[str | None, str]]:
    return [(m.id, m.msg) for m in triggers_fit_their_models(databases=["default"])]


def trigger_of(table: str = "inventory_product", like: str = TRIGGER) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname LIKE %s",
            [table, like],
        )
        return str(cursor.fetchone()[0])


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_project_is_in_order(db: None) -> None:
    assert every_model_is_on_the_record() == []
    assert told() == []


def model_of_ours(**members: Any) -> type[models.Model]:
    return type("Secretive", (models.Model,), {"__module__": "inventory.models", **members})


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, ["audit.E001"]),
        ({"no_trail": ""}, ["audit.E001"]),
        ({"no_trail": "Rows of it are rebuilt every night."}, []),
        ({"instance_type": models.IntegerField()}, ["audit.E001"]),
    ],
    ids=["silent", "blank reason", "reason", "in disguise"],
)
def test_a_model_off_the_record_is_found(
    members: dict[str, Any], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with isolate_apps("inventory") as registry:
        model_of_ours(**members)
        monkeypatch.setattr(checks, "apps", registry)
        assert [message.id for message in every_model_is_on_the_record()] == found


def test_the_hidden_model_of_a_many_to_many_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with isolate_apps("inventory") as registry:
        other = model_of_ours(no_trail="It is the other end.")
        type(
            "Holder",
            (models.Model,),
            {
                "__module__": "inventory.models",
                "no_trail": "It is one end.",
                "others": models.ManyToManyField(other),
            },
        )
        monkeypatch.setattr(checks, "apps", registry)
        (message,) = every_model_is_on_the_record()
    assert "Holder_others leaves no history" in message.msg


def test_a_disabled_trigger_is_found(db: None) -> None:
    run(f"ALTER TABLE inventory_product DISABLE TRIGGER {trigger_of()}")
    ((identity, message),) = told()
    assert identity == "audit.E003"
    assert message.startswith("The trigger history_update of inventory.Product is disabled: ")


def test_a_trigger_for_replicas_only_is_found(db: None) -> None:
    run(f"ALTER TABLE inventory_product ENABLE REPLICA TRIGGER {trigger_of()}")
    assert [identity for identity, _ in told()] == ["audit.E003"]


def test_a_trigger_that_always_fires_is_fine(db: None) -> None:
    run(f"ALTER TABLE inventory_product ENABLE ALWAYS TRIGGER {trigger_of()}")
    assert told() == []


@pytest.mark.parametrize("model", trailed_models, ids=lambda model: model.__name__)
def test_a_dropped_trigger_is_found(db: None, model: type[models.Model]) -> None:
    table = model._meta.db_table
    run(f'DROP TRIGGER {trigger_of(table, "pgtrigger_history_delete_%")} ON "{table}"')
    history = history_of(model)._meta.db_table
    run(f'DROP TRIGGER {trigger_of(history, "pgtrigger_append_only_%")} ON "{history}"')
    assert sorted(message.split(" is ")[1][:7] for _, message in told()) == ["missing", "missing"]


def test_a_function_that_was_replaced_is_found(db: None) -> None:
    """The trigger, its name and its fingerprint are as they were."""
    run(
        f"CREATE OR REPLACE FUNCTION {trigger_of()}() RETURNS trigger LANGUAGE plpgsql "
        "SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$"
    )
    ((_, message),) = told()
    assert "history_update of inventory.Product is there, but its function is another" in message


def test_a_session_without_triggers_is_found(db: None) -> None:
    run("SET LOCAL session_replication_role = replica")
    assert [identity for identity, _ in told()] == ["audit.E004"]


def test_a_server_that_is_too_old_is_found(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 99)
    ((identity, message),) = told()
    assert identity == "audit.E002"
    assert message.startswith("Stockbook needs PostgreSQL 99 or later; 'default' is ")


def test_a_column_that_the_trigger_does_not_know_stops_the_write(product: Product) -> None:
    """Rather no write than a write that leaves half a row of history."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE inventory_product RENAME COLUMN brand TO maker")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_product SET price = 1")
