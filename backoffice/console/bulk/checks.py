"""System checks of what a ModelAdmin says of its bulk edit: a wrong name is told at the start."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist

from .changes import deeds_of
from .constraints import unique_names


def check_bulk_fields(admin: Any) -> Iterator[CheckMessage]:
    """console.E007 and E008."""
    for name in admin.bulk_fields or ():
        try:
            field = admin.opts.get_field(name)
        except FieldDoesNotExist:
            yield _error(
                admin,
                7,
                f"'bulk_fields' names {name!r}, which is no field of {admin.opts.label}.",
                "Correct the name.",
            )
            continue
        if (
            not getattr(field, "editable", False)
            or not deeds_of(field)
            or name in {*unique_names(admin.model), *admin.readonly_fields}
        ):
            yield _error(
                admin,
                8,
                f"'bulk_fields' names {name!r}, which cannot be edited in many rows of "
                f"{admin.opts.label} at once.",
                "Name fields that a form can edit, and that are neither unique nor read-only.",
            )


def _error(admin: Any, number: int, said: str, hint: str) -> Error:
    return Error(said, hint=hint, obj=type(admin), id=f"console.E{number:03}")
