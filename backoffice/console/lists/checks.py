"""System checks of what a ModelAdmin says of its list: a wrong name is told at the start."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.admin.filters import SimpleListFilter
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import models
from django.db.models.functions import Upper

from .quick import QuickFilter


def check_list(admin: Any) -> Iterator[CheckMessage]:
    """console.E001 to E006."""
    yield from _check_columns(admin)
    yield from _check_cells(admin)
    yield from _check_quick_filters(admin)
    yield from _check_search(admin)


def _error(admin: Any, number: int, said: str, hint: str) -> Error:
    return Error(said, hint=hint, obj=type(admin), id=f"console.E{number:03}")


def _field(admin: Any, name: str) -> models.Field | None:
    try:
        field = admin.opts.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, models.Field) else None


def _check_columns(admin: Any) -> Iterator[CheckMessage]:
    for name in admin.list_columns:
        if not (_field(admin, name) or hasattr(admin, name) or hasattr(admin.model, name)):
            yield _error(
                admin,
                1,
                f"'list_columns' names {name!r}, which is no field of {admin.opts.label} and no "
                "method of it or of the ModelAdmin.",
                "Correct the name, or write the display method.",
            )


def _check_cells(admin: Any) -> Iterator[CheckMessage]:
    columns = {*map(str, admin.list_display), *admin.list_columns}
    for column, name in admin.list_cells.items():
        if column not in columns:
            yield _error(
                admin,
                2,
                f"'list_cells' names the column {column!r}, which the list does not have.",
                "Name a column of 'list_display' or 'list_columns'.",
            )
        field = _field(admin, name)
        if field is None or not field.editable or field.many_to_many:
            yield _error(
                admin,
                3,
                f"'list_cells' edits {name!r} in the column {column!r}, which is no field of "
                f"{admin.opts.label} that a form can edit alone.",
                "Name an editable field of the model that is not many-to-many.",
            )


def _check_quick_filters(admin: Any) -> Iterator[CheckMessage]:
    known = {
        entry.parameter_name
        for entry in admin.list_filter
        if isinstance(entry, type) and issubclass(entry, SimpleListFilter)
    }
    fields = tuple(field.name for field in admin.opts.get_fields())
    for chip in admin.quick_filters:
        if not isinstance(chip, QuickFilter):
            yield _error(
                admin,
                4,
                f"'quick_filters' has {chip!r}, which is no QuickFilter.",
                "Write QuickFilter(label=..., query=...).",
            )
            continue
        names = [name for name, _value in parse_qsl(chip.query, keep_blank_values=True)]
        wrong = [name for name in names if name not in known and not name.startswith(fields)]
        if chip.field and _field(admin, chip.field) is None:
            wrong.append(chip.field)
        for name in wrong or ([] if names else [chip.query]):
            yield _error(
                admin,
                4,
                f"The quick filter {str(chip.label)!r} names {name!r}, by which the list is not "
                "filtered.",
                "Write its query as the address has it once the filter is chosen in the list.",
            )


def _check_search(admin: Any) -> Iterator[CheckMessage]:
    for name in admin.search_codes:
        if _field(admin, name) is None:
            yield _error(
                admin,
                5,
                f"'search_codes' names {name!r}, which is no field of {admin.opts.label}.",
                "Name fields whose exact value stands first, such as a number.",
            )
    if admin.search_text is None:
        return
    try:
        admin.model._base_manager.annotate(searched_text=Upper(admin.search_text))
    except FieldError as wrong:
        yield _error(
            admin,
            6,
            f"'search_text' is no expression over {admin.opts.label}: {wrong}",
            "Write F('name'), or put several fields together as one text.",
        )
    if not admin.search_fields:
        yield _error(
            admin,
            6,
            "'search_text' is searched by nobody, since the list has no search box.",
            "Name in 'search_fields' the fields that it is made of.",
        )
