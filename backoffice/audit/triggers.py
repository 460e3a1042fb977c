"""The triggers that write the history and protect it, as django-pgtrigger installs them."""

from collections.abc import Sequence

import pgtrigger
from django.db import models
from pgtrigger import compiler


class UnskippableTriggerSql(compiler.UpsertTriggerSql):
    """The SQL of a trigger that `SET pgtrigger.ignore = ...` cannot switch off.

    The function runs with its owner's rights and a fixed search_path: a database user who may
    write products needs no right to write history, and cannot put a table of theirs in between.
    Nobody else may execute it, or they could hang it on a table of their own.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp;
            REVOKE EXECUTE ON FUNCTION {pgid}() FROM PUBLIC;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class LookingUpTriggerSql(UnskippableTriggerSql):
    """The SQL of a trigger for each row that looks other rows up by their indexes.

    Its queries are planned once, with the first row. If the table is small then, reading the whole
    of it seems cheaper, and stays so for the millions of rows that the statement brings.
    """

    def get_template(self) -> str:
        path = "SET search_path = public, pg_temp"
        return super().get_template().replace(path, f"{path} SET enable_seqscan = off")


class UnskippableTrigger(pgtrigger.Trigger):
    """A pgtrigger.Trigger without the library's per-session opt-out."""

    sql: type[UnskippableTriggerSql] = UnskippableTriggerSql

    def compile(self, model: type[models.Model]) -> compiler.Trigger:  # type: ignore[override]
        compiled = super().compile(model)  # type: ignore[arg-type]
        return compiler.Trigger(name=compiled.name, sql=self.sql(**compiled.sql.kwargs))


class LookingUpTrigger(UnskippableTrigger):
    """An UnskippableTrigger for each row that looks other rows up by their indexes."""

    sql = LookingUpTriggerSql


class TextMakingTrigger(LookingUpTrigger):
    """Fills a blank text, unique whatever its case, with what it makes of other columns.

    First the wish; where that is blank or taken the other, and where that is taken too the other
    with -2, -3 and so on behind it. Said here, so that the texts of many rows can be made at once.
    """

    field: str
    made_from: str
    also_from: str

    def wish(self, made_from: str) -> str:
        """SQL of the first choice."""
        raise NotImplementedError

    def other(self, wish: str, also_from: str) -> str:
        """SQL of what follows it, which is never blank."""
        raise NotImplementedError


def append_only() -> UnskippableTrigger:
    """Rows may come, and never change or go."""
    return UnskippableTrigger(
        name="append_only",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func="RAISE EXCEPTION '% is append-only: % refused.', TG_TABLE_NAME, TG_OP;",
    )


def no_truncate() -> UnskippableTrigger:
    """TRUNCATE has no rows to record, so audited tables refuse it."""
    return UnskippableTrigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=(
            "RAISE EXCEPTION 'TRUNCATE of % would leave no history. Use DELETE.', TG_TABLE_NAME;"
        ),
    )


def fixed_key(model: type[models.Model]) -> UnskippableTrigger:
    """The history of a row hangs on its key, so the key stays.

    After the update, not before: a BEFORE trigger makes every save() that mentions a unique column
    take the strongest row lock, which blocks the foreign keys that point here.
    """
    key = model._meta.pk.column
    return UnskippableTrigger(
        name="fixed_key",
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f'OLD."{key}" IS DISTINCT FROM NEW."{key}"'),
        func="RAISE EXCEPTION 'The key of a row in % cannot change.', TG_TABLE_NAME;",
    )


def raise_version() -> UnskippableTrigger:
    """Each real change of a row raises its version, whatever made the change.

    By its name the last of the triggers before an update, so that it sees what they made of it.
    """
    return UnskippableTrigger(
        name="version_raised",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("OLD.* IS DISTINCT FROM NEW.*"),
        func="NEW.version = OLD.version + 1; NEW.updated_at = clock_timestamp(); RETURN NEW;",
    )


def write_history(
    model: type[models.Model], history_model: type[models.Model], ignored: Sequence[str]
) -> list[UnskippableTrigger]:
    """Three statement triggers: one INSERT ... SELECT from the transition table each.

    `ignored` names fields whose change alone is no change. The change set is made lazily, by a
    scalar subquery that PostgreSQL evaluates once, and only when there is a row to record.
    """
    tracked: list[models.Field] = history_model.tracked_fields  # type: ignore[attr-defined]
    columns = [field.column for field in tracked]
    compared = [
        field.column for field in tracked if field.name not in ignored and not field.primary_key
    ]
    key = model._meta.pk.column
    names = ", ".join(f'"{column}"' for column in columns)
    into = (
        f'INSERT INTO "{history_model._meta.db_table}" ({names}, history_type, history_date, '
        "history_user_id, history_change_reason, change_set_id)"
    )

    def select(alias: str, history_type: str) -> str:
        values = ", ".join(f'{alias}."{column}"' for column in columns)
        return (
            f"SELECT {values}, '{history_type}', clock_timestamp(), _actor, _reason, "
            "(SELECT audit_change_set())"
        )

    def row(alias: str) -> str:
        return "ROW(" + ", ".join(f'{alias}."{column}"' for column in compared) + ")"

    declare = [
        ("_facts", "jsonb := NULLIF(current_setting('audit.context', true), '')"),
        ("_actor", "bigint := _facts->>'actor_id'"),
        ("_reason", "text := NULLIF(_facts->>'reason', '')"),
    ]

    def trigger(
        operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, body: str
    ) -> UnskippableTrigger:
        return UnskippableTrigger(
            name=f"history_{operation}".lower(),
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=referencing,
            declare=declare,
            func=f"{into} {body}; RETURN NULL;",
        )

    return [
        trigger(
            pgtrigger.Insert,
            pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            f"{select('n', '+')} FROM new_rows n",
        ),
        trigger(
            pgtrigger.Update,
            pgtrigger.Referencing(  # type: ignore[no-untyped-call]
                old="old_rows", new="new_rows"
            ),
            f'{select("n", "~")} FROM new_rows n JOIN old_rows o ON o."{key}" = n."{key}" '
            f"WHERE {row('n')} IS DISTINCT FROM {row('o')}",
        ),
        trigger(
            pgtrigger.Delete,
            pgtrigger.Referencing(old="old_rows"),  # type: ignore[no-untyped-call]
            f"{select('o', '-')} FROM old_rows o",
        ),
    ]


# The name under which the database refuses a change that lacks its reason.
REASON_GIVEN = "audit_reason_given"


def reason_given(model: type[models.Model]) -> list[UnskippableTrigger]:
    """Three statement triggers that refuse changes which need a reason and have none.

    Which those are, the application announces with a context that has no reason
    (backoffice.audit.reasons); without an announcement there is nothing to compare.
    """
    key = model._meta.pk.column
    # "+" and "-" stand for rows that come and go; whatever else is there is a column.
    fields = "jsonb_array_elements_text(_guarded) AS name WHERE name NOT IN ('+', '-')"
    changed = f"""
        EXECUTE (
            SELECT format(
                'SELECT EXISTS (SELECT FROM new_rows n JOIN old_rows o ON o."{key}" = n."{key}" '
                'WHERE ROW(%s) IS DISTINCT FROM ROW(%s))',
                string_agg(format('n.%I', name), ', '), string_agg(format('o.%I', name), ', ')
            ) FROM {fields}
        ) INTO _found;
    """
    declare = [
        (
            "_guarded",
            (
                "jsonb := NULLIF(current_setting('audit.context', true), '')::jsonb"
                " -> 'needs_reason' -> TG_TABLE_NAME::text"
            ),
        ),
        ("_found", "boolean := false"),
    ]

    def trigger(
        operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, look: str
    ) -> UnskippableTrigger:
        return UnskippableTrigger(
            name=f"reason_{operation}".lower(),
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=referencing,
            declare=declare,
            func=f"""
                IF _guarded IS NOT NULL THEN
                    {look}
                    IF _found THEN
                        RAISE EXCEPTION 'This change of % needs a reason.', TG_TABLE_NAME USING
                            ERRCODE = 'check_violation', CONSTRAINT = '{REASON_GIVEN}',
                            TABLE = TG_TABLE_NAME;
                    END IF;
                END IF;
                RETURN NULL;
            """,
        )

    return [
        trigger(
            pgtrigger.Insert,
            pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
            "_found := _guarded ? '+' AND EXISTS (SELECT FROM new_rows);",
        ),
        trigger(
            pgtrigger.Update,
            pgtrigger.Referencing(  # type: ignore[no-untyped-call]
                old="old_rows", new="new_rows"
            ),
            f"IF EXISTS (SELECT FROM {fields}) THEN {changed} END IF;",
        ),
        trigger(
            pgtrigger.Delete,
            pgtrigger.Referencing(old="old_rows"),  # type: ignore[no-untyped-call]
            "_found := _guarded ? '-' AND EXISTS (SELECT FROM old_rows);",
        ),
    ]
