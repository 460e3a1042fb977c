"""What a bulk edit does to a field: as SQL for all rows, as words for the preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from backoffice.bulk import raised_by_percent, rounded
from backoffice.console.through import is_bare_link


class Deed(models.TextChoices):
    SET = "set", _("Set to")
    YES = "yes", _("Yes")
    NO = "no", _("No")
    CLEAR = "clear", _("Clear")
    PERCENT = "percent", _("Change by percent")
    AMOUNT = "amount", _("Change by an amount")
    ADD = "add", _("Add")
    REMOVE = "remove", _("Take away")
    REPLACE = "replace", _("Replace by")


TAKES_VALUE = frozenset({Deed.SET, Deed.ADD, Deed.REMOVE, Deed.REPLACE})
TAKES_NUMBER = frozenset({Deed.PERCENT, Deed.AMOUNT})

_NUMBERS = (models.DecimalField, models.IntegerField)
_PLAIN = (models.CharField, models.TextField, models.DateField, models.ForeignKey, *_NUMBERS)


def deeds_of(field: Any) -> tuple[Deed, ...]:
    """What can be done to a field in many rows; nothing to what none of this fits."""
    if is_bare_link(field):
        return (Deed.ADD, Deed.REMOVE, Deed.REPLACE, *([Deed.CLEAR] if field.blank else []))
    if isinstance(field, models.BooleanField):
        return (Deed.YES, Deed.NO, *([Deed.CLEAR] if field.null else []))
    if not isinstance(field, _PLAIN):
        return ()
    is_text = isinstance(field, models.CharField | models.TextField)
    may_clear = field.blank and (field.null or is_text)
    reckons = isinstance(field, _NUMBERS) and not field.choices
    return (
        Deed.SET,
        *([Deed.CLEAR] if may_clear else []),
        *([Deed.PERCENT, Deed.AMOUNT] if reckons else []),
    )


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field, what is done to it, and with what: a value, a number, an object or several."""

    field: Any
    deed: Deed
    value: Any = None

    def __str__(self) -> str:
        """The same for the same change; goes into the fingerprint."""
        return f"{self.deed} {self.keys if self.is_link else getattr(self.value, 'pk', self.value)}"

    @property
    def name(self) -> str:
        return str(self.field.name)

    @property
    def alias(self) -> str:
        """The annotation that holds the new value."""
        return f"bulk_new_{self.name}"

    @property
    def is_link(self) -> bool:
        return isinstance(self.field, models.ManyToManyField)

    # Of a field of the row.

    def new_value(self) -> Any:
        field = self.field
        match self.deed:
            case Deed.PERCENT:
                return raised_by_percent(F(field.name), Decimal(self.value), self._places)
            case Deed.AMOUNT:
                sum_field = models.DecimalField(max_digits=30, decimal_places=self._places)
                more = Value(Decimal(self.value), output_field=sum_field)
                return rounded(F(field.name), F(field.name) + more, self._places)
        kind = field.target_field if isinstance(field, models.ForeignKey) else field
        return Cast(Value(self._stored()), output_field=kind)

    def _stored(self) -> Any:
        match self.deed:
            case Deed.CLEAR:
                return None if self.field.null else ""
            case Deed.YES | Deed.NO:
                return self.deed == Deed.YES
        return self.value.pk if isinstance(self.value, models.Model) else self.value

    @property
    def _places(self) -> int:
        return int(getattr(self.field, "decimal_places", 0))

    def bounds(self) -> list[tuple[str, Q]]:
        """What a reckoned value must not be, each with the name of the skip."""
        if self.deed not in TAKES_NUMBER:
            return []
        limits: dict[str, Any] = {}
        for validator in self.field.validators:
            limit = getattr(validator, "limit_value", None)
            if isinstance(validator, MinValueValidator):
                limits["below"] = limit() if callable(limit) else limit
            elif isinstance(validator, MaxValueValidator):
                limits["above"] = limit() if callable(limit) else limit
        if isinstance(self.field, models.DecimalField):
            digits = self.field.max_digits - self._places
            most = Decimal(10) ** digits - Decimal(1).scaleb(-self._places)
            limits["above"] = min(limits.get("above", most), most)
        lookups = {"below": "lt", "above": "gt"}
        return [
            (f"{side}:{self.name}", Q(**{f"{self.alias}__{lookups[side]}": limit}))
            for side, limit in limits.items()
        ]

    # Of the rows that link with others.

    @property
    def keys(self) -> list[Any]:
        return sorted(each.pk for each in self.value or ())

    @property
    def _ends(self) -> tuple[str, str]:
        return self.field.m2m_field_name(), self.field.m2m_reverse_field_name()

    def same(self) -> Q:
        """Holds for the rows that the change leaves as they are."""
        if not self.is_link:
            old = F(self.field.attname)
            return Q(
                Func(
                    old,
                    F(self.alias),
                    template="(%(expressions)s)",
                    arg_joiner=" IS NOT DISTINCT FROM ",
                    output_field=models.BooleanField(),
                )
            )
        ours, theirs = self._ends
        links = self.field.remote_field.through._base_manager.filter(**{ours: OuterRef("pk")})
        if self.deed == Deed.REMOVE:
            return ~Q(Exists(links.filter(**{f"{theirs}__in": self.keys})))
        has_all = Q()
        for key in self.keys:
            has_all &= Q(Exists(links.filter(**{theirs: key})))
        if self.deed == Deed.ADD:
            return has_all
        return has_all & ~Q(Exists(links.exclude(**{f"{theirs}__in": self.keys})))

    def link(self, rows: Sequence[Any]) -> None:
        """Write the links of these rows, which their keys name and which are locked."""
        through = self.field.remote_field.through
        table = through._meta.db_table
        ours, theirs = (through._meta.get_field(end).column for end in self._ends)
        if self.deed in {Deed.REMOVE, Deed.REPLACE, Deed.CLEAR}:
            which = "= ANY(%s)" if self.deed == Deed.REMOVE else "<> ALL(%s)"
            with connection.cursor() as cursor:
                cursor.execute(
                    f'DELETE FROM "{table}" WHERE "{ours}" = ANY(%s) AND "{theirs}" {which}',
                    [[*rows], self.keys],
                )
        if self.deed in {Deed.ADD, Deed.REPLACE}:
            with connection.cursor() as cursor:
                cursor.execute(
                    f'INSERT INTO "{table}" ("{ours}", "{theirs}") '
                    "SELECT ours, theirs FROM unnest(%s::bigint[]) AS ours, "
                    "unnest(%s::bigint[]) AS theirs WHERE NOT EXISTS ("
                    f'SELECT 1 FROM "{table}" l WHERE l."{ours}" = ours AND l."{theirs}" = theirs)',
                    [[*rows], self.keys],
                )

    def linked(self, now: set[Any]) -> set[Any]:
        """What a row is linked with afterwards."""
        given = {*(self.value or ())}
        match self.deed:
            case Deed.ADD:
                return now | given
            case Deed.REMOVE:
                return now - given
        return given
