"""How values, sources and actions of the record read to a person."""

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .context import Source

NOTHING = "—"

SOURCES = {
    Source.ADMIN: gettext_lazy("back office"),
    Source.API: gettext_lazy("API"),
    Source.IMPORT: gettext_lazy("import"),
    Source.TASK: gettext_lazy("background task"),
    Source.COMMAND: gettext_lazy("command"),
    Source.SHELL: gettext_lazy("shell"),
    Source.SQL: gettext_lazy("direct SQL"),
}
# What events have to say besides, in the order in which it is read.
FACTS = {
    "rows": gettext_lazy("Rows"),
    "filter": gettext_lazy("Filter"),
    "columns": gettext_lazy("Columns"),
    "bytes": gettext_lazy("Bytes"),
    "sha256": "SHA-256",
    "complete": gettext_lazy("Complete"),
    "file": gettext_lazy("File"),
    "table": gettext_lazy("Table"),
    "before_seal": gettext_lazy("Under the seals before"),
    "history_ids_sha256": gettext_lazy("SHA-256 of the numbers of the rows"),
    "resource": gettext_lazy("Resource"),
    "method": gettext_lazy("Method"),
    "path": gettext_lazy("Path"),
    "mentions": gettext_lazy("Mentions"),
    "email": gettext_lazy("E-mail address"),
    "client": gettext_lazy("Client"),
    "failures": gettext_lazy("Failures"),
    "locked": gettext_lazy("What is locked"),
}
# Unfold's colours. What no application announced stands out.
SOURCE_VARIANTS = {
    Source.ADMIN: "info",
    Source.API: "info",
    Source.IMPORT: "success",
    Source.SHELL: "warning",
    Source.SQL: "danger",
}

# Longer texts show what changed in them, word by word.
LONG_TEXT = 80
# What is shorter than this has no words that could have stayed.
FEW_WORDS = 4
# difflib takes time by the square of the number of words.
MOST_WORDS = 3000
WORDS_AROUND = 6


@dataclass(frozen=True)
class Passage:
    """A stretch of a value, and whether it differs from its other version."""

    text: str
    changed: bool = False


type Text = tuple[Passage, ...]


def value_in_words(field: models.Field, value: Any, name_of: Callable[[Any, Any], str]) -> str:
    """One value as its field's form would show it. `name_of` knows the names of related rows."""
    if value is None:
        return NOTHING
    if field.is_relation:
        return name_of(field, value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return plain_in_words(value)


def plain_in_words(value: Any) -> str:
    """A value that says all by itself."""
    match value:
        case None:
            return NOTHING
        case bool():
            return _("yes") if value else _("no")
        case "":
            return _("empty")
        case Decimal():
            return formats.number_format(value, _places(value))
        case datetime():
            return moment_in_words(value)
        case date():
            return formats.date_format(value, "DATE_FORMAT")
        case dict() if all(isinstance(v, str | int | float) for v in value.values()):
            return ", ".join(f"{k}: {v}" for k, v in sorted(value.items())) or _("empty")
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else _("empty")
        case bytes() | memoryview():
            return _("%(count)d bytes") % {"count": len(value)}
    return str(value)


def moment_in_words(value: datetime) -> str:
    """Date and time to the second, in the viewer's language and the shop's time zone."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S}"


def grouped(number: int) -> str:
    """A count with its thousands grouped, in the viewer's language."""
    return str(formats.number_format(number, force_grouping=True))


def _places(value: Decimal) -> int:
    """Decimal places without the noise: zeros beyond the second place say nothing."""
    places = max(0, -int(value.as_tuple().exponent))
    digits = f"{value:f}"
    while places > 2 and digits.endswith("0"):
        digits = digits[:-1]
        places -= 1
    return places


def told_apart(before: str, after: str, was: Any, became: Any) -> tuple[Text, Text]:
    """Two different values as texts whose difference can be seen.

    Long texts are cut down to what changed and some words around it. Where only white space
    differs it becomes visible, and where the wording hides the difference the values stand bare.
    """
    if before == after:
        return (Passage(repr(was)),), (Passage(repr(became)),)
    if before.split() == after.split():
        before, after = _visible_space(before), _visible_space(after)
    shorter, longer = sorted((before, after), key=len)
    if len(longer) < LONG_TEXT or len(shorter.split()) < FEW_WORDS:
        return (Passage(before),), (Passage(after),)
    return _changed_words(before, after)


def _visible_space(text: str) -> str:
    return re.sub(r"\s", lambda found: {" ": "␣", "\n": "⏎\n", "\t": "⇥"}.get(found[0], "·"), text)


def _changed_words(before: str, after: str) -> tuple[Text, Text]:
    old, new = re.findall(r"\s*\S+|\s+", before), re.findall(r"\s*\S+|\s+", after)
    if max(len(old), len(new)) > MOST_WORDS:
        return (Passage(before),), (Passage(after),)
    left: list[Passage] = []
    right: list[Passage] = []
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for number, (step, a, b, c, d) in enumerate(steps):
        if step == "equal":
            same = Passage(_shortened(old[a:b], number == 0, number == len(steps) - 1))
            left.append(same)
            right.append(same)
        if step in ("delete", "replace"):
            left.append(Passage("".join(old[a:b]), changed=True))
        if step in ("insert", "replace"):
            right.append(Passage("".join(new[c:d]), changed=True))
    return tuple(left), tuple(right)


def _shortened(words: list[str], first: bool, last: bool) -> str:
    """Words that did not change, without the middle of a long run of them."""
    head, tail = (0 if first else WORDS_AROUND), (0 if last else WORDS_AROUND)
    if len(words) <= head + tail + 2:
        return "".join(words)
    return "".join(words[:head]) + " … " + "".join(words[len(words) - tail :]).lstrip()


def source_in_words(source: str) -> str:
    return str(SOURCES.get(Source(source), source))


def source_variant(source: str) -> str:
    return SOURCE_VARIANTS.get(Source(source), "")
