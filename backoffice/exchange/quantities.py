"""Columns of numbers and of points in time, read as the file's own signs and orders say."""

from dataclasses import dataclass, field
from typing import Any, cast

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from .cell_checks import Check, decimal_checks
from .columns import Column
from .dates import DATE, TIMESTAMP, canonical_date
from .numerals import UNCLEAR, UNFIT, Numerals, in_another_currency
from .sql import literal

_UNCLEAR_NUMBER = Check(
    "unclear_number",
    f"starts_with(§, '{UNCLEAR}')",
    gettext_lazy(
        "“%(value)s” may be more than a thousand, or a number with decimals. Say under “Read as” "
        "which decimal sign the file has."
    ),
)
# What is left of it when the shop's own currency has been taken away.
_OTHER_CURRENCY = Check(
    "other_currency",
    in_another_currency("§"),
    gettext_lazy(
        "“%(value)s” is in another currency than the shop's (%(currency)s). Give the exchange "
        "rate, bring amounts in %(currency)s, or take the sign away under “Columns” if they are."
    ),
    {"currency": SimpleLazyObject(lambda: settings.CURRENCY)},
)
_PERCENT = Check(
    "percent",
    "strpos(§, '%') > 0",
    gettext_lazy("“%(value)s” is a percentage, not an amount. Write the amount."),
)
_OTHER_SIGN = Check(
    "other_sign",
    f"starts_with(§, '{UNFIT}')",
    gettext_lazy(
        "“%(value)s” is not written as the other numbers of the file are. Correct it, or say under "
        "“Read as” which decimal sign the file has."
    ),
)


@dataclass
class DecimalColumn(Column):
    numerals: Numerals = field(default_factory=Numerals)

    def own_checks(self) -> list[Check]:
        found = cast("models.DecimalField[Any, Any]", self.model_field)
        return [_UNCLEAR_NUMBER, _OTHER_CURRENCY, _PERCENT, _OTHER_SIGN, *decimal_checks(found)]

    def plain(self, text: str) -> str:
        found = cast("models.DecimalField[Any, Any]", self.model_field)
        whole, places = found.max_digits - found.decimal_places, found.decimal_places
        decimals = rf"(\.[0-9]{{1,{places}}})?" if places else ""
        return f"{text} ~ '^[0-9]{{1,{whole}}}{decimals}$'"

    def clean_text(self, cell: str) -> str:
        return self.numerals.canonical(cell)


@dataclass
class IntegerColumn(DecimalColumn):
    def plain(self, text: str) -> str:
        return ""

    def own_checks(self) -> list[Check]:
        return [
            _UNCLEAR_NUMBER,
            _OTHER_CURRENCY,
            _PERCENT,
            _OTHER_SIGN,
            Check(
                "not_whole",
                r"§ !~ '^[+-]?[0-9]+\.?0*$'",
                gettext_lazy("“%(value)s” is not a whole number. Write digits, such as 12."),
            ),
            Check(
                "too_large",
                f"length(§) > 100 OR NOT pg_input_is_valid(split_part(§, '.', 1), "
                f"{literal(self.sql_type)})",
                gettext_lazy("“%(value)s” is too large."),
            ),
        ]

    def cast(self, text: str) -> str:
        return f"split_part({text}, '.', 1)::{self.sql_type}"


@dataclass
class DateColumn(Column):
    date_order: str = ""

    def own_checks(self) -> list[Check]:
        return [
            Check(
                "unclear_date",
                f"starts_with(§, '{UNCLEAR}')",
                gettext_lazy(
                    "“%(value)s” can be read as two dates. Say under “Read as” which order the "
                    "dates have."
                ),
            ),
            Check(
                "short_year",
                r"§ ~ '^[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}( |$)'",
                gettext_lazy("“%(value)s” has a year of two digits. Write all four."),
            ),
            Check(
                "not_a_date",
                f"§ !~ {literal(self._shape)} OR NOT pg_input_is_valid(§, 'timestamptz')",
                gettext_lazy("“%(value)s” is no date. Write year, month and day: 2026-02-13."),
            ),
        ]

    _shape = rf"^{DATE}( 00:00(:00(\.0+)?)?)?$"

    def clean_text(self, cell: str) -> str:
        return canonical_date(cell, self.date_order)

    def cast(self, text: str) -> str:
        return f"left({text}, 10)::date"


@dataclass
class DateTimeColumn(DateColumn):
    """A time without a zone is of the shop's own."""

    _shape = rf"^{TIMESTAMP}$"

    def cast(self, text: str) -> str:
        zone = literal(timezone.get_default_timezone_name())
        return (
            f"CASE WHEN {text} ~ '([+-][0-9:]+|Z)$' AND length({text}) > 16 "
            f"THEN ({text})::timestamptz ELSE ({text})::timestamp AT TIME ZONE {zone} END"
        )
