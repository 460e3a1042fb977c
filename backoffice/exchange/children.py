"""Rows of another table that belong to one row, such as a product's images, in cells of its own.

One cell has a value of each child, in their order; a second field of theirs may have a cell
beside it, with a text for each child in the same order.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy
from import_export.widgets import Widget

from .cell_checks import Check
from .columns import QuotedColumn
from .sql import column_of, literal, quote

ADDRESS_SEPARATOR = "\n"
TEXT_SEPARATOR = " | "
# A comma may be part of an address, but not before a space or before another address.
_BETWEEN_ADDRESSES = r"(\s*,\s+|\s+|,(?=https?://|/))+"


class ChildrenWidget(Widget):
    """The children of a row by one of their fields, an address: it has no space in it.

    They are separated by line breaks or spaces, with or without a comma. Children that the file
    does not name go, those that it names stay or are made, and all of them stand in its order.
    """

    def __init__(self, *, field: str, order: str, label: Any, help_text: Any = "") -> None:
        super().__init__()
        self.field, self.order, self.label, self.help_text = field, order, label, help_text


class ChildTextsWidget(ChildrenWidget):
    """A text of each child that the column `children` names, in its order, separated by bars.

    A bar within a text has a backslash before it. A child without a text has a blank.
    """

    def __init__(self, *, children: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.children = children


@dataclass
class ChildrenColumn(QuotedColumn):
    """Checked, compared and kept as one text, in which a line break stands between addresses."""

    # The foreign key by which a child names our row.
    relation: Any = None

    separator = ADDRESS_SEPARATOR

    @property
    def help_text(self) -> str:
        return str(self.widget.help_text)

    @property
    def db_column(self) -> None:
        return None

    @property
    def sql_type(self) -> str:
        return "text"

    @property
    def seen(self) -> str:
        """The plan's column for what the live row had when it was made."""
        return quote(f"seen_{self.name}")

    @property
    def child(self) -> type[models.Model]:
        found: type[models.Model] = self.relation.model
        return found

    @property
    def child_table(self) -> str:
        return quote(self.child._meta.db_table)

    @property
    def owner_column(self) -> str:
        return quote(self.relation.column)

    @property
    def child_column(self) -> str:
        return column_of(self.child, self.widget.field)

    @property
    def position_column(self) -> str:
        return column_of(self.child, self.widget.order)

    @property
    def written_with(self) -> list[str]:
        """The fields of which a change makes it be written."""
        return [self.name]

    def own_checks(self) -> list[Check]:
        """The child's length and patterns, for each of the values."""
        found: Any = self.model_field
        some = f"EXISTS (SELECT 1 FROM unnest({self.values('§')}) n WHERE"
        checks = [
            Check(
                "value_too_long",
                f"{some} length(n) > {found.max_length})",
                gettext_lazy("One of “%(value)s” is longer than %(limit)d characters. Shorten it."),
                {"limit": found.max_length},
            )
        ]
        for number, validator in enumerate(found._validators):
            if type(validator) is not RegexValidator or validator.flags:
                raise ImproperlyConfigured(f"{found} has a validator that {self.name} lacks.")
            unlike = "~" if validator.inverse_match else "!~"
            checks.append(
                Check(
                    f"value_pattern_{number}",
                    # Its constraint in the database reads the pattern in the same way.
                    f"{some} n {unlike} {literal(re.compile(validator.regex).pattern)})",
                    gettext_lazy("“%(value)s”: %(why)s"),
                    {"why": validator.message},
                )
            )
        return checks

    def clean_text(self, cell: str) -> str:
        trimmed = f"btrim({super().clean_text(cell)}, E', \\t\\r\\n')"
        pattern, separator = literal(_BETWEEN_ADDRESSES), literal(self.separator)
        return f"regexp_replace({trimmed}, {pattern}, {separator}, 'g')"

    def cast(self, text: str) -> str:
        return text

    def values(self, text: str) -> str:
        """The values in a cleaned text, as an array in their order."""
        return f"string_to_array({text}, {literal(self.separator)})"

    def live_value(self) -> str:
        return f"{quote(f'l_{self.name}')}.found"

    def live_join(self, met: str) -> str:
        live = quote(f"l_{self.name}")
        return (
            f"LEFT JOIN (SELECT {self.owner_column} AS id, {self._joined()} AS found "
            f"FROM {self.child_table} k WHERE {self.owner_column} IN ({met}) GROUP BY 1) {live} "
            f"ON {live}.id = t.id"
        )

    def _joined(self) -> str:
        """The values of a row's children as one cleaned text."""
        return (
            f"string_agg(k.{self.child_column}, {literal(self.separator)} "
            f"ORDER BY k.{self.position_column}, k.id)"
        )

    def differs(self) -> str:
        live = f"COALESCE({self.live_value()}, '')"
        return f"s.{self.value} IS NOT NULL AND {live} <> s.{self.value}"

    def default(self) -> str | None:
        return "NULL"

    def apply(self, wanted: str) -> list[str]:
        """Statements that make the children those of `wanted` (id, value), and no others.

        A child keeps its row, and with it what else is known of it, as long as its value stays;
        of equal ones the first is the first.
        """
        owner, value, position = self.owner_column, self.child_column, self.position_column
        both = (
            "WITH wanted AS MATERIALIZED (SELECT w.id AS owner, v.value, v.place, row_number() "
            "OVER (PARTITION BY w.id, v.value ORDER BY v.place) AS nth "
            f"FROM ({wanted}) w CROSS JOIN LATERAL unnest({self.values('w.value')}) "
            "WITH ORDINALITY AS v (value, place) WHERE v.value <> ''), "
            f"present AS MATERIALIZED (SELECT k.id, k.{owner} AS owner, k.{value} AS value, "
            f"k.{position} AS place, row_number() OVER (PARTITION BY k.{owner}, k.{value} "
            f"ORDER BY k.{position}, k.id) AS nth FROM {self.child_table} k "
            f"WHERE k.{owner} IN (SELECT id FROM ({wanted}) w)) "
        )
        same = "USING (owner, value, nth)"
        deleted = (
            f"DELETE FROM {self.child_table} k USING present p LEFT JOIN wanted w {same} "
            "WHERE k.id = p.id AND w.owner IS NULL"
        )
        moved = (
            f"UPDATE {self.child_table} k SET {position} = w.place FROM present p "
            f"JOIN wanted w {same} WHERE k.id = p.id AND p.place <> w.place"
        )
        inserted = (
            f"INSERT INTO {self.child_table} ({owner}, {value}, {position}) "
            f"SELECT owner, value, w.place FROM wanted w LEFT JOIN present p {same} "
            "WHERE p.id IS NULL ORDER BY owner, w.place"
        )
        return [both + statement for statement in (deleted, moved, inserted)]


@dataclass
class ChildTextsColumn(ChildrenColumn):
    """Texts of the children that another column names, kept as one text with bars between them."""

    separator = TEXT_SEPARATOR

    @property
    def written_with(self) -> list[str]:
        # Texts go with their children when those change places, and are then put back.
        return [self.name, self.widget.children]

    def own_checks(self) -> list[Check]:
        return [
            *super().own_checks(),
            Check(
                "excess",
                "false",  # found by planning, which knows the children
                gettext_lazy("There are more texts in “%(value)s” than images. Remove some."),
            ),
        ]

    def clean_text(self, cell: str) -> str:
        """One form: single spaces, a bar with a space on both sides, no blanks at the end."""
        quoted = QuotedColumn.clean_text(self, cell)
        single = f"regexp_replace({quoted}, '\\s+', ' ', 'g')"
        spaced = f"regexp_replace({single}, ' ?(?<!\\\\)\\| ?', ' | ', 'g')"
        return f"ltrim(regexp_replace({spaced}, '( \\| ?)+$', ''))"

    def excess(self, addresses: ChildrenColumn | None) -> str:
        """True where there are more texts than children to bear them."""
        present = f"(SELECT count(*) FROM {self.child_table} k WHERE k.{self.owner_column} = t.id)"
        if addresses is not None:
            named = f"cardinality({addresses.values(f's.{addresses.value}')})"
            present = f"COALESCE({named}, {present})"
        return f"cardinality({self.values(f's.{self.value}')}) > {present}"

    def values(self, text: str) -> str:
        bare = r"regexp_replace(btrim(n.text), '\\(\\*\|)', '\1', 'g')"
        parts = rf"regexp_split_to_table({text}, '(?<!\\)\|') WITH ORDINALITY AS n (text, place)"
        return f"ARRAY(SELECT {bare} FROM {parts} ORDER BY n.place)"

    def _joined(self) -> str:
        text = f"regexp_replace(btrim(k.{self.child_column}), '\\s+', ' ', 'g')"
        escaped = rf"regexp_replace({text}, '(\\*\|)', '\\\1', 'g')"
        joined = f"string_agg({escaped}, ' | ' ORDER BY k.{self.position_column}, k.id)"
        return f"NULLIF(ltrim(regexp_replace({joined}, '( \\| ?)+$', '')), '')"

    def apply(self, wanted: str) -> list[str]:
        """Statements that give the children of `wanted` (id, value) their texts."""
        owner, value = self.owner_column, self.child_column
        statement = (
            f"UPDATE {self.child_table} k SET {value} = COALESCE(v.value, '') FROM ("
            f"SELECT c.id, c.{owner} AS owner, row_number() OVER (PARTITION BY c.{owner} "
            f"ORDER BY c.{self.position_column}, c.id) AS place FROM {self.child_table} c "
            f"WHERE c.{owner} IN (SELECT id FROM ({wanted}) w)) p "
            f"JOIN ({wanted}) w ON w.id = p.owner "
            f"LEFT JOIN LATERAL unnest({self.values('w.value')}) WITH ORDINALITY "
            "AS v (value, place) ON v.place = p.place "
            f"WHERE k.id = p.id AND k.{value} <> COALESCE(v.value, '')"
        )
        return [statement]
