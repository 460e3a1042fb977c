"""Which column of a file feeds which field."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from .columns import Column
from .compiling import open_columns
from .exceptions import MappingRefused
from .resources import Resource


def normalised(header: str) -> str:
    """Headers are compared without regard to case, spaces, punctuation or a byte order mark."""
    return re.sub(r"[\W_]+", "", header.lstrip("\ufeff").casefold())


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
            *([column.label] if target == name else []),
            *resource.aliases.get(target, ()),
        ]
        for name, column in columns.items()
        for target in column.targets
    }
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
    columns = open_columns(resource, user)
    targets = {target for column in columns.values() for target in column.targets}
    indexes = list(mapping.values())
    if any(not 0 <= index < len(header) for index in indexes):
        raise MappingRefused([_("A column is mapped that the file does not have.")])
    problems = [
        *(
            _("There is no field “%(name)s”.") % {"name": target}
            for target in sorted(mapping.keys() - targets)
        ),
        *(
            _("The column “%(column)s” is mapped to more than one field. Choose one.")
            % {"column": header[index]}
            for index in sorted({i for i in indexes if indexes.count(i) > 1})
        ),
    ]
    key: Column = columns[resource.key()]
    if key.name not in mapping:
        problems.append(
            _(
                "No column is mapped to “%(field)s”, by which rows are recognised. Choose the "
                "column that holds it. The file has: %(columns)s."
            )
            % {"field": key.label, "columns": ", ".join(header)}
        )
    if problems:
        raise MappingRefused(problems)
