"""History rows as entries that a person reads: what became of which object, field by field."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, pgettext_lazy

from .naming import Names, foreign_keys, history_of, is_link, tracked_fields
from .secrecy import hidden_fields
from .wording import NOTHING, Passage, Text, plain_in_words, told_apart, value_in_words


class Kind(models.TextChoices):
    ADDED = "+", pgettext_lazy("what became of an object", "added")
    CHANGED = "~", pgettext_lazy("what became of an object", "changed")
    DELETED = "-", pgettext_lazy("what became of an object", "deleted")


_ABOUT_PARTS = {
    Kind.ADDED: gettext_lazy("%(what)s “%(name)s” added"),
    Kind.CHANGED: gettext_lazy("%(what)s “%(name)s” changed"),
    Kind.DELETED: gettext_lazy("%(what)s “%(name)s” removed"),
}

# The record keeps these as well; they follow from every change, and tell nothing of it.
_HOUSEKEEPING = {"created_at", "updated_at", "version"}


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One field of an object, old and new. An added object has no old, a deleted one no new.

    `field` names it, where the whole of it is shown.
    """

    label: str
    field: str = ""
    before: Text = ()
    after: Text = ()


@dataclass(frozen=True, kw_only=True)
class Links:
    """What an object was linked with and parted from in one go: "Tags: + new, − sale"."""

    label: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        signed = [*(f"+ {name}" for name in self.added), *(f"− {name}" for name in self.removed)]
        return f"{self.label}: {', '.join(signed)}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one history row says, or what all rows of one kind of link say together.

    `title` is a sentence where the row is about a part of the object that the reader looks at
    (a tag, an image), and blank where it is about that object itself. `link_label` is what parts
    that are links are called, and `links` what stands there for several of them.
    """

    history_id: int
    change_set_id: int
    at: datetime
    kind: Kind
    key: Any
    name: str
    title: str
    changes: tuple[FieldChange, ...]
    link_label: str = ""
    links: Links | None = None
    previous_id: int | None = None  # the history row of what was there before
    # Of an object that is no part of the one that the reader looks at: where its history is.
    own_page: str = ""
    # Of what names the object that the reader looks at, and is no part of it: a file.
    is_beside: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A history row with the one before it of the same object.

    `within` names the column of the object on whose page the row stands, if it is not its own.
    """

    model: type[models.Model]
    record: Any
    previous: Any
    within: str = ""


def with_predecessors(
    model: type[models.Model], records: Sequence[Any], *, within: str = ""
) -> list[Row]:
    """The rows together with what stood there before each change, in two queries.

    The predecessor is looked up in the table, not on the page, so the last row has one as well.
    """
    key = model._meta.pk.attname
    everything = history_of(model)._base_manager
    # By time first, as the index of an object's history is: in the order of the numbers alone,
    # PostgreSQL may read the whole table backwards for the row before.
    before_this = everything.filter(
        **{key: OuterRef(key)},
        history_date__lte=OuterRef("history_date"),
        history_id__lt=OuterRef("history_id"),
    ).order_by("-history_date", "-history_id")
    changed = [record.history_id for record in records if record.history_type == Kind.CHANGED]
    earlier: dict[Any, list[Any]] = defaultdict(list)
    if changed:
        last_before = Subquery(before_this.values("history_id")[:1])
        of_the_changed = everything.filter(history_id__in=changed).order_by()
        # As numbers: joined with the subquery, PostgreSQL hashes the whole history first.
        numbers = [number for (number,) in of_the_changed.values_list(last_before) if number]
        for row in everything.filter(history_id__in=numbers).order_by():
            earlier[getattr(row, key)].append(row)

    def predecessor(record: Any) -> Any:
        rows = [row for row in earlier[getattr(record, key)] if row.history_id < record.history_id]
        return max(rows, key=lambda row: row.history_id, default=None)

    return [
        Row(model=model, record=record, previous=predecessor(record), within=within)
        for record in records
    ]


def fields_told(model: type[models.Model], viewer: Any = None) -> list[models.Field]:
    """The fields whose values the record tells a viewer: a user, or None for nobody in particular.

    The one place that leaves a field out: a secret one to who may not see it, and to nobody in
    particular. Pages, filters and exports all ask here.
    """
    left_out = _HOUSEKEEPING | hidden_fields(model, viewer)
    return [
        field
        for field in tracked_fields(model)
        if not field.primary_key and field.name not in left_out
    ]


def read(rows: Iterable[Row], *, viewer: Any = None) -> list[Entry]:
    """The entries of a page. One query for each model whose names they need."""
    rows = list(rows)
    names = Names()
    for row in rows:
        names.want_row(row.model, row.record)
        if row.previous is not None:
            names.want_row(row.model, row.previous)
    names.load()
    return [_entry(row, names, viewer) for row in rows]


def _entry(row: Row, names: Names, viewer: Any) -> Entry:
    record = row.record
    kind = Kind(record.history_type)
    name = names.row(row.model, record, within=row.within)
    title = ""
    if row.within:
        title = capfirst(_ABOUT_PARTS[kind] % {"what": _what(row), "name": name})
    return Entry(
        history_id=record.history_id,
        change_set_id=record.change_set_id,
        at=record.history_date,
        kind=kind,
        key=getattr(record, row.model._meta.pk.attname),
        name=name,
        title=title,
        changes=tuple(_changes(row, kind, names, viewer)),
        link_label=link_label(row.model, row.within) if kind != Kind.CHANGED else "",
        previous_id=row.previous.history_id if row.previous is not None else None,
        own_page=_own_page(row),
        is_beside=bool(row.within)
        and all(field.attname != row.within for field in foreign_keys(row.model)),
    )


def _own_page(row: Row) -> str:
    options = row.model._meta
    is_seen = seen_as(row.model, row.within)
    return f"admin:{options.app_label}_{options.model_name}_history" if is_seen else ""


def with_links_together(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of one change set, with all links of one kind in one, where the first stood.

    In the order of the work: what came and went again within it is named on both sides.
    """
    together: list[Entry] = []
    place: dict[str, int] = {}
    for entry in entries:
        if not entry.link_label:
            together.append(entry)
            continue
        at = place.setdefault(entry.link_label, len(together))
        if at == len(together):
            together.append(entry)
        links = together[at].links or Links(label=entry.link_label)
        if entry.kind == Kind.ADDED:
            links = replace(links, added=(*links.added, entry.name))
        else:
            links = replace(links, removed=(*links.removed, entry.name))
        together[at] = replace(together[at], links=links, title=str(links))
    return together


def link_label(model: type[models.Model], within: str) -> str:
    """What the links of an object are called, as its field of them is; blank for what is no link.

    `within` is the column that holds the object's key.
    """
    if not within or not is_link(model):
        return ""
    owner = next(field for field in foreign_keys(model) if field.attname == within).related_model
    for field in owner._meta.many_to_many:
        through: Any = field.remote_field.through
        if through._meta.concrete_model is model._meta.concrete_model:
            return capfirst(str(field.verbose_name))
    return capfirst(str(model._meta.verbose_name_plural))


def parts_label(model: type[models.Model], within: str) -> str:
    """What the parts of one kind of an object are called together."""
    if label := link_label(model, within):
        return label
    several = seen_as(model, within)[1:] or (model._meta.verbose_name_plural,)
    return capfirst(str(several[0]))


def seen_as(model: type[models.Model], within: str) -> tuple[str, ...]:
    """What one object and several are called from where they are seen, if they have a name there.

    `within` is the column that holds the key of the object from which they are seen.
    """
    seen_from = history_of(model).seen_from
    for field in foreign_keys(model):
        if field.attname == within and field.name in seen_from:
            one, several = seen_from[field.name]
            return str(one), str(several)
    return ()


def _what(row: Row) -> str:
    """What a part of an object is: of a link, that which it links the object with."""
    if called := seen_as(row.model, row.within):
        return called[0]
    ends = [field for field in foreign_keys(row.model) if field.attname != row.within]
    if is_link(row.model) and len(ends) == 1:
        return str(ends[0].verbose_name)
    return str(row.model._meta.verbose_name)


def _changes(row: Row, kind: Kind, names: Names, viewer: Any) -> Iterable[FieldChange]:
    if is_link(row.model) and kind != Kind.CHANGED:
        return  # its name says it all
    for field in fields_told(row.model, viewer):
        now = getattr(row.record, field.attname)
        label = capfirst(str(field.verbose_name))
        if kind == Kind.CHANGED and row.previous is not None:
            was = getattr(row.previous, field.attname)
            if isinstance(was, dict) and isinstance(now, dict):
                yield from _changed_keys(label, was, now)
            elif was != now:
                old, new = told_apart(
                    value_in_words(field, was, names.target),
                    value_in_words(field, now, names.target),
                    was,
                    now,
                )
                yield FieldChange(label=label, field=field.name, before=old, after=new)
        elif now not in (None, "", {}, []) and field.attname != row.within:
            text = (Passage(value_in_words(field, now, names.target)),)
            if kind == Kind.DELETED:
                yield FieldChange(label=label, before=text)
            else:
                yield FieldChange(label=label, after=text)


def _changed_keys(label: str, was: dict[str, Any], now: dict[str, Any]) -> Iterable[FieldChange]:
    """What changed in a set of named values, each by its name."""
    for key in sorted(was.keys() | now.keys()):
        if key in was and key in now and was[key] == now[key]:
            continue
        old, new = told_apart(
            plain_in_words(was[key]) if key in was else NOTHING,
            plain_in_words(now[key]) if key in now else NOTHING,
            was.get(key, NOTHING),
            now.get(key, NOTHING),
        )
        yield FieldChange(label=f"{label} · {key}", before=old, after=new)
