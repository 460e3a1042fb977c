"""A checked file that is read anew by a worker, and cannot be: it stays as it was before."""

from copy import deepcopy
from typing import Any

from .models import ImportJob

# All that reading a file in another way may change; what the plan found follows from the tables.
_FIELDS = (
    "state", "encoding", "delimiter", "header", "header_line", "has_header", "sheet",
    "decimal_sign", "date_order", "reading", "source_format", "source_header", "left_out",
    "mapping", "constants", "transformations", "creates", "blank_cells", "lookups", "guesses",
    "deactivate_missing", "deactivate_scope", "conflict_choices", "profile_id", "summary",
)  # fmt: skip
_KEY = "before"


def as_it_is(job: ImportJob) -> dict[str, Any]:
    """What recover() needs; to be taken before anything of the job is changed."""
    return deepcopy({name: getattr(job, name) for name in _FIELDS})


def remember(job: ImportJob, before: dict[str, Any], *, restage: bool) -> None:
    """Keep on the job how it was; the caller saves it, and leaves the staged rows alone.

    With `restage`, the worker is to stage the rows anew.
    """
    job.reading[_KEY] = {**before, "restage": restage}


def begin_anew(job: ImportJob) -> bool:
    """Whether the rows that are staged are those of the reading before; forgets what that was."""
    return bool(job.reading.pop(_KEY, {}).get("restage"))


def recover(job: ImportJob) -> bool:
    """Put back how the job was before it was read anew, if it was; the caller saves it."""
    before = job.reading.get(_KEY)
    if not before:
        return False
    for name in _FIELDS:
        setattr(job, name, before[name])
    return True
