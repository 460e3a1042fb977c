"""How the timeline is narrowed down by its address: each parameter read, checked and worded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.context import Source
from backoffice.audit.history import fields_told
from backoffice.audit.models import ChangeSet
from backoffice.audit.timeline import Narrowing, Touched
from backoffice.audit.timeline_contents import codes_of
from backoffice.audit.wording import moment_in_words, source_in_words

NOBODY = "nobody"
PARAMETERS = (
    "q", "who", "from", "to", "model", "field", "object", "source", "kind", "request", "cause",
    "entry",
)  # fmt: skip
LONGEST = 300
MOST_WORDS = 8
LARGEST_NUMBER = 2**63 - 1


class Unusable(Exception):
    """A parameter that means nothing here; its text says so, and what would."""


@dataclass(frozen=True)
class Chip:
    """A filter that is on, in words, and the query without it."""

    label: str
    value: str
    without: str


@dataclass
class TimelineFilters:
    """What the address says, read against what this viewer may see.

    A parameter that cannot be understood lets nothing pass, and says why: an auditor must not
    take everything for what was asked for.
    """

    query: QueryDict
    readable: Sequence[type[models.Model]]
    people: Sequence[tuple[int, str]]
    viewer: Any = None
    values: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    narrowing: Narrowing = field(default_factory=Narrowing)
    before: int | None = None

    def __post_init__(self) -> None:
        for name in PARAMETERS:
            text = self.query.get(name, "").replace("\0", "").strip()[:LONGEST]
            if text:
                self.values[name] = text
        meant: dict[str, Any] = {}
        for name, text in self.values.items():
            try:
                found, label, value = self._readers[name](text)
            except Unusable as problem:
                self.problems.append(str(problem))
                label, value = name, text
            else:
                meant.update(found)
            self.chips.append(Chip(label, value, self.without(name)))
        self.narrowing = Narrowing(**meant, nothing=bool(self.problems))
        before = self.query.get("before", "")
        if before.isascii() and before.isdigit() and int(before[:20]) <= LARGEST_NUMBER:
            self.before = int(before)

    @property
    def _readers(self) -> dict[str, Callable[[str], tuple[dict[str, Any], str, str]]]:
        return {
            "q": self._text,
            "who": self._who,
            "from": self._since,
            "to": self._until,
            "model": self._model,
            "field": self._field,
            "object": self._object,
            "source": self._source,
            "kind": self._kind,
            "request": lambda text: ({"request_id": text}, _("Request"), text),
            "cause": self._cause,
            "entry": self._entry,
        }

    def without(self, *names: str) -> str:
        """The query without some filters, from the newest entry again."""
        left = QueryDict(mutable=True)
        left.update({name: text for name, text in self.values.items() if name not in names})
        return left.urlencode()

    def said(self) -> dict[str, str]:
        """The filters as the record of an export keeps them."""
        return dict(self.values)

    def _text(self, text: str) -> tuple[dict[str, Any], str, str]:
        return {"text": " ".join(text.split()[:MOST_WORDS])}, _("Text"), text

    def _who(self, text: str) -> tuple[dict[str, Any], str, str]:
        if text == NOBODY:
            return {"nobody": True}, _("Who"), _("nobody who signed in")
        if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_NUMBER:
            raise Unusable(_("“%s” is nobody on the record. Choose a person.") % text)
        return {"actor_id": int(text)}, _("Who"), dict(self.people).get(int(text), text)

    def _since(self, text: str) -> tuple[dict[str, Any], str, str]:
        moment, wording = _moment(text, time.min)
        return {"since": moment}, _("From"), wording

    def _until(self, text: str) -> tuple[dict[str, Any], str, str]:
        moment, wording = _moment(text, time.max)
        return {"until": moment}, _("To"), wording

    def _source(self, text: str) -> tuple[dict[str, Any], str, str]:
        if text not in {source.value for source in Source}:
            raise Unusable(_("“%s” is no source. Choose one from the list.") % text)
        return {"source": text}, _("Source"), source_in_words(text)

    def _kind(self, text: str) -> tuple[dict[str, Any], str, str]:
        if text not in ChangeSet.Kind.values:
            raise Unusable(_("“%s” is no kind of entry. Choose one from the list.") % text)
        return {"kind": text}, _("Kind of entry"), str(ChangeSet.Kind(text).label)

    def _chosen_models(self) -> Sequence[type[models.Model]]:
        """The models that `model` and `field` together mean."""
        label = self.values.get("model") or self.values.get("field", "").rpartition(".")[0]
        return [model for model in self.readable if not label or model._meta.label_lower == label]

    def _model(self, text: str) -> tuple[dict[str, Any], str, str]:
        chosen = self._chosen_models()
        if not chosen:
            raise Unusable(
                _("There is no history of “%s” that you may see. Choose from the list.") % text
            )
        (model,) = chosen
        touched = () if "field" in self.values else (Touched(model=model),)
        found = {"touched": touched} if touched else {}
        return found, _("Objects"), capfirst(str(model._meta.verbose_name_plural))

    def _field(self, text: str) -> tuple[dict[str, Any], str, str]:
        label, _dot, name = text.rpartition(".")
        touched = tuple(
            Touched(model=model, field=each)
            for model in self._chosen_models()
            for each in fields_told(model, self.viewer)
            if each.name == name and label in ("", model._meta.label_lower)
        )
        if not touched:
            raise Unusable(
                _("There is no field “%s” in a history that you may see. Choose from the list.")
                % text
            )
        assert touched[0].field is not None  # noqa: S101 - just given
        return {"touched": touched}, _("Field"), capfirst(str(touched[0].field.verbose_name))

    def _object(self, text: str) -> tuple[dict[str, Any], str, str]:
        chosen = self._chosen_models()
        if len(chosen) != 1:
            raise Unusable(_("Choose the kind of objects as well: a key alone names none."))
        (model,) = chosen
        keys = _keys(model, text)
        if not keys:
            raise Unusable(
                _("No object of this kind is known as “%s”. Give its key, or its code.") % text
            )
        living = model._base_manager.filter(pk__in=keys).first()
        return {"keys": keys}, capfirst(str(model._meta.verbose_name)), str(living or text)

    def _entry(self, text: str) -> tuple[dict[str, Any], str, str]:
        if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_NUMBER:
            raise Unusable(_("“%s” is no number of a change set.") % text)
        return {"entry": int(text)}, _("Change set"), text

    def _cause(self, text: str) -> tuple[dict[str, Any], str, str]:
        """`app.model/key`, or a number, which may be that of anything, such as an import."""
        if text.isascii() and text.isdigit():
            references = tuple(f"{model._meta.label_lower}/{text}" for model in apps.get_models())
            return {"references": references}, _("Caused by"), _("number %s") % text
        return {"references": (text,)}, _("Caused by"), text


def _moment(text: str, otherwise: time) -> tuple[datetime, str]:
    """A day or a moment, in the shop's time zone. A day is taken whole."""
    try:
        day = parse_date(text)
        if day is not None:
            return timezone.make_aware(datetime.combine(day, otherwise)), date_format(day)
        moment = parse_datetime(text)
        if moment is not None:
            moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
            return moment, moment_in_words(moment)
    except (ValueError, OverflowError):
        pass
    raise Unusable(_("“%s” is no day. Write it like 2026-03-31.") % text)


def _keys(model: type[models.Model], text: str) -> tuple[Any, ...]:
    """The keys of the objects that a text can mean: by their code if they live, or by their key."""
    known = Q(pk__in=())
    for code in codes_of(model):
        known |= Q(Exact(Lower(code), text.lower()))
    keys = set(model._base_manager.filter(known).values_list("pk", flat=True))
    try:
        key = model._meta.pk.to_python(text)
    except ValidationError:
        return tuple(keys)
    if not isinstance(key, int) or -LARGEST_NUMBER <= key <= LARGEST_NUMBER:
        keys.add(key)
    return tuple(keys)


def usual_periods() -> list[tuple[str, dict[str, str]]]:
    """Periods that one asks for often, by their first and last day."""
    today = timezone.localdate()
    first = today.replace(day=1)
    month_before = first - timedelta(days=1)

    def days(since: Any, until: Any) -> dict[str, str]:
        return {"from": since.isoformat(), "to": until.isoformat()}

    return [
        (_("Today"), days(today, today)),
        (_("Yesterday"), days(today - timedelta(days=1), today - timedelta(days=1))),
        (_("Last 7 days"), days(today - timedelta(days=6), today)),
        (_("This month"), days(first, today)),
        (_("Last month"), days(month_before.replace(day=1), month_before)),
    ]
