"""Each field of a resource as SQL: how its cells are cleaned, checked, cast and compared.

A column is one subclass of Column per standard widget; `compiling` chooses and completes it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models
from django.db.models import NOT_PROVIDED
from django.db.models.expressions import Value
from django.utils.translation import gettext_lazy

from .cell_checks import CUT_NUMBER, GENERAL_CHECKS, SHEET_ERROR, Check, length_check
from .in_files import in_files
from .sql import column_of, literal, quote

# What a spreadsheet reads as a formula, in plain and full width. Exports put a quote before it,
# imports take one away.
FORMULA = r"^'*[=+@\t\r＝＋－＠-]"
# What else a text must not be taken for: the word that clears a field, and what a spreadsheet made
# of a number.
GUARDED = rf"{FORMULA}|^'*(<[cC][lL][eE][aA][rR]>|{CUT_NUMBER}|{SHEET_ERROR})\Z"
# Every sign that reading a cell takes for a space around it, and takes away.
SPACES = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
# A text with spaces around it, however many quotes are around them. Exports put it between two
# quotes, imports take two away. Where FORMULA puts a quote before a space, that one is kept by it.
OUTER_SPACE = rf"^'*[{SPACES.replace('\t', '').replace('\r', '')}]|[{SPACES}]'*\Z"


@dataclass
class Column:
    """One field of the resource in the engine; the subclasses are the standard widgets."""

    name: str
    label: str
    model_field: models.Field
    widget: Any
    # The columns of the file that feed it; `levels` come after its own.
    targets: tuple[str, ...]
    checks: list[Check] = field(default_factory=list)
    # Validators (and the widget, in PythonColumn) that only Python can run.
    python_checks: list[Callable[[Any], Any]] = field(default_factory=list)
    # What a header may call it, besides its name and its aliases.
    header: str = ""
    # Whether some cell of the job may clear it.
    may_clear: bool = False
    runs_in = "SQL"

    def own_checks(self) -> list[Check]:
        """What its kind of value can be wrong in, besides length and validators."""
        return []

    @property
    def help_text(self) -> str:
        """What a cell of it may hold, for people."""
        return str(self.model_field.help_text)

    @property
    def value(self) -> str:
        """Its column in the table of cleaned rows."""
        return quote(f"v_{self.name}")

    @property
    def db_column(self) -> str | None:
        """The column of the model's table that takes the value; None for a list."""
        return column_of(self.model_field.model, self.model_field.name)

    @property
    def sql_type(self) -> str:
        return str(self.model_field.db_type(connection))

    @property
    def needs_python(self) -> bool:
        return bool(self.python_checks)

    def clean_text(self, cell: str) -> str:
        """The text of a cell that is not blank, as it is checked and cast."""
        return cell

    def plain(self, text: str) -> str:
        """SQL that is true of a cleaned text in which `own_checks` find nothing; "" if none is."""
        return ""

    def cast(self, text: str) -> str:
        return f"({text})::{self.sql_type}"

    def python_clean(self, text: str) -> str:
        """Clean one distinct value. Raises ValueError or ValidationError, which say why not."""
        for check in self.python_checks:
            check(text)
        return text

    def live_value(self) -> str:
        """The value of the live row `t`, in the form of the cleaned one."""
        return f"t.{self.db_column}"

    def live_join(self, met: str) -> str:
        """What `live_value` needs besides `t`; `met` selects the keys of the rows concerned."""
        return ""

    def differs(self) -> str:
        """True where the file has a value, and another one than the live row."""
        return f"s.{self.value} IS NOT NULL AND {self.live_value()} IS DISTINCT FROM s.{self.value}"

    @property
    def cleared(self) -> str:
        """True where the file makes it NULL."""
        return f"s.{quote(f'z_{self.name}')}" if self.may_clear else "false"

    def default(self) -> str | None:
        """What a new row gets where the file is blank, as SQL; None if the file must say it."""
        found = self.model_field
        value: Any = found.db_default if found.has_db_default() else NOT_PROVIDED
        if isinstance(value, Value):
            value = value.value
        if value is NOT_PROVIDED and found.has_default():
            value = found.get_default()
        if value is NOT_PROVIDED:
            if found.null:
                return "NULL"
            return "''" if found.blank and found.empty_strings_allowed else None
        if isinstance(value, dict | list):
            return f"'{'{}' if isinstance(value, dict) else '[]'}'::jsonb"
        return f"{literal(value)}::{self.sql_type}"

    def describe(self, code: str, cell: str) -> str:
        """What is wrong with a cell and what to do, for people."""
        if code.startswith("="):
            return code[1:]
        shown = cell if len(cell) <= 60 else f"{cell[:57]}..."
        facts = {"value": shown, "label": self.label, "length": len(cell)}
        for check in (*self.checks, *GENERAL_CHECKS):
            if check.code == code:
                return str(check.message) % {**facts, **check.facts}
        return code


class QuotedColumn(Column):
    """Takes away the quotes that an export puts before what it guards, and around spaces."""

    def clean_text(self, cell: str) -> str:
        bare = f"CASE WHEN {cell} ~ {literal(GUARDED)} THEN substr({cell}, 2) ELSE {cell} END"
        inner = "substr(b.bare, 2, length(b.bare) - 2)"
        return (
            f"CASE WHEN starts_with({cell}, '''') THEN (SELECT CASE WHEN b.bare ~ '^''.+''$' "
            f"AND {inner} ~ {literal(OUTER_SPACE)} THEN {inner} ELSE b.bare END "
            f"FROM (SELECT {bare} AS bare OFFSET 0) b) ELSE {cell} END"
        )

    def python_clean(self, text: str) -> str:
        if text.startswith("'"):
            bare = text[1:] if re.match(GUARDED, text) else text
            is_wrapped = len(bare) > 2 and bare[0] == bare[-1] == "'"
            is_wrapped = is_wrapped and bool(re.search(OUTER_SPACE, bare[1:-1]))
            text = bare[1:-1] if is_wrapped else bare
        return super().python_clean(text)


class TextColumn(QuotedColumn):
    def cast(self, text: str) -> str:
        return text


class ChoiceColumn(Column):
    """A text out of a list, by value or by label, in any case."""

    def own_checks(self) -> list[Check]:
        values = [str(value) for value, _label in self.model_field.flatchoices]
        return [
            Check(
                "not_a_choice",
                f"NOT (§ = ANY({literal(values)}))",
                gettext_lazy("“%(value)s” is not one of: %(choices)s."),
                {"choices": ", ".join(values)},
            )
        ]

    def clean_text(self, cell: str) -> str:
        choices = {str(value): value for value, _label in self.model_field.flatchoices}
        choices |= {in_files(label): value for value, label in self.model_field.flatchoices}
        cases = " ".join(
            f"WHEN {literal(text.lower())} THEN {literal(value)}" for text, value in choices.items()
        )
        return f"CASE lower({cell}) {cases} ELSE {cell} END"

    def cast(self, text: str) -> str:
        return text


class BooleanColumn(Column):
    TRUE = ("1", "true", "t", "yes", "y", "on")
    FALSE = ("0", "false", "f", "no", "n", "off")

    def own_checks(self) -> list[Check]:
        known = literal([*self.TRUE, *self.FALSE])
        return [
            Check(
                "not_boolean",
                f"NOT (lower(§) = ANY({known}))",
                gettext_lazy("“%(value)s” is neither yes nor no. Write yes or no."),
            )
        ]

    def cast(self, text: str) -> str:
        return f"(lower({text}) = ANY({literal(list(self.TRUE))}))"


class JSONColumn(Column):
    """Names and values, such as the options of a variant."""

    def own_checks(self) -> list[Check]:
        return [
            length_check(10_000),  # nested deeper than that, it cannot be parsed at all
            Check(
                "not_json",
                "CASE WHEN NOT pg_input_is_valid(§, 'jsonb') THEN true "
                "WHEN jsonb_typeof((§)::jsonb) <> 'object' THEN true "
                "ELSE EXISTS (SELECT 1 FROM jsonb_each((§)::jsonb) e "
                "WHERE jsonb_typeof(e.value) IN ('object', 'array', 'null')) END",
                gettext_lazy('“%(value)s” is no list of names and values, such as {"Size": "M"}.'),
            ),
        ]


class PythonColumn(Column):
    """A widget of our own: runs in Python, once per distinct value."""

    runs_in = "Python"

    @property
    def needs_python(self) -> bool:
        return True

    def python_clean(self, text: str) -> str:
        value = self.widget.clean(text)
        for check in self.python_checks:
            check(value)
        return "" if value is None else str(value)


class RelatedColumn(QuotedColumn):
    """Names rows of another table by a unique text of theirs."""

    @property
    def related(self) -> type[models.Model]:
        model: type[models.Model] = self.widget.model
        return model

    @property
    def related_table(self) -> str:
        return quote(self.related._meta.db_table)

    @property
    def related_key(self) -> str:
        return column_of(self.related, self.widget.field)


class RelationColumn(RelatedColumn):
    """A foreign key by a unique text of the related row, whatever its case."""

    # Another unique field that the cells name; they are put into the usual one when checked.
    lookup: str = ""

    @property
    def is_self(self) -> bool:
        return self.related is self.model_field.model

    def cast(self, text: str) -> str:
        return text

    def live_value(self) -> str:
        return f"{quote(f'l_{self.name}')}.{self.related_key}"

    def live_join(self, met: str) -> str:
        live = quote(f"l_{self.name}")
        return f"LEFT JOIN {self.related_table} {live} ON {live}.id = t.{self.db_column}"

    def differs(self) -> str:
        # Letter for letter first, which is cheap and true of nearly every row.
        live, said = self.live_value(), f"s.{self.value}"
        return (
            f"{said} IS NOT NULL AND {live} IS DISTINCT FROM {said} "
            f"AND lower({live}) IS DISTINCT FROM lower({said})"
        )

    def default(self) -> str | None:
        return "NULL" if self.model_field.null else None


class PathColumn(RelationColumn, PythonColumn):
    """A place in a tree, whose path Python puts into its one form."""


class OwnPathColumn(TextColumn, PythonColumn):
    """The path of the row itself in its tree, in its one form."""


class ListColumn(RelatedColumn):
    """Names separated by a sign, each of a related row: what a many-to-many field holds."""

    @property
    def db_column(self) -> str | None:
        return None

    @property
    def seen(self) -> str:
        """The plan's column for the names that the live row had when it was made."""
        return quote(f"seen_{self.name}")

    @property
    def through(self) -> type[models.Model]:
        through: type[models.Model] = self._many.remote_field.through
        return through

    @property
    def _many(self) -> Any:
        return self.model_field

    def own_checks(self) -> list[Check]:
        limit = getattr(self.related._meta.get_field(self.widget.field), "max_length", None)
        names = f"string_to_table(§, {literal(self.widget.separator)})"
        return [
            Check(
                "name_too_long",
                f"EXISTS (SELECT 1 FROM {names} n WHERE length(btrim(n)) > {limit})",
                gettext_lazy("A name in “%(value)s” is longer than %(limit)d characters."),
                {"limit": limit},
            )
        ]

    @property
    def link_columns(self) -> tuple[str, str]:
        """The columns of the through table: ours and theirs."""
        return quote(self._many.m2m_column_name()), quote(self._many.m2m_reverse_name())

    def cast(self, text: str) -> str:
        return (
            "(SELECT array_agg(n ORDER BY lower(n)) FROM (SELECT DISTINCT ON (lower(btrim(n))) "
            f"btrim(n) AS n FROM string_to_table({text}, {literal(self.widget.separator)}) n "
            "WHERE btrim(n) <> '' ORDER BY lower(btrim(n)), n) names)"
        )

    def live_value(self) -> str:
        return f"{quote(f'l_{self.name}')}.names"

    def live_join(self, met: str) -> str:
        ours, theirs = self.link_columns
        live, key = quote(f"l_{self.name}"), f"r.{self.related_key}"
        return (
            f"LEFT JOIN (SELECT l.{ours} AS id, string_agg({key}, ', ' ORDER BY lower({key})) "
            f"AS names FROM {quote(self.through._meta.db_table)} l "
            f"JOIN {self.related_table} r ON r.id = l.{theirs} "
            f"WHERE l.{ours} IN ({met}) GROUP BY 1) {live} ON {live}.id = t.id"
        )

    def differs(self) -> str:
        live = f"COALESCE({self.live_value()}, '')"
        said = f"array_to_string(s.{self.value}, ', ')"
        return (
            f"s.{self.value} IS NOT NULL AND {said} <> {live} "
            f"AND lower({said}) IS DISTINCT FROM lower({live})"
        )

    def default(self) -> str | None:
        return "NULL"
