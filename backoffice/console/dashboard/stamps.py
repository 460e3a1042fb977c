"""Whether anything has changed: told by the record, which misses no way of writing.

A signal hears of `save()` alone. The newest row of a history is another after every import, bulk
action, cascade and statement of SQL as well, and costs one look at the end of an index.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, models

from backoffice.audit.models import ChangeSet
from backoffice.audit.naming import history_of
from backoffice.audit.trail import trailed_models


@dataclass(frozen=True)
class Stamps:
    """The state of some tables. While somebody writes, their rows may still come in below it."""

    newest: dict[str, int]
    is_quiet: bool

    def of(self, models: Iterable[type[models.Model]] | None) -> tuple[int, ...] | None:
        """The state of these; None if nothing tells it, for one of them keeps no history."""
        if models is None:
            return None
        found = [self.newest.get(model._meta.label_lower) for model in models]
        return None if None in found else tuple(found)  # type: ignore[arg-type]


def stamps_of(models: Iterable[type[models.Model]]) -> Stamps:
    """One statement, whatever the number of models."""
    tables = {}
    for model in models:
        if model is ChangeSet:
            tables[model._meta.label_lower] = (ChangeSet._meta.db_table, "id")
        elif model in trailed_models:
            tables[model._meta.label_lower] = (history_of(model)._meta.db_table, "history_id")
    newest = [
        f'(SELECT COALESCE(max("{column}"), 0) FROM "{table}")' for table, column in tables.values()
    ]
    # Keys are given out as rows are written, and seen as they are committed. Of what is under way
    # a key may be lower than the newest that is seen.
    quiet = "(SELECT count(*) = 0 FROM pg_snapshot_xip(pg_current_snapshot()))"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([quiet, *newest])}")
        is_quiet, *numbers = cursor.fetchone()
    return Stamps(dict(zip(tables, numbers, strict=True)), is_quiet)
