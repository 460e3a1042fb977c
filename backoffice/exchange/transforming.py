"""What is done to the cells of a column before they are checked: SQL over the whole column.

A job keeps, for each target, a list of steps {"kind", "first", "second"}, in the order of their
doing. Spaces around a cell are always taken away; a cell that becomes empty counts as blank.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .columns import BooleanColumn
from .numerals import Numerals, in_currency, is_currency, without_currency
from .sql import literal

type Step = Mapping[str, str]

MOST_STEPS = 10
_MOST_CHARACTERS = 20_000
_MOST_PLACES = 10
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
# Staging trims every kind of space; these are what a step may lay bare.
_SPACES = r"E' \t\r\n\u00A0'"


@dataclass(frozen=True)
class Surroundings:
    """What a step depends on besides its own facts."""

    numerals: Numerals
    separator: str = ""  # what the field itself separates the entries of a list by


@dataclass(frozen=True)
class Kind:
    """A transformation: SQL over the text `v`, and the names of its facts in forms, if it has any.

    `refuse` says what is wrong with the facts, or "".
    """

    code: str
    label: Promise
    sql: Callable[[Step, Surroundings], str]
    first: str | Promise = ""
    second: str | Promise = ""
    refuse: Callable[[Step], str] = lambda step: ""

    @property
    def is_long(self) -> bool:
        """Whether the first fact takes several lines."""
        return self.code == "map"


def _needs(what: Promise) -> Callable[[Step], str]:
    return lambda step: "" if step["first"] else _("%(what)s is missing.") % {"what": what}


def _calculated(result: str, fact: str = "first") -> Callable[[Step, Surroundings], str]:
    """`result` is SQL over the number `n` and a fact of the step, as {fact}.

    What is no number stays, for the check to refuse.
    """

    def sql(step: Step, around: Surroundings) -> str:
        calculated = result.format(fact=literal(Decimal(step[fact])))
        # Three decimals alone could be taken for thousands, where nothing else in the file tells.
        text = "m::text || CASE WHEN scale(m) = 3 THEN '0' ELSE '' END"
        if around.numerals.sign != ".":
            text = f"replace({text}, '.', {literal(around.numerals.sign)})"
        return (
            f"(SELECT CASE WHEN length(p) <= 100 AND p ~ '{_NUMBER}' THEN (SELECT {text} FROM "
            f"(SELECT {calculated} AS m FROM (SELECT p::numeric AS n OFFSET 0) g OFFSET 0) r) "
            "ELSE v END "
            f"FROM (SELECT {around.numerals.canonical('v')} AS p OFFSET 0) h)"
        )

    return sql


def _no_factor(step: Step) -> str:
    try:
        factor = Decimal(step["first"])
    except InvalidOperation:
        factor = Decimal("NaN")
    if not factor.is_finite() or not factor or len(step["first"]) > 30 or "e" in step["first"]:
        return _("“%(value)s” is not a number to multiply by. Write one such as 1.19.") % {
            "value": step["first"]
        }
    return ""


def _no_places(step: Step) -> str:
    if step["first"].isdecimal() and int(step["first"][:4]) <= _MOST_PLACES:
        return ""
    return _("Round to 0 to %(most)d decimals.") % {"most": _MOST_PLACES}


def _opposite(step: Step, around: Surroundings) -> str:
    """What is neither yes nor no stays, for the check to refuse."""
    true, false = literal([*BooleanColumn.TRUE]), literal([*BooleanColumn.FALSE])
    return (
        f"CASE WHEN lower(v) = ANY({true}) THEN 'no' WHEN lower(v) = ANY({false}) THEN 'yes' "
        "ELSE v END"
    )


def _converted(step: Step, around: Surroundings) -> str:
    """What says this currency becomes an amount without any; all else stays as it is."""
    amount = _calculated("round(n * {fact}, 2)", "second")(step, around)
    bare = without_currency("v", step["first"])
    return (
        f"CASE WHEN {in_currency('v', step['first'])} "
        f"THEN (SELECT {amount} FROM (SELECT {bare} AS v OFFSET 0) a) ELSE v END"
    )


def _no_conversion(step: Step) -> str:
    if not is_currency(step["first"]):
        return _("“%(value)s” is no currency known here. Write its code, such as USD.") % {
            "value": step["first"]
        }
    return _no_factor({"first": step["second"]})


def _pairs(step: Step) -> dict[str, str]:
    """{value in lower case: what it becomes}, of lines such as "red = rot"."""
    lines = [line.partition("=") for line in step["first"].splitlines() if line.strip()]
    return {before.strip().lower(): after.strip() for before, _sign, after in lines}


def _no_pairs(step: Step) -> str:
    lines = [line for line in step["first"].splitlines() if line.strip()]
    for line in lines:
        before, sign, _after = line.partition("=")
        if not sign or not before.strip():
            return _("“%(line)s”: write one pair a line, such as “red = rot”.") % {"line": line}
    if not lines:
        return _("Write one pair a line, such as “red = rot”.")
    if len(_pairs(step)) < len(lines):
        return _("A value stands on the left more than once. Keep one of these lines.")
    return ""


def _title(step: Step, around: Surroundings) -> str:
    return (
        "(SELECT string_agg(upper(left(w, 1)) || lower(substr(w, 2)), ' ' ORDER BY n) "
        "FROM string_to_table(v, ' ') WITH ORDINALITY words(w, n))"
    )


_TEXT, _SIGN = gettext_lazy("Text"), gettext_lazy("Sign")

KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in [
        Kind("upper", gettext_lazy("CAPITALS"), lambda step, around: "upper(v)"),
        Kind("lower", gettext_lazy("small letters"), lambda step, around: "lower(v)"),
        Kind("title", gettext_lazy("Capital at the start of each word"), _title),
        Kind(
            "prefix",
            gettext_lazy("put before it"),
            lambda step, around: f"{literal(step['first'])} || v",
            first=_TEXT,
            refuse=_needs(_TEXT),
        ),
        Kind(
            "suffix",
            gettext_lazy("put behind it"),
            lambda step, around: f"v || {literal(step['first'])}",
            first=_TEXT,
            refuse=_needs(_TEXT),
        ),
        Kind(
            "before",
            gettext_lazy("keep the part before a sign"),
            lambda step, around: f"split_part(v, {literal(step['first'])}, 1)",
            first=_SIGN,
            refuse=_needs(_SIGN),
        ),
        Kind(
            "after",
            gettext_lazy("keep the part after a sign"),
            lambda step, around: (
                f"CASE WHEN strpos(v, {literal(step['first'])}) > 0 THEN substr(v, "
                f"strpos(v, {literal(step['first'])}) + {len(step['first'])}) ELSE v END"
            ),
            first=_SIGN,
            refuse=_needs(_SIGN),
        ),
        Kind(
            "replace",
            gettext_lazy("replace a text"),
            lambda step, around: f"replace(v, {literal(step['first'])}, {literal(step['second'])})",
            first=_TEXT,
            second=gettext_lazy("by"),
            refuse=_needs(_TEXT),
        ),
        Kind(
            "map",
            gettext_lazy("replace whole values"),
            lambda step, around: (
                f"COALESCE({literal(json.dumps(_pairs(step)))}::jsonb ->> lower(v), v)"
            ),
            first=gettext_lazy("One pair a line: red = rot"),
            refuse=_no_pairs,
        ),
        Kind(
            "multiply",
            gettext_lazy("multiply by"),
            _calculated("trim_scale(n * {fact})"),
            first=gettext_lazy("Factor, such as 1.19"),
            refuse=_no_factor,
        ),
        Kind(
            "round",
            gettext_lazy("round to decimals, half away from zero"),
            _calculated("round(n, ({fact})::int)"),
            first=gettext_lazy("Decimals"),
            refuse=_no_places,
        ),
        Kind(
            "convert",
            gettext_lazy("convert a currency, to two decimals"),
            _converted,
            first=gettext_lazy("Currency, such as USD"),
            second=gettext_lazy("Rate, such as 0.92"),
            refuse=_no_conversion,
        ),
        Kind("opposite", gettext_lazy("the opposite: yes becomes no"), _opposite),
        Kind(
            "split",
            gettext_lazy("split a list at a sign"),
            lambda step, around: (
                f"replace(v, {literal(step['first'])}, {literal(around.separator)})"
            ),
            first=_SIGN,
            refuse=_needs(_SIGN),
        ),
    ]
}


def transformed(cell: str, steps: Sequence[Step], around: Surroundings) -> str:
    """SQL of a cell after its steps; NULL where nothing is left of it."""
    if not steps:
        return cell
    for step in steps:
        # OFFSET 0: each step is worked out once, however often the next one speaks of it.
        done = KINDS[step["kind"]].sql(step, around)
        cell = f"(SELECT {done} FROM (SELECT {cell} AS v OFFSET 0) step)"
    return f"NULLIF(btrim({cell}, {_SPACES}), '')"


def clean_steps(steps: object) -> list[Step]:
    """Steps as a form or a profile has them, in their one form. Raises ValueError, saying why."""
    cleaned: list[Step] = []
    for step in steps if isinstance(steps, list) else [steps]:
        facts = step if isinstance(step, dict) else {}
        kind = KINDS.get(str(facts.get("kind")))
        if kind is None:
            raise ValueError(_("There is no such transformation. Choose one from the list."))
        first, second = (str(facts.get(name) or "") for name in ("first", "second"))
        if len(first) + len(second) > _MOST_CHARACTERS or "\0" in first + second:
            raise ValueError(_("A transformation is too long. Shorten it."))
        if kind.code in {"multiply", "round"}:
            first = re.sub(r"\s", "", first)
        elif kind.code == "convert":
            first, second = first.strip(), re.sub(r"\s", "", second)
            first = first.upper() if is_currency(first.upper()) else first
        found = {
            "kind": kind.code,
            "first": first if kind.first else "",
            "second": second if kind.second else "",
        }
        if wrong := kind.refuse(found):
            raise ValueError(wrong)
        cleaned.append(found)
    if len(cleaned) > MOST_STEPS:
        raise ValueError(
            _("More than %(most)d transformations of one column.") % {"most": MOST_STEPS}
        )
    return cleaned
