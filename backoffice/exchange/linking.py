"""Rows beside those of the file, written when those are there: of through tables, and children.

`matched` joins the `plan` p, the checked rows `s` and the rows `t` that they became; `is_changed`
is true of rows of the plan that change.
"""

from collections.abc import Iterator

from .children import ChildrenColumn
from .columns import ListColumn
from .sql import literal, quote


def link(column: ListColumn, plan: str, matched: str, is_changed: str) -> Iterator[str]:
    """Statements that make the rows of a through table those that the file names, and no others."""
    through, (ours, theirs) = quote(column.through._meta.db_table), column.link_columns
    is_other = f"{is_changed} AND {literal(column.name)} = ANY(p.changes)"
    wanted = (
        f"SELECT t.id AS ours, r.id AS theirs FROM {matched} "
        f"CROSS JOIN LATERAL unnest(s.{column.value}) n "
        f"JOIN {column.related_table} r ON lower(r.{column.related_key}) = lower(n) "
        f"WHERE p.status = 'new' OR ({is_other})"
    )
    yield (
        f"WITH wanted AS MATERIALIZED ({wanted}) DELETE FROM {through} l USING {plan} p "
        f"WHERE {is_other} AND l.{ours} = p.target AND NOT EXISTS ("
        f"SELECT 1 FROM wanted w WHERE w.ours = l.{ours} AND w.theirs = l.{theirs})"
    )
    yield (
        f"INSERT INTO {through} ({ours}, {theirs}) "
        f"SELECT ours, theirs FROM ({wanted}) w ON CONFLICT DO NOTHING"
    )


def write_children(column: ChildrenColumn, matched: str, is_changed: str) -> Iterator[str]:
    return iter(
        column.apply(
            f"SELECT t.id, s.{column.value} AS value FROM {matched} "
            f"WHERE s.{column.value} IS NOT NULL AND (p.status = 'new' "
            f"OR ({is_changed} AND p.changes && {literal(column.written_with)}))"
        )
    )
