"""Which column of a file feeds which field."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from .columns import Column
from .compiling import open_columns
from .exceptions import MappingRefused
from .reading.headers import normalised
from .resources import Resource
from .versions import VERSION, is_versioned


def propose_mapping(resource: Resource, header: Sequence[str], user: Any = None) -> dict[str, int]:
    """{target: index of the file's column}, by name, label and alias, the best name first.

    Each column of the file is used once. What has no home is left out, and shown as such.
    """
    found: dict[str, int] = {}
    index_of: dict[str, int] = {}
    for index, name in enumerate(header):
        index_of.setdefault(normalised(name), index)
    columns = open_columns(resource, user)
    names = {
        target: [
            target,
            *([column.header] if target == name else []),
            *resource.aliases.get(target, ()),
        ]
        for name, column in columns.items()
        for target in column.targets
    }
    if is_versioned(resource):
        names.setdefault(VERSION, [VERSION])
    # All first choices before any second: a field's own name beats another field's alias.
    for rank in range(max(len(candidates) for candidates in names.values())):
        for target, candidates in names.items():
            if target not in found and rank < len(candidates):
                column_index = index_of.get(normalised(candidates[rank]))
                if column_index is not None and column_index not in found.values():
                    found[target] = column_index
    return found


def check_mapping(
    resource: Resource, mapping: Mapping[str, int], header: Sequence[str], user: Any = None
) -> None:
    """Raises MappingRefused unless the key is mapped and each column and field is used once.

    A field that is hidden from the user is none.
    """
    if problems := mapping_problems(resource, mapping, header, user):
        raise MappingRefused(problems)


def mapping_problems(
    resource: Resource,
    mapping: Mapping[str, int],
    header: Sequence[str],
    user: Any = None,
    constants: Mapping[str, str] | None = None,
) -> list[str]:
    """Everything that is wrong with which columns, and which constants, feed which fields."""
    columns = open_columns(resource, user)
    labels = {target: column.label for column in columns.values() for target in column.targets}
    targets = {*labels, *([VERSION] if is_versioned(resource) else [])}
    indexes, constants = list(mapping.values()), constants or {}
    if any(not 0 <= index < len(header) for index in indexes):
        return [_("A column is mapped that the file does not have.")]
    problems = [
        *(
            _("There is no field “%(name)s”.") % {"name": target}
            for target in sorted({*mapping, *constants} - targets)
        ),
        *(
            _("The column “%(column)s” is mapped to more than one field. Choose one.")
            % {"column": header[index]}
            for index in sorted({i for i in indexes if indexes.count(i) > 1})
        ),
        *(
            _("“%(field)s” is fed by a column and by a value for every row. Choose one.")
            % {"field": labels.get(target, target)}
            for target in sorted(mapping.keys() & constants.keys())
        ),
    ]
    key: Column = columns[resource.key()]
    if key.name in constants or VERSION in constants:
        problems.append(
            _("“%(field)s” cannot be the same in every row.")
            % {"field": key.label if key.name in constants else VERSION}
        )
    elif key.name not in mapping:
        problems.append(
            _(
                "No column is mapped to “%(field)s”, by which rows are recognised. Choose the "
                "column that holds it. The file has: %(columns)s."
            )
            % {"field": key.label, "columns": ", ".join(header)}
        )
    return problems
