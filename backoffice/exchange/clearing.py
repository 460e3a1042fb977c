"""What becomes of a field where the file's cell is blank, or says `<clear>`."""

from django.db import connection, models

from .children import ChildrenColumn
from .columns import Column, ListColumn
from .models import ImportJob
from .sql import literal
from .uniqueness import unique_fields

# Written in a cell, in any case, it clears the field of that row.
CLEAR = "<clear>"

Blank = ImportJob.BlankCells


def is_clear(cell: str) -> str:
    """SQL: whether a cell says to clear. The length is looked at first since it costs nothing."""
    return f"(octet_length({cell}) = {len(CLEAR)} AND lower({cell}) = {literal(CLEAR)})"


def empty_value(column: Column) -> str | None:
    """What a cleared field holds, as SQL; None if it must have a value."""
    found = column.model_field
    if isinstance(column, ListColumn):
        return "'{}'::text[]"
    if isinstance(column, ChildrenColumn):
        return "''"
    if found.null:
        return "NULL"
    if isinstance(found, models.JSONField):
        return "'{}'::jsonb" if found.blank else None
    is_text = found.blank and found.empty_strings_allowed and not found.choices
    # An empty text cannot stand in two rows if the field is unique.
    return "''" if is_text and found.name not in {*unique_fields(found.model)} else None


def blank_value(column: Column, policy: str) -> str | None:
    """What a blank cell puts into the field, as SQL; None if it says nothing of it."""
    if policy == Blank.DEFAULT and column.db_column is not None:
        return column.default()
    return None if policy == Blank.KEEP else empty_value(column)


def find_clears(job: ImportJob, columns: dict[str, Column], key: str) -> list[str]:
    """The fields that the file may clear: said by the policy, or by some cell, constant or step.

    One look at all cells, so that the other columns cost no more than without.
    """
    if job.blank_cells != Blank.KEEP:
        return sorted(columns.keys() - {key})
    indexes = sorted({int(index) for index in job.mapping.values()})
    said: set[int] = set()
    if indexes:
        looks = ", ".join(f"COALESCE(bool_or({is_clear(f'c{i}')}), false)" for i in indexes)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {looks} FROM {job.stage('raw')}")
            said = {i for i, found in zip(indexes, cursor.fetchone(), strict=True) if found}
    targets = {target for target, index in job.mapping.items() if index in said}
    targets |= {t for t, value in job.constants.items() if value.strip().lower() == CLEAR}
    targets |= {
        target
        for target, steps in job.transformations.items()
        if any(CLEAR in str(fact).lower() for step in steps for fact in step.values())
    }
    return sorted(name for name, c in columns.items() if not targets.isdisjoint(c.targets))
