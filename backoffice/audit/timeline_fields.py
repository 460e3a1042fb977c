"""In which entries a field changed: small ones by one query, large ones as far as time goes."""

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .timeline_sql import Query, changed_since_before, first_rows, history_table, quoted

if TYPE_CHECKING:
    from .timeline import Touched

# How many rows of a large entry are looked through in one go.
WINDOW = 10_000


def changed_in_first_rows(
    touched: Iterable["Touched"], numbers: Sequence[int], most_rows: int
) -> tuple[set[int], frozenset[int]]:
    """Of these entries those in which one of the fields changed, and those too large to say.

    Of each no more than `most_rows` rows are read.
    """
    sure: set[int] = set()
    unsure: set[int] = set()
    for one in touched:
        assert one.field is not None  # noqa: S101 - those with a field were asked for
        rows = first_rows(one.model, "n.id")
        changed = changed_since_before(one.model, one.field, "h")
        query = Query(
            f"""
            SELECT n.id,
                   EXISTS (SELECT 1 FROM ({rows} LIMIT %s) h WHERE {changed}),
                   EXISTS ({rows} OFFSET %s)
            FROM unnest(%s::bigint[]) AS n(id)
            """,
            [most_rows, most_rows, list(numbers)],
        )
        for number, found, large in query.rows():
            if found:
                sure.add(number)
            elif large:
                unsure.add(number)
    return sure, frozenset(unsure - sure)


def changed_further(touched: Iterable["Touched"], number: int, deadline: float) -> bool | None:
    """Whether one of the fields changed in any row of a large entry; None if time ran out.

    `deadline` is a time of `time.monotonic()`. Some rows are looked at in any case.
    """
    for one in touched:
        assert one.field is not None  # noqa: S101 - those with a field were asked for
        table = history_table(one.model)
        asked = dict.fromkeys(
            [
                *("change_set_id", "history_id", "history_type", "history_date"),
                quoted(one.model._meta.pk.column),
                quoted(one.field.column),
            ]
        )
        window = (
            f"WITH looked AS MATERIALIZED (SELECT {', '.join(asked)} FROM {table} "
            "WHERE (change_set_id, history_id) > (%s, %s) AND change_set_id <= %s "
            "ORDER BY change_set_id, history_id LIMIT %s) "
            "SELECT EXISTS (SELECT 1 FROM looked h WHERE "
            f"{changed_since_before(one.model, one.field, 'h')}), "
            "(SELECT max(history_id) FROM looked), (SELECT count(*) FROM looked)"
        )
        after, count = 0, WINDOW
        while count == WINDOW:
            ((found, last, count),) = Query(window, [number, after, number, WINDOW]).rows()
            if found:
                return True
            after = last
            if count == WINDOW and time.monotonic() > deadline:
                return None
    return False
