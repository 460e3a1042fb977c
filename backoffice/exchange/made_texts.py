"""Unique texts that a trigger makes of other columns, such as slugs: made for all rows at once.

The trigger looks at each row whether its text is taken, which is half of an INSERT. What it would
find is mostly clear beforehand; only rows that get in each other's way are left to it.
"""

from collections.abc import Iterator, Mapping

from django.db import connection, models

from backoffice.audit.triggers import TextMakingTrigger

from .sql import column_of


def texts_made(
    model: type[models.Model], values: Mapping[str | None, str]
) -> Iterator[TextMakingTrigger]:
    """The triggers of a model that make texts of what an INSERT says."""
    for trigger in getattr(model._meta, "triggers", ()):
        if isinstance(trigger, TextMakingTrigger):
            needed = [trigger.made_from, *([trigger.also_from] if trigger.also_from else [])]
            if {column_of(model, name) for name in needed} <= values.keys():
                yield trigger


class MadeTexts:
    """The texts that one trigger would make for rows that are inserted in the order of row_no.

    `values` is the SQL of what the rows will hold, by column; `table` is where theirs are kept
    until they are written: row_no and text, NULL where the trigger is to find one.
    """

    def __init__(
        self,
        model: type[models.Model],
        trigger: TextMakingTrigger,
        table: str,
        values: Mapping[str | None, str],
    ) -> None:
        self.model, self.trigger, self.table = model, trigger, table
        self.column = column_of(model, trigger.field)
        self.said = values.get(self.column, "''")
        self.is_of_file = self.column in values
        self.made_from = values[column_of(model, trigger.made_from)]
        also = trigger.also_from
        self.also_from = values[column_of(model, also)] if also else "''"

    @property
    def value(self) -> str:
        """What an INSERT from the rows that are joined with the table puts into the column."""
        return f"COALESCE(NULLIF({self.said}, ''), {self.table}.text, '')"

    @property
    def join(self) -> str:
        return f"LEFT JOIN {self.table} USING (row_no)"

    def make(self, rows: str, later: str) -> None:
        """Make them; `rows` is FROM and WHERE, `later` is true of rows that are inserted last."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"DROP TABLE IF EXISTS {self.table};"
                f"CREATE UNLOGGED TABLE {self.table} AS {self._made(rows, later)};"
                f"ANALYZE {self.table}"
            )
        self._leave_to_the_trigger()

    def _leave_to_the_trigger(self) -> None:
        """What it will make of a row may be what another one has here: that is then for it, too."""
        others = (
            f"(SELECT {self.trigger.other('o.wish', 'o.also')} FROM {self.table} o "
            "WHERE o.text IS NULL)"
        )
        left = 1
        with connection.cursor() as cursor:
            while left:
                cursor.execute(
                    f"UPDATE {self.table} m SET text = NULL WHERE m.text IS NOT NULL "
                    f"AND EXISTS (SELECT 1 FROM {self.table} WHERE text IS NULL) "
                    f"AND (m.text IN {others} "
                    f"OR regexp_replace(m.text, '-[0-9]+$', '') IN {others})"
                )
                left = cursor.rowcount

    def _made(self, rows: str, later: str) -> str:
        """SELECT of row_no, what each text follows from, and the text unless rows contend for it.

        The first row of those with one wish gets it, if it is free; the others know that it is
        taken.
        """
        wish, other = self.trigger.wish("r.made_from"), self.trigger.other("f.wish", "f.also")
        # OFFSET 0 keeps the planner from working each of them out more than once.
        return (
            f"SELECT row_no, wish, also, CASE WHEN count(*) OVER (PARTITION BY text) = 1 "
            f"AND (text = wish OR {self._is_free('c.text', rows)}) THEN text END AS text FROM ("
            f"SELECT row_no, wish, also, CASE WHEN is_first AND wish <> '' "
            f"AND {self._is_free('f.wish', rows)} THEN wish ELSE {other} END AS text FROM ("
            "SELECT *, row_number() OVER (PARTITION BY wish ORDER BY later, row_no) = 1 "
            f'AS is_first FROM (SELECT row_no, also, later, ({wish}) COLLATE "C" AS wish FROM ('
            f"SELECT row_no, {self.made_from} AS made_from, {self.also_from} AS also, "
            f"({later}) IS TRUE AS later {rows} AND {self.said} = '' "
            "OFFSET 0) r OFFSET 0) w OFFSET 0) f OFFSET 0) c"
        )

    def _is_free(self, text: str, rows: str) -> str:
        """True of a text that no row there has, and none for which the file says one."""
        there = f"SELECT 1 FROM {self.model._meta.db_table} x WHERE lower(x.{self.column}) = {text}"
        free = f"NOT EXISTS ({there})"
        if not self.is_of_file:
            return free
        return f"{free} AND {text} NOT IN (SELECT lower({self.said}) {rows} AND {self.said} <> '')"
