"""A plan carried out: a few statements for each table, whatever the number of rows.

What nobody could foresee (a trigger that refuses a row) is found by halving: the statement is
tried on all rows, then on halves. Rows that are refused are kept, with all that follows from it,
and everything is done anew from the start, so that no half of it ever stands.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, OperationalError, connection, transaction

from backoffice.audit.exceptions import UndoRefusedByDatabase
from backoffice.audit.replanning import plan_anew

from .plan import Act
from .rules import keep_what_follows
from .tables import Reference, UndoTable, column_of, literal

# Beyond that it is no odd row out: the whole of it cannot be.
MOST_REFUSED = 100
MOST_ROUNDS = 5


@dataclass(frozen=True)
class Refusal:
    """A row that the database did not take, and the rule that it named."""

    table: UndoTable
    number: int
    rule: str


@dataclass(frozen=True)
class _Work:
    """One act on one table, and the rows of the stage (from, to) that are left to do."""

    table: UndoTable
    act: Act
    spans: tuple[tuple[int, int], ...]


def write_plan(tables: Sequence[UndoTable]) -> None:
    """Undo what the stages say. `kept` and `rule` are added to rows that turn out impossible.

    Raises UndoRefusedByDatabase if there are too many of those, or if the rows cannot be in the
    state before together; the caller's transaction is as it was then.
    """
    plan_anew()  # the locks were taken by an update of no row
    for _round in range(MOST_ROUNDS):
        refused: list[Refusal] = []
        with transaction.atomic():
            refused = _write(tables)
            if refused:
                transaction.set_rollback(True)
            else:
                _check_deferred()
        if not refused:
            return
        with connection.cursor() as cursor:
            for refusal in refused:
                cursor.execute(
                    f"UPDATE {refusal.table.stage} SET kept = 'forbidden', "
                    f"rule = {literal(refusal.rule)} WHERE n = {literal(refusal.number)}"
                )
        keep_what_follows(tables)
    raise UndoRefusedByDatabase(refused[0].rule)


def _check_deferred() -> None:
    """Let foreign keys, which wait for the end of the transaction, speak now."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    except OperationalError:
        raise
    except DatabaseError as error:
        raise UndoRefusedByDatabase(rule_of(error)) from error


def _write(tables: Sequence[UndoTable]) -> list[Refusal]:
    """Do all of it, and return the rows that were refused.

    Removed first, since what comes back may need their place; then what others point at comes
    before those. A row that needs another's place gets a second chance once that has moved.
    """
    todo = [
        *_works(tables, Act.REMOVE),
        *_works(list(reversed(tables)), Act.BRING_BACK),
        *_works(list(reversed(tables)), Act.PUT_BACK),
    ]
    refused: list[Refusal] = []
    while todo:
        before = sum(len(work.spans) for work in todo)
        refused, again = [], []
        for work in todo:
            found: list[Refusal] = []
            for first, last in work.spans:
                _try(work, first, last, found)
            if len(refused) + len(found) > MOST_REFUSED:
                raise UndoRefusedByDatabase(found[0].rule)
            refused += found
            if found:
                again.append(
                    _Work(work.table, work.act, tuple((r.number, r.number) for r in found))
                )
        single = all(first == last for work in todo for first, last in work.spans)
        if single and sum(len(work.spans) for work in again) == before:
            break
        todo = again
    return refused


def _works(tables: Sequence[UndoTable], act: Act) -> Iterator[_Work]:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                f"SELECT min(n), max(n) FROM {table.stage} "
                f"WHERE act = {literal(act.value)} AND kept IS NULL"
            )
            first, last = cursor.fetchone()
            if first is not None:
                yield _Work(table, act, ((first, last),))


def _try(work: _Work, first: int, last: int, refused: list[Refusal]) -> None:
    """Do a span of rows; where it fails, its halves."""
    try:
        with transaction.atomic():
            _STATEMENTS[work.act](work.table, first, last)
        return
    except OperationalError:
        raise  # a deadlock, a lost connection, a statement cancelled: no row's fault
    except DatabaseError as error:
        if first == last:
            refused.append(Refusal(work.table, first, rule_of(error)))
            return
        rule = rule_of(error)
    if len(refused) >= MOST_REFUSED:
        raise UndoRefusedByDatabase(rule)
    middle = _middle(work, first, last)
    _try(work, first, middle, refused)
    _try(work, middle + 1, last, refused)


def _middle(work: _Work, first: int, last: int) -> int:
    """Where to cut, so that both halves have rows to do if there are two."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY s.n) "
            f"FROM {work.table.stage} s WHERE {_span(work.act, first, last)}"
        )
        (middle,) = cursor.fetchone()
    return min(int(middle), last - 1)


def _span(act: Act, first: int, last: int) -> str:
    return (
        f"s.act = {literal(act.value)} AND s.kept IS NULL "
        f"AND s.n BETWEEN {literal(first)} AND {literal(last)}"
    )


def _remove(table: UndoTable, first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table.name} t USING {table.stage} s "
            f"WHERE t.{table.key} = s.key AND {_span(Act.REMOVE, first, last)}"
        )


def _bring_back(table: UndoTable, first: int, last: int) -> None:
    """Insert with the old key, level by level where rows point at rows of the same table."""
    values = {column: _value(table, column) for column in _columns(table)}
    values |= table.missing_values
    statement = (
        f"INSERT INTO {table.name} ({', '.join(values)}) SELECT {', '.join(values.values())} "
        f"FROM {table.stage} s JOIN {table.history} b ON b.history_id = s.before "
        f"JOIN {table.history} l ON l.history_id = s.last "
        f"WHERE {_span(Act.BRING_BACK, first, last)} {{only}} ORDER BY s.n"
    )
    with connection.cursor() as cursor:
        if table.own:
            there = " AND ".join(
                f"(b.{ref.column} IS NULL OR EXISTS (SELECT 1 FROM {table.name} p "
                f"WHERE p.{table.key} = b.{ref.column}))"
                for ref in table.own
            )
            missing = f"NOT EXISTS (SELECT 1 FROM {table.name} t WHERE t.{table.key} = s.key)"
            statement_of_level = statement.format(only=f"AND {missing} AND {there}")
            written = 1
            while written:
                cursor.execute(statement_of_level)
                written = cursor.rowcount
            statement = statement.format(only=f"AND {missing}")
        else:
            statement = statement.format(only="")
        cursor.execute(statement)


def _put_back(table: UndoTable, first: int, last: int) -> None:
    changed = _changed_columns(table)
    assignments = ", ".join(f"{column} = {_value(table, column)}" for column in changed)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table.name} t SET {assignments} "
            f"FROM {table.stage} s JOIN {table.history} b ON b.history_id = s.before "
            f"JOIN {table.history} l ON l.history_id = s.last "
            f"WHERE t.{table.key} = s.key AND {_span(Act.PUT_BACK, first, last)}"
        )


_STATEMENTS: dict[Act, Callable[[UndoTable, int, int], None]] = {
    Act.REMOVE: _remove,
    Act.BRING_BACK: _bring_back,
    Act.PUT_BACK: _put_back,
}


def _columns(table: UndoTable) -> list[str]:
    return [column_of(field) for field in table.tracked]


def _changed_columns(table: UndoTable) -> list[str]:
    """The columns in which some row differs: an update of others would cost locks and checks."""
    differs = ", ".join(
        f"bool_or(b.{column} IS DISTINCT FROM l.{column})" for column in table.compared
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {differs} FROM {table.stage} s "
            f"JOIN {table.history} b ON b.history_id = s.before "
            f"JOIN {table.history} l ON l.history_id = s.last "
            "WHERE s.act = 'put_back' AND s.kept IS NULL"
        )
        found = cursor.fetchone()
    return [column for column, changed in zip(table.compared, found, strict=True) if changed]


def _value(table: UndoTable, column: str) -> str:
    """What the column holds in the state before.

    What would point at something that went since points at nothing, where Django's rule for it
    says so. A version never holds for two states: where the state is not that of the deletion, it
    is a new one.
    """
    if column == '"version"' and "version" in table.history_model.ignored_fields:
        return "l.version + CASE WHEN s.before = s.last THEN 0 ELSE 1 END"
    for ref in table.references:
        if ref.column == column and ref.is_cleared:
            return _if_there(ref, f"b.{column}")
    return f"b.{column}"


def _if_there(ref: Reference, value: str) -> str:
    return (
        f"(SELECT p.{ref.target_key} FROM {ref.target_table} p WHERE p.{ref.target_key} = {value})"
    )


def rule_of(error: DatabaseError) -> str:
    """The constraint that an error names, or what it says."""
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    return str(name or getattr(diagnosis, "message_primary", None) or error)
