"""What must always hold of the data, as searches for what breaks it.

Each app registers its own, by its number in the design; `manage.py check_invariants` runs all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.db import connection, models, transaction
from django.db.utils import DatabaseError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .checks import triggers_fit_their_models
from .models import ChangeSet
from .naming import history_of, tracked_fields
from .trail import trailed_models

type Search = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Invariant:
    """A promise, and the search for what breaks it: a sentence for each case."""

    code: str
    promise: Any  # lazily translated
    search: Search


_registered: dict[str, Invariant] = {}


def invariant(code: str, promise: Any) -> Callable[[Search], Search]:
    """Register a search. Raises ValueError if the code is taken."""

    def register(search: Search) -> Search:
        if code in _registered:
            raise ValueError(f"There is an invariant {code} already.")
        _registered[code] = Invariant(code, promise, search)
        return search

    return register


def invariants() -> list[Invariant]:
    """All of them, by their numbers: I2 before I10."""
    return sorted(_registered.values(), key=lambda one: (len(one.code), one.code))


@invariant("I7", gettext_lazy("append-only tables refuse UPDATE, DELETE and TRUNCATE"))
def tables_that_let_go() -> Iterator[str]:
    """By the triggers that are installed, and by trying: without a row, it is refused as well.

    TRUNCATE is not tried: where nothing refused it, it would lock everybody out.
    """
    for message in triggers_fit_their_models(databases=["default"]):
        yield str(message.msg)
    for model, trigger in pgtrigger.registered():
        if trigger.name == "append_only":
            table, key = model._meta.db_table, model._meta.pk.column
            for verb, statement in (
                ("UPDATE", f'UPDATE "{table}" SET "{key}" = "{key}" WHERE false'),
                ("DELETE", f'DELETE FROM "{table}" WHERE false'),
            ):
                if _is_taken(statement):
                    yield _("%(table)s takes %(verb)s.") % {"table": table, "verb": verb}


def _is_taken(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:
        return False
    return True


@dataclass(frozen=True)
class Difference:
    """A live row that is not what its newest history row says."""

    model: type[models.Model]
    key: str
    message: str


@invariant("I8", gettext_lazy("every audited row's newest history row equals the live row"))
def live_rows_off_the_record() -> Iterator[str]:
    for model in trailed_models:
        for difference in live_rows_that_differ(model):
            yield difference.message


def live_rows_that_differ(model: type[models.Model]) -> Iterator[Difference]:
    """Compare a table with its history, over what counts as a change, in one query."""
    history = history_of(model)
    key = model._meta.pk.column
    fields = [f for f in tracked_fields(model) if f.name not in history.ignored_fields]
    live = ", ".join(f'l."{field.column}"' for field in fields)
    last = ", ".join(f'h."{field.column}"' for field in fields)
    what = capfirst(str(model._meta.verbose_name))
    # One transaction, so that rows come a few at a time, however many there are.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            WITH newest AS (  -- by their numbers, not by sorting whole rows
                SELECT max(history_id) AS history_id FROM "{history._meta.db_table}"
                GROUP BY "{key}"
            ), h AS (
                SELECT * FROM "{history._meta.db_table}" JOIN newest USING (history_id)
            )
            SELECT COALESCE(l."{key}", h."{key}")::text, l."{key}" IS NOT NULL, h.history_type
            FROM "{model._meta.db_table}" l FULL JOIN h ON h."{key}" = l."{key}"
            WHERE (h.history_type = '-') IS DISTINCT FROM (l."{key}" IS NULL)
               OR (h.history_type <> '-' AND ROW({live}) IS DISTINCT FROM ROW({last}))
            """
        )
        for found, lives, last_type in cursor:
            if last_type is None:
                text = _("%(object)s has no history.")
            elif not lives:
                text = _("%(object)s is gone, and its history does not say so.")
            elif last_type == "-":
                text = _("%(object)s is there, and its history says that it was deleted.")
            else:
                text = _("%(object)s is not what its newest history row says.")
            yield Difference(model, found, text % {"object": f"{what} {found}"})


@dataclass(frozen=True)
class Orphans:
    """History rows of one table that name a change set which is not there."""

    table: str
    change_set: int | None
    rows: int

    @property
    def message(self) -> str:
        text = ngettext(
            "%(rows)d row of %(table)s names change set %(number)s, which is not there.",
            "%(rows)d rows of %(table)s name change set %(number)s, which is not there.",
            self.rows,
        )
        return text % {"rows": self.rows, "table": self.table, "number": self.change_set}


def rows_without_a_change_set() -> Iterator[Orphans]:
    for model in trailed_models:
        table = history_of(model)._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT h.change_set_id, count(*) FROM "{table}" h
                WHERE NOT EXISTS (
                    SELECT 1 FROM {ChangeSet._meta.db_table} c WHERE c.id = h.change_set_id
                )
                GROUP BY h.change_set_id ORDER BY h.change_set_id
                """
            )
            for change_set, rows in cursor.fetchall():
                yield Orphans(table, change_set, rows)
