"""What can be wrong with a cell, and what to say about it."""

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

type Message = str | Promise


@dataclass(frozen=True)
class Check:
    """A way in which a cell can be wrong: SQL over its text (written §), and what to say.

    The checks of a column are tried in their order, and only until one finds something.
    """

    code: str
    condition: str
    message: Message
    facts: dict[str, Any] = field(default_factory=dict)
    # Whether § is the cell as it stands in the file, with the quote that an export puts before it.
    of_cell: bool = False


# What planning finds: said of any column.
GENERAL_CHECKS = [
    Check("required", "", gettext_lazy("%(label)s is missing; a new row needs it. Fill it in.")),
    Check(
        "duplicate",
        "",
        gettext_lazy("“%(value)s” stands in more than one row. Keep one of these rows."),
    ),
    Check(
        "taken",
        "",
        gettext_lazy("“%(value)s” belongs to another row already. Choose another value."),
    ),
    Check(
        "unknown",
        "",
        gettext_lazy("There is no “%(value)s”. Correct the name, or add it first."),
    ),
    Check(
        "invalid_parent",
        "",
        gettext_lazy("The row of “%(value)s” is invalid, so this one cannot be. Correct that row."),
    ),
    Check(
        "not_clearable",
        "",
        gettext_lazy("%(label)s cannot be cleared: it must have a value. Fill one in."),
    ),
    Check(
        "blank",
        "",
        gettext_lazy(
            "%(label)s is blank, and must have a value. Fill it in, or let blank cells keep what "
            "is there."
        ),
    ),
    Check("itself", "", gettext_lazy("A row cannot refer to itself. Leave the cell blank.")),
    Check(
        "no_add",
        "",
        gettext_lazy("This row is new, and you may not add any. Ask for the right to add."),
    ),
    Check(
        "no_change",
        "",
        gettext_lazy("This row would change, and you may not change any. Ask for the right."),
    ),
    Check(
        "no_create",
        "",
        gettext_lazy("“%(value)s” does not exist, and you may not add it. Ask for the right."),
    ),
]


CUT_NUMBER = r"[+-]?[0-9]+[.,][0-9]+[eE]\+[0-9]+"
SHEET_ERROR = r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)"
# What a spreadsheet makes of a long number, and what it shows where there is no value: no text of
# anybody's, whichever column it stands in, unless an export has put a quote before it.
TEXT_CHECKS = [
    Check(
        "cut_number",
        # The look for a sign is cheap, and says of nearly every text that the pattern need not.
        f"strpos(§, '+') > 0 AND § ~ '^{CUT_NUMBER}$'",
        gettext_lazy(
            "“%(value)s” is what a spreadsheet made of a long number; its digits are lost. Format "
            "the column as text where it came from, and export it again."
        ),
        of_cell=True,
    ),
    Check(
        "sheet_error",
        f"starts_with(§, '#') AND § ~ '^{SHEET_ERROR}$'",
        gettext_lazy(
            "“%(value)s” is an error of the spreadsheet, not a value. Correct the formula, or "
            "empty the cell."
        ),
        of_cell=True,
    ),
]


def decimal_checks(found: "models.DecimalField[Any, Any]") -> list[Check]:
    """A plain number, with no more digits than the column has: nothing is ever rounded."""
    whole, places = found.max_digits - found.decimal_places, found.decimal_places
    return [
        length_check(100),  # a longer one may be more than PostgreSQL can cast
        Check(
            "not_a_number",
            r"§ !~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$'",
            gettext_lazy(
                "“%(value)s” is not a number. Write digits and a decimal point, such as 12.50."
            ),
        ),
        Check(
            "too_many_decimals",
            f"scale(trim_scale((§)::numeric)) > {places}",
            gettext_lazy(
                "“%(value)s” has more than %(places)d decimals. Round it, or have its column "
                "rounded by a step."
            ),
            {"places": places},
        ),
        Check(
            "too_large",
            f"abs((§)::numeric) >= 1e{whole}",
            gettext_lazy("“%(value)s” is too large: at most %(whole)d digits before the point."),
            {"whole": whole},
        ),
    ]


def length_check(limit: int) -> Check:
    return Check(
        "too_long",
        f"length(§) > {limit}",
        gettext_lazy("“%(value)s” has %(length)d characters; at most %(limit)d fit. Shorten it."),
        {"limit": limit},
    )
