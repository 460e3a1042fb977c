"""Numbers as files have them, as SQL over whole columns: signs, groups, currencies.

What a cell means is what a person reads: "1.234,50" is no 1.2345. Where nothing in the file tells
whether "1,234" is a thousand or one and a bit, nobody decides but the user.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.db import connection

from .columns import Column
from .models import ImportJob
from .sql import literal

# Before a text that can be read in two ways; no number begins so.
UNCLEAR = "?"
# Before digits and signs that do not fit the other numbers of the file; so no number begins, too.
UNFIT = "!"
# Spaces (also those that do not break) and apostrophes between groups of three digits.
_GAPS = " '’\u00a0\u2009\u202f"
_CURRENCY = (
    r"(?:[$¢£¤¥₠-⃀]|(?:AUD|BGN|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|ISK|JPY|KRW|MXN|NOK|"
    r"NZD|PLN|RON|RSD|SEK|SGD|TRY|UAH|USD|ZAR)(?![A-Za-z])|kr\.?|Kč|zł|Ft|lei|Fr\.|SFr\.?)"
)
# How the shop's own currency is written besides its code; others are in the way of a number.
_SIGNS = {
    "EUR": "€", "USD": r"\$", "AUD": r"\$", "CAD": r"\$", "NZD": r"\$", "HKD": r"\$", "SGD": r"\$",
    "MXN": r"\$", "GBP": "£", "JPY": "¥", "CNY": "¥", "INR": "₹", "KRW": "₩", "TRY": "₺",
    "UAH": "₴", "CHF": r"S?Fr\.?", "SEK": r"kr\.?", "NOK": r"kr\.?", "DKK": r"kr\.?",
    "ISK": r"kr\.?", "CZK": "Kč", "PLN": "zł", "HUF": "Ft", "RON": "lei",
}  # fmt: skip
# One group of three behind one to three digits: a thousand and more, or decimals.
_TWO_WAYS = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"


def _at_an_end(currency: str) -> str:
    return rf"^([+−-]?)[{_GAPS}]*{currency}[{_GAPS}]*|[{_GAPS}]*{currency}$"


def _written(currency: str) -> str:
    """How amounts in a currency say so: by its code, or a sign of it; a sign stands for itself."""
    code = re.escape(currency)
    return rf"(?:{code}(?![A-Za-z])|{_SIGNS.get(currency, code)})"


def is_currency(text: str) -> bool:
    """Whether it is a code, or a sign, that is known to stand at amounts."""
    return bool(re.fullmatch(_CURRENCY, text))


def in_another_currency(text: str) -> str:
    """SQL that is true of an amount that says another currency than the shop's."""
    return f"{text} ~ {literal(_at_an_end(_CURRENCY))} AND {text} ~ '[0-9]'"


def in_currency(text: str, currency: str) -> str:
    """SQL that is true of an amount that says this currency."""
    return f"{text} ~ {literal(_at_an_end(_written(currency)))} AND {text} ~ '[0-9]'"


def without_currency(text: str, currency: str) -> str:
    """SQL of an amount without the currency that it says."""
    return bare(text, _written(currency))


def currency_of(text: str) -> str:
    """SQL of the currency that an amount says; NULL where it says none."""
    at_start, at_end = rf"^[+−-]?[{_GAPS}]*({_CURRENCY})", rf"({_CURRENCY})$"
    found = [f"substring({text} from {literal(pattern)})" for pattern in (at_start, at_end)]
    return f"COALESCE({', '.join(found)})"


def bare(text: str, currency: str) -> str:
    """SQL of a number without this currency and with its minus in front, as "-"."""
    without = f"regexp_replace({text}, {literal(_at_an_end(currency))}, '\\1', 'g')"
    # Only behind a digit: "12.-" is twelve, and no minus.
    minus = literal(r"^([0-9](?:.*[0-9])?) ?[−-]$")
    in_front = f"replace(regexp_replace({without}, {minus}, '-\\1'), '−', '-')"
    return f"regexp_replace({in_front}, '^([+-]) ', '\\1')"


@dataclass(frozen=True)
class Numerals:
    """How the numbers of a file are written.

    Unless `is_sure`, what can be read in two ways is refused. Without `has_groups`, the sign that
    is not the decimal one separates no thousands: the sheet has its numbers as numbers.
    """

    sign: str = "."
    is_sure: bool = True
    has_groups: bool = True

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        found = job.reading.get("numerals", {})
        return cls(
            job.decimal_sign or ".",
            is_sure=found.get("is_sure", True),
            has_groups=found.get("has_groups", True),
        )

    def canonical(self, text: str) -> str:
        """SQL of a number's text with a decimal point and no groups; other texts stay.

        A text that can be read in two ways gets UNCLEAR before it, one that is written otherwise
        than the file's numbers UNFIT.
        """
        sign = re.escape(self.sign)
        other = ("." if self.sign == "," else ",") if self.has_groups else ""
        gap = f"[{_GAPS}{other}]"
        grouped = rf"^[+-]?[1-9][0-9]{{0,2}}({gap})[0-9]{{3}}(?:\1[0-9]{{3}})*(?:{sign}[0-9]*)?$"
        plain = rf"^[+-]?([0-9]+{sign}?[0-9]*|{sign}[0-9]+)$"
        # What most cells are is told by one look.
        quick = plain if self.is_sure else r"^[+-]?[0-9]+$"
        unclear = "" if self.is_sure else f"WHEN v ~ '{_TWO_WAYS}' THEN '{UNCLEAR}' || v "
        ungrouped = f"regexp_replace(v, {literal(gap)}, '', 'g')"
        return (
            f"CASE WHEN {text} ~ {literal(quick)} THEN {self._pointed(text)} ELSE (SELECT CASE "
            f"{unclear}WHEN v ~ {literal(plain)} THEN {self._pointed('v')} "
            f"WHEN v ~ {literal(grouped)} THEN {self._pointed(ungrouped)} "
            f"WHEN v ~ '^[+-]?[0-9.,]*[0-9]$' THEN '{UNFIT}' || v ELSE v END "
            f"FROM (SELECT {without_currency(text, settings.CURRENCY)} AS v OFFSET 0) n) END"
        )

    def _pointed(self, text: str) -> str:
        return f"replace({text}, ',', '.')" if self.sign == "," else text


def settle_numerals(job: ImportJob, columns: Iterable[Column], said: str) -> None:
    """Put on the job which decimal sign its numbers have: what was said, else what proves it.

    Judged over all cells of the columns of numbers together, as they stand in the file. Where
    both signs are proven, the more frequent one holds and nothing unclear is believed; where
    none is and a cell could be read in two ways, it is asked for.
    """
    cells = [f"r.c{int(job.mapping[c.name])}" for c in columns if c.name in job.mapping]
    found: dict[str, Any] = {"comma": 0, "point": 0, "unclear": 0}
    if job.reading.get("has_decimals"):
        # Its numbers are numbers and come with a point; only texts could have a comma.
        job.decimal_sign = "."
        found |= {"is_sure": True, "has_groups": False, "how": "workbook"}
    elif said:
        job.decimal_sign = said
        found |= {"is_sure": True, "how": "said"}
    elif cells:
        found |= _evidence(job, cells)
        job.decimal_sign = "," if found["comma"] > found["point"] else "."
        is_mixed = bool(found["comma"] and found["point"])
        is_asked = bool(found["unclear"] and not (found["comma"] or found["point"]))
        how = "mixed" if is_mixed else "asked" if is_asked else "found"
        found |= {"is_sure": not (is_mixed or is_asked), "how": how}
    else:
        job.decimal_sign = "."
        found |= {"is_sure": True, "how": ""}
    job.reading["numerals"] = found


def _evidence(job: ImportJob, cells: Sequence[str]) -> dict[str, int]:
    """How many cells can only have a decimal comma, only a decimal point, or either."""
    comma, point = (literal(_proof(sign)) for sign in ",.")
    texts = ", ".join(f"({cell})" for cell in cells)
    # Which digit stands where does not matter, only where a zero does: millions of cells have
    # some hundreds of shapes, and only those are looked at closely.
    shapes = (
        f"SELECT translate(v, '23456789', '11111111') AS shape, count(*) AS times "
        f"FROM {job.stage('raw')} r, LATERAL (VALUES {texts}) cells (v) "
        "WHERE r.problem IS NULL AND (strpos(v, '.') > 0 OR strpos(v, ',') > 0) "
        "AND length(v) <= 100 GROUP BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COALESCE(sum(times) FILTER (WHERE n ~ {comma}), 0)::bigint, "
            f"COALESCE(sum(times) FILTER (WHERE n ~ {point}), 0)::bigint, "
            f"COALESCE(sum(times) FILTER (WHERE n ~ '{_TWO_WAYS}'), 0)::bigint "
            f"FROM ({shapes}) s, LATERAL (SELECT {bare('shape', _CURRENCY)} AS n OFFSET 0) b"
        )
        return dict(zip(("comma", "point", "unclear"), cursor.fetchone(), strict=True))


def _proof(sign: str) -> str:
    """A pattern of numbers that have this decimal sign, whatever else one believes."""
    own, other = re.escape(sign), re.escape("." if sign == "," else ",")
    gap, three = f"[{_GAPS}]", "[0-9]{3}"
    return (
        rf"^[+-]?(?:[0-9]*{own}(?:[0-9]{{1,2}}|[0-9]{{4,}})"  # not three digits behind it
        rf"|(?:0[0-9]*|[0-9]{{4,}}|){own}{three}"  # no group of one to three before it
        rf"|[1-9][0-9]{{0,2}}(?:{gap}{three})+{own}[0-9]+"  # groups of another kind before it
        rf"|[1-9][0-9]{{0,2}}(?:{other}{three})+{own}[0-9]*"
        rf"|[1-9][0-9]{{0,2}}(?:{other}{three}){{2,}})$"  # the other one twice: it makes groups
    )
