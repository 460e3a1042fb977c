"""The one form in which rows are hashed, by PostgreSQL itself.

A row is hashed as the text of ROW(...) over named columns in a fixed order. That text is
unambiguous: NULL is nothing, an empty text is "", and whatever holds a comma, a bracket, a quote
or white space is quoted. What a session could change about the text of a value is fixed by
`fix_output`. Numerics go without trailing zeros, so that a column may get more places.

Which columns, is a form: kept in the database, named by each seal, and part of its hash. It is
taken from the database's own catalogue when something is sealed; when a table has got another
column since, a new form begins. What was sealed stays verifiable as long as its columns are there
under their names, or under those that the setting AUDIT_RENAMED gives.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import models

from backoffice.audit.models import ChangeSet, SealForm
from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models

ALGORITHM = 1
CHANGE_SETS = ChangeSet._meta.db_table

# What each hash begins with, so that none of one kind can pass for one of another.
ROW, ROWS, ENTRY = r"'\x00'::bytea", r"'\x02'::bytea", r"'\x03'::bytea"

_OUTPUT = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    # Nor may anything stand in for the record: a table or a function of the same name in another
    # schema, or a policy that hides rows from some readers (PostgreSQL then refuses to answer).
    "search_path": "public, pg_temp",  # pg_catalog comes first where it is not named
    "row_security": "off",
    # Not about the text: compiling these queries takes longer than running them.
    "jit": "off",
}


def fix_output(cursor: Any) -> None:
    """For the rest of the transaction, let every session see the same rows as the same text."""
    calls = ", ".join("set_config(%s, %s, true)" for _ in _OUTPUT)
    cursor.execute(f"SELECT {calls}", [word for pair in _OUTPUT.items() for word in pair])


def history_tables() -> dict[str, type[models.Model]]:
    """The tables of the history, and whose history it is."""
    return {history_of(model)._meta.db_table: model for model in trailed_models}


class ColumnsGone(Exception):
    """What a form names is not in the database any more."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(", ".join(self.names))


@dataclass(frozen=True)
class Form:
    """Which columns of which tables are hashed; each with its kind, "numeric" or none."""

    number: int
    tables: dict[str, list[tuple[str, str]]]
    hash: str

    def row_hash(self, table: str, there: "Catalogue", alias: str = "r") -> str:
        """SQL for the hash of one row. Raises ColumnsGone."""
        columns = [(_today(table, name), kind) for name, kind in self.tables[table]]
        known = dict(there.columns.get(_today(table), ()))
        if gone := [name for name, _ in columns if name not in known]:
            raise ColumnsGone(f"{_today(table)}.{name}" for name in gone)
        values = (
            f'trim_scale({alias}."{name}")' if kind == "numeric" else f'{alias}."{name}"'
            for name, kind in columns
        )
        return f"sha256({ROW} || convert_to(ROW({', '.join(values)})::text, 'UTF8'))"


def _today(table: str, column: str = "") -> str:
    """The present name of a table, or of a column of a table by the name it was sealed under."""
    old = f"{table}.{column}" if column else table
    name = str(settings.AUDIT_RENAMED.get(old, old))
    return name.rpartition(".")[2] if column else name


def table_today(table: str) -> str:
    return _today(table)


def column_today(table: str, column: str) -> str:
    return _today(table, column)


@dataclass(frozen=True)
class Catalogue:
    """The columns that tables have in the database, in the order of their names."""

    columns: dict[str, list[tuple[str, str]]]

    @classmethod
    def read(cls, cursor: Any) -> "Catalogue":
        cursor.execute(
            """
            SELECT c.relname, a.attname,
                   CASE WHEN a.atttypid = 'numeric'::regtype THEN 'numeric' ELSE '' END
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
              AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY c.relname COLLATE "C", a.attname COLLATE "C"
            """
        )
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, name, kind in cursor.fetchall():
            columns.setdefault(table, []).append((name, kind))
        return cls(columns)


def describe(tables: dict[str, list[tuple[str, str]]]) -> str:
    """The text of a form, that its hash is over."""
    facts = {"algorithm": ALGORITHM, "tables": tables}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def hash_of(description: str) -> str:
    return sha256(description.encode()).hexdigest()


def load_form(kept: SealForm) -> Form:
    tables = json.loads(kept.description)["tables"]
    listed = {table: [(name, kind) for name, kind in tables[table]] for table in tables}
    return Form(kept.number, listed, kept.hash)


def form_of_today(there: Catalogue) -> Form:
    """The form for what is sealed now: the newest one if it still fits, else the next.

    One sealer at a time calls this, inside its transaction.
    """
    wanted = [CHANGE_SETS, *history_tables()]
    description = describe({table: there.columns[table] for table in wanted})
    newest = SealForm.objects.order_by("-number").first()
    if newest is None or newest.description != description:
        newest = SealForm.objects.create(
            number=newest.number + 1 if newest else 1,
            description=description,
            hash=hash_of(description),
        )
    return load_form(newest)
