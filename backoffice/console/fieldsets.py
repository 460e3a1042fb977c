from collections.abc import Collection, Iterable
from typing import Any


def without(fieldsets: Iterable[Any], names: Collection[str]) -> list[tuple[Any, dict[str, Any]]]:
    """The fieldsets of a form without these fields, and without lines and sets left empty."""
    kept = []
    for title, options in fieldsets:
        lines: list[Any] = []
        for line in options["fields"]:
            if isinstance(line, str):
                lines += [] if line in names else [line]
            elif left := tuple(name for name in line if name not in names):
                lines.append(left)
        if lines:
            kept.append((title, {**options, "fields": lines}))
    return kept
