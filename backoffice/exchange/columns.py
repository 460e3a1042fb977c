"""Each field of a resource as SQL: how its cells are cleaned, checked, cast and compared.

A standard widget is compiled to SQL and checked for the whole column at once. Any other widget
and any validator that SQL cannot express runs in Python, once per distinct value.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import NOT_PROVIDED
from django.db.models.expressions import DatabaseDefault, Value
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from import_export import widgets
from psycopg import sql

from .resources import PathWidget, Resource

type Message = str | Promise

# What a spreadsheet reads as a formula, in plain and full width. Exports put a quote before it,
# imports take one away.
FORMULA = r"^'*[=+@\t\r＝＋－＠-]"


def quote(name: str) -> str:
    return connection.ops.quote_name(name)


def literal(value: Any) -> str:
    """A constant in SQL; `%` needs no doubling, since these statements have no parameters."""
    return sql.Literal(value).as_string(None)


@dataclass(frozen=True)
class Check:
    """A way in which a cell can be wrong: SQL over its text (written §), and what to say.

    The checks of a column are tried in their order, and only until one finds something.
    """

    code: str
    condition: str
    message: Message
    facts: dict[str, Any] = field(default_factory=dict)


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
    runs_in = "SQL"

    @property
    def value(self) -> str:
        """Its column in the table of cleaned rows."""
        return quote(f"v_{self.name}")

    @property
    def db_column(self) -> str | None:
        """The column of the model's table that takes the value; None for a list."""
        return quote(self.model_field.column)

    @property
    def sql_type(self) -> str:
        return str(self.model_field.db_type(connection))

    @property
    def needs_python(self) -> bool:
        return bool(self.python_checks)

    def clean_text(self, cell: str) -> str:
        """The text of a cell that is not blank, as it is checked and cast."""
        return cell

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

    def default(self) -> str | None:
        """What a new row gets where the file is blank, as SQL; None if the file must say it."""
        found = self.model_field
        value: Any = found.db_default if found.has_db_default() else NOT_PROVIDED
        if isinstance(value, DatabaseDefault):
            value = value.expression
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


class TextColumn(Column):
    def clean_text(self, cell: str) -> str:
        return (
            f"CASE WHEN starts_with({cell}, '''') AND {cell} ~ {literal(FORMULA)} "
            f"THEN substr({cell}, 2) ELSE {cell} END"
        )

    def cast(self, text: str) -> str:
        return text


class ChoiceColumn(Column):
    """A text out of a list, by value or by label, in any case."""

    def clean_text(self, cell: str) -> str:
        choices = {str(value): value for value, _label in self.model_field.flatchoices}
        choices |= {str(label): value for value, label in self.model_field.flatchoices}
        cases = " ".join(
            f"WHEN {literal(text.lower())} THEN {literal(value)}" for text, value in choices.items()
        )
        return f"CASE lower({cell}) {cases} ELSE {cell} END"

    def cast(self, text: str) -> str:
        return text


class DecimalColumn(Column):
    pass


class BooleanColumn(Column):
    TRUE = ("1", "true", "t", "yes", "y", "on")
    FALSE = ("0", "false", "f", "no", "n", "off")

    def cast(self, text: str) -> str:
        return f"(lower({text}) = ANY({literal(list(self.TRUE))}))"


class JSONColumn(Column):
    pass


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


class RelationColumn(Column):
    """A foreign key by a unique text of the related row, whatever its case."""

    @property
    def related(self) -> type[models.Model]:
        model: type[models.Model] = self.widget.model
        return model

    @property
    def related_table(self) -> str:
        return quote(self.related._meta.db_table)

    @property
    def related_key(self) -> str:
        return quote(self.related._meta.get_field(self.widget.field).column)

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
        return (
            f"s.{self.value} IS NOT NULL "
            f"AND lower({self.live_value()}) IS DISTINCT FROM lower(s.{self.value})"
        )

    def default(self) -> str | None:
        return "NULL" if self.model_field.null else None


class PathColumn(RelationColumn, PythonColumn):
    """A place in a tree, whose path Python puts into its one form."""


class ListColumn(Column):
    """Names separated by a sign, each of a related row: what a many-to-many field holds."""

    @property
    def db_column(self) -> str | None:
        return None

    @property
    def through(self) -> type[models.Model]:
        through: type[models.Model] = self.model_field.remote_field.through
        return through

    @property
    def related(self) -> type[models.Model]:
        model: type[models.Model] = self.widget.model
        return model

    @property
    def related_table(self) -> str:
        return quote(self.related._meta.db_table)

    @property
    def related_key(self) -> str:
        return quote(self.related._meta.get_field(self.widget.field).column)

    @property
    def link_columns(self) -> tuple[str, str]:
        """The columns of the through table: ours and theirs."""
        return quote(self.model_field.m2m_column_name()), quote(self.model_field.m2m_reverse_name())

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
        return (
            f"s.{self.value} IS NOT NULL AND lower(array_to_string(s.{self.value}, ', ')) "
            f"IS DISTINCT FROM lower({self.live_value()})"
        )

    def default(self) -> str | None:
        return "NULL"


_COLUMN_OF_WIDGET: dict[type, type[Column]] = {
    widgets.CharWidget: TextColumn,
    widgets.DecimalWidget: DecimalColumn,
    widgets.BooleanWidget: BooleanColumn,
    widgets.JSONWidget: JSONColumn,
    widgets.ForeignKeyWidget: RelationColumn,
    widgets.ManyToManyWidget: ListColumn,
    PathWidget: PathColumn,
}


def compile_columns(resource: Resource) -> dict[str, Column]:
    """The columns of a resource in its import order, by field name."""
    columns = {}
    for name, declared in resource.fields.items():
        if declared.readonly:
            continue
        model_field = resource.model()._meta.get_field(declared.attribute or name)
        kind = _COLUMN_OF_WIDGET.get(type(declared.widget), PythonColumn)
        if kind is TextColumn and model_field.choices:
            kind = ChoiceColumn
        column = kind(
            name=name,
            label=str(capfirst(model_field.verbose_name)),
            model_field=model_field,
            widget=declared.widget,
            targets=(name, *getattr(declared.widget, "levels", ())),
        )
        _add_checks(column)
        columns[name] = column
    return columns


def _add_checks(column: Column) -> None:
    found = column.model_field
    if isinstance(column, DecimalColumn):
        column.checks += _decimal_checks(found)
    elif isinstance(column, BooleanColumn):
        known = literal([*BooleanColumn.TRUE, *BooleanColumn.FALSE])
        column.checks.append(
            Check(
                "not_boolean",
                f"NOT (lower(§) = ANY({known}))",
                gettext_lazy("“%(value)s” is neither yes nor no. Write yes or no."),
            )
        )
    elif isinstance(column, JSONColumn):
        column.checks.append(
            Check(
                "not_json",
                "CASE WHEN pg_input_is_valid(§, 'jsonb') "
                "THEN jsonb_typeof((§)::jsonb) <> 'object' ELSE true END",
                gettext_lazy('“%(value)s” is no list of names and values, such as {"Size": "M"}.'),
            )
        )
    elif isinstance(column, ChoiceColumn):
        values = [str(value) for value, _label in found.flatchoices]
        column.checks.append(
            Check(
                "not_a_choice",
                f"NOT (§ = ANY({literal(values)}))",
                gettext_lazy("“%(value)s” is not one of: %(choices)s."),
                {"choices": ", ".join(values)},
            )
        )
    elif isinstance(column, ListColumn):
        limit = column.related._meta.get_field(column.widget.field).max_length
        separator = literal(column.widget.separator)
        column.checks.append(
            Check(
                "name_too_long",
                f"EXISTS (SELECT 1 FROM string_to_table(§, {separator}) n "
                f"WHERE length(btrim(n)) > {limit})",
                gettext_lazy("A name in “%(value)s” is longer than %(limit)d characters."),
                {"limit": limit},
            )
        )
        return
    elif isinstance(column, RelationColumn):
        return
    if isinstance(found, models.CharField) and found.max_length:
        column.checks.append(
            Check(
                "too_long",
                f"length(§) > {found.max_length}",
                gettext_lazy(
                    "“%(value)s” has %(length)d characters; at most %(limit)d fit. Shorten it."
                ),
                {"limit": found.max_length},
            )
        )
    for validator in found.validators:
        _add_validator(column, validator)


def _decimal_checks(found: models.Field) -> Sequence[Check]:
    whole, places = found.max_digits - found.decimal_places, found.decimal_places
    return [
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
            gettext_lazy("“%(value)s” has more than %(places)d decimals. Round it."),
            {"places": places},
        ),
        Check(
            "too_large",
            f"abs((§)::numeric) >= 1e{whole}",
            gettext_lazy("“%(value)s” is too large: at most %(whole)d digits before the point."),
            {"whole": whole},
        ),
    ]


# Patterns that Python and PostgreSQL read alike.
_PORTABLE = re.compile(
    r"(?:[\w\s\[\]^$.*+|/:<>\"=,@#%&!~'-]|\\[SsdDwZ.\\+*?/-]|\((?!\?)|\)|\?(?!<))*"
)


def _add_validator(column: Column, validator: Any) -> None:
    """One validator as SQL if it is of a standard kind, else in Python."""
    kind = type(validator)
    if kind is validators.MinValueValidator and isinstance(column, DecimalColumn):
        column.checks.append(
            Check(
                "too_small",
                f"(§)::numeric < {literal(validator.limit_value)}",
                gettext_lazy("“%(value)s” is below %(limit)s, the least that there can be."),
                {"limit": validator.limit_value},
            )
        )
    elif (
        kind is validators.RegexValidator
        and not validator.flags
        and _PORTABLE.fullmatch(validator.regex.pattern)
    ):
        pattern = literal(validator.regex.pattern)
        column.checks.append(
            Check(
                f"pattern_{len(column.checks)}",
                f"(§) {'~' if validator.inverse_match else '!~'} {pattern}",
                gettext_lazy("“%(value)s”: %(why)s"),
                {"why": validator.message},
            )
        )
    elif kind in {
        validators.MaxLengthValidator,
        validators.DecimalValidator,
        validators.ProhibitNullCharactersValidator,
    }:
        return  # said by the checks of the column's type and length already
    elif column.runs_in == "SQL" and isinstance(column, DecimalColumn | BooleanColumn | JSONColumn):
        column.python_checks.append(_on_python_value(column.model_field, validator))
    else:
        column.python_checks.append(validator)


def _on_python_value(found: models.Field, validator: Any) -> Callable[[str], None]:
    def check(text: str) -> None:
        try:
            value = found.to_python(text)
        except ValidationError:
            return  # said by the column's own check
        validator(value)

    return check
