"""What a column may be where its header alone does not say it. Only ever proposed."""

import re
from collections.abc import Callable, Sequence

from django.db import connection

from .compiling import open_columns
from .models import ImportJob
from .reading.headers import normalised
from .resources import Resource
from .sql import quote
from .versions import PATTERN, VERSION

_ROWS = 200
_LEAST = 2  # of different cells, or a column of one and the same value would say something
_MOST_UNKNOWN = 0.5
# Headers that say the opposite of what fields here do: yes in such a column is no.
_OPPOSITES = frozenset(
    normalised(word)
    for word in (
        "discontinued", "is discontinued", "inactive", "is inactive", "hidden", "is hidden",
        "disabled", "is disabled", "archived", "is archived", "unpublished", "obsolete",
        "out of range", "end of life", "eol",
    )
)  # fmt: skip
_IMAGE = re.compile(r"https?://\S+\.(?:jpe?g|png|gif|webp|avif|svg)(?:\?\S*)?", re.IGNORECASE)


def says_the_opposite(header: str) -> bool:
    return normalised(header) in _OPPOSITES


def is_gtin(cell: str) -> bool:
    """Whether it is a number of 8, 12, 13 or 14 digits, the last of which checks the others."""
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", cell):
        return False
    # GS1 General Specifications, 7.9: from the right, the weights are 3, 1, 3, ...
    weighed = sum(int(d) * (3, 1)[n % 2] for n, d in enumerate(reversed(cell[:-1])))
    return (10 - weighed % 10) % 10 == int(cell[-1])


def is_image(cell: str) -> bool:
    return all(_IMAGE.fullmatch(part) for part in cell.replace(",", " ").split())


# What a resource may say that a field holds.
CONTENTS: dict[str, Callable[[str], bool]] = {"gtin": is_gtin, "image": is_image}


def guess(job: ImportJob, resource: Resource) -> dict[str, int]:
    """{target: index} of columns that are mapped to nothing, for fields that nothing feeds."""
    cells = _first_cells(job)
    free = [i for i in range(len(job.header)) if i not in job.mapping.values() and cells[i]]
    columns = open_columns(resource, job.user)
    found: dict[str, int] = {}
    for target, content in resource.contents.items():
        if target in columns and target not in job.mapping and target not in job.constants:
            fits = (i for i in free if all(map(CONTENTS[content], cells[i])))
            if (index := next(fits, None)) is not None and len(cells[index]) >= _LEAST:
                found[target] = index
                free.remove(index)
    if (used := resource.deactivates) in columns and not {used} & {*job.mapping, *job.constants}:
        fits = (i for i in free if says_the_opposite(job.header[i]))
        if (index := next(fits, None)) is not None:
            found[used] = index
            free.remove(index)
    key = resource.key()
    if key not in job.mapping:
        known = {i: _known_keys(resource, cells[i]) / len(cells[i]) for i in free}
        best = max(known, key=lambda i: known[i], default=None)
        if best is not None and known[best] > _MOST_UNKNOWN:
            found[key] = best
    return found


def drop_false_version(job: ImportJob) -> None:
    """A column that is called so by chance, such as of software, is not that of our exports."""
    index = job.mapping.get(VERSION)
    if index is not None and not all(re.fullmatch(PATTERN, c) for c in _first_cells(job)[index]):
        job.mapping = {target: i for target, i in job.mapping.items() if target != VERSION}


def _first_cells(job: ImportJob) -> list[list[str]]:
    """The different cells of each column in the first rows."""
    columns = ", ".join(f"c{index}" for index in range(len(job.header)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {job.stage('raw')} ORDER BY row_no LIMIT {_ROWS}")
        rows = cursor.fetchall()
    return [
        list(dict.fromkeys(row[index] for row in rows if row[index]))
        for index in range(len(job.header))
    ]


def _known_keys(resource: Resource, cells: Sequence[str]) -> int:
    """How many of the cells are keys of live rows."""
    model = resource.model()
    column = quote(str(model._meta.get_field(resource.key()).column))  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {quote(model._meta.db_table)} t WHERE lower(t.{column}) = "
            "ANY(SELECT lower(c) FROM unnest(%s::text[]) c)",
            [list(cells)],
        )
        return int(cursor.fetchone()[0])
