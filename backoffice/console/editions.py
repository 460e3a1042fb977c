"""Forms that know which state of an object they show, and lose nobody's work.

What others changed meanwhile and the user did not, stays as they made it, and is said. What both
changed comes back with both values, and the user chooses. The row must be locked when such a form
is validated (backoffice.console.locking), or there would be a gap between the check and the save.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.forms.models import model_to_dict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.audit.since import Changed, changed_since, edition, linked_by

from .conflicts import Conflict, Edition, in_words, value_of

# Names in the data of a form; no field of a model begins like that.
SEEN, KNOWN, ASKED, KEEP = "_seen", "_seen_since", "_asked_about", "_keep_"
MINE, THEIRS = "mine", "theirs"


class EditionForm(forms.ModelForm):
    """Compares what it was opened with, what is there now, and what the user entered."""

    viewer: ClassVar[Any] = None
    # Of a row that somebody deleted while the user changed it: what to tell, once.
    returned = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts: list[Conflict] = []
        self.notes: list[str] = []
        self._unchanged: set[str] = set()
        # Before the form writes the user's entries into its instance.
        self.now = self._edition_now() if self.instance.pk is not None else None

    def _edition_now(self) -> Edition:
        links = {
            name: sorted(str(each.pk) for each in self.get_initial_for_field(field, name) or ())
            for name, field in self._links().items()
        }
        return Edition(edition(self.instance), links)

    def _links(self) -> dict[str, Any]:
        names = {field.name for field in self.instance._meta.many_to_many}
        return {name: field for name, field in self.fields.items() if name in names}

    @property
    def editions(self) -> SafeString:
        """The hidden part: which state is shown, and which the user has been told of since."""
        if self.now is None:
            return SafeString()
        seen = self._sent(SEEN) if self.is_bound else None
        shown = [(SEEN, str(seen or self.now))]
        if seen and self._is_told:
            shown += [(KNOWN, str(self.now))]
            shown += [(ASKED, conflict.changed.field) for conflict in self.conflicts]
        return format_html_join(
            "",
            '<input type="hidden" name="{}" value="{}">',
            ((self.add_prefix(name), value) for name, value in shown),
        )

    _is_told = False

    def _sent(self, name: str) -> Edition | None:
        return Edition.parse(str(self.data.get(self.add_prefix(name), "")))

    def _asked(self) -> Collection[str]:
        key = self.add_prefix(ASKED)
        found = self.data.getlist(key) if hasattr(self.data, "getlist") else self.data.get(key, ())
        return {found} if isinstance(found, str) else set(found)

    def _clean_fields(self) -> None:
        if self.now is None:
            super()._clean_fields()  # type: ignore[misc]
            if self.returned:
                self.add_error(None, self.returned)
            return
        seen = self._sent(SEEN)
        last_told = self._sent(KNOWN) or seen
        conflicting, taken = self._compare(seen, last_told) if seen and last_told else ([], set())
        for name in taken:
            self.fields[name].disabled = True
        super()._clean_fields()  # type: ignore[misc]
        for name in taken:
            self._take(name)
        if seen is None or last_told is None:
            self.add_error(
                None,
                _(
                    "This page did not say which state of the data it shows. Compare your entries "
                    "with what is there now, then save again."
                ),
            )
            return
        for name, field in self._links().items():
            if name in self.cleaned_data and name in last_told.links:
                self._merge(name, field, set(last_told.links[name]))
        for changed in conflicting:
            self._refuse(changed)
        self._keep_what_others_changed(seen, last_told)
        self._is_told = last_told != self.now or self._sent(KNOWN) is not None
        self.__dict__.pop("changed_data", None)

    def _compare(self, seen: Edition, last_told: Edition) -> tuple[list[Changed], set[str]]:
        """What both changed, and the fields whose present value the form takes over."""
        assert self.now is not None  # noqa: S101 - for mypy
        asked = self._asked()
        concrete = [f for f in self.instance._meta.concrete_fields if f.name in self.fields]
        told_later = last_told.number != self.now.number
        since = (
            changed_since(self.instance, last_told.number, viewer=self.viewer)
            if told_later
            else None
        )
        earlier = (
            changed_since(self.instance, seen.number, viewer=self.viewer).changed if asked else {}
        )
        before = (
            model_to_dict(since.seen, fields=[field.name for field in concrete])
            if since is not None and since.seen is not None
            else {}
        )
        conflicting: list[Changed] = []
        taken: set[str] = set()
        for field in concrete:
            name = field.name
            news = since.changed.get(name) if since else None
            choice = self.data.get(self.add_prefix(KEEP + name), "") if name in asked else ""
            if choice == THEIRS:
                taken.add(name)
            elif name in asked and not choice and name in earlier:
                if self._differs(name, self.get_initial_for_field(self.fields[name], name)):
                    conflicting.append(earlier[name])
            elif news and name in before and not self._differs(name, before[name]):
                taken.add(name)
                self.notes.append(in_words(news, stays=True))
            elif news and self._differs(name, self.get_initial_for_field(self.fields[name], name)):
                conflicting.append(earlier.get(name, news))
        return conflicting, taken

    def _differs(self, name: str, value: Any) -> bool:
        return bool(self.fields[name].has_changed(value, self[name].data))

    def _take(self, name: str) -> None:
        """The value that is there now, as if the user had entered it."""
        field = self.fields[name]
        field.disabled = False
        field.bound_data = lambda data, initial: initial  # type: ignore[method-assign]
        # Whatever the field may make of it: it is not the user's to correct.
        self.errors.pop(name, None)
        self.cleaned_data[name] = getattr(self.instance, name)
        self._unchanged.add(name)

    def _merge(self, name: str, field: Any, before: set[str]) -> None:
        """What the user added comes, what they took away goes; the rest is as others made it."""
        assert self.now is not None  # noqa: S101 - for mypy
        posted = {str(each.pk) for each in self.cleaned_data[name]}
        now = set(self.now.links[name])
        merged = (now | (posted - before)) - (before - posted)
        if merged == now:
            self._unchanged.add(name)
        if merged == posted:
            return
        model = field.queryset.model
        found = model._base_manager.filter(pk__in=merged)
        self.cleaned_data[name] = found
        field.bound_data = lambda data, initial: sorted(merged)
        others = merged ^ posted
        called = {str(each.pk): str(each) for each in model._base_manager.filter(pk__in=others)}
        relation: Any = self.instance._meta.get_field(name)
        deeds = linked_by(self.instance, relation, sorted(others))
        by = {str(key): deed for key, deed in deeds.items()}
        for key in sorted(others, key=lambda key: called.get(key, key)):
            words = (
                _("%(who)s also added “%(what)s” to %(field)s; that stays.")
                if key in merged
                else _("%(who)s also took “%(what)s” out of %(field)s; that stays.")
            )
            who = by[key].who if key in by else _("Somebody")
            self.notes.append(
                words % {"who": who, "what": called.get(key, key), "field": relation.verbose_name}
            )

    def _refuse(self, changed: Changed) -> None:
        name = changed.field
        raw = self[name].data
        value = self.cleaned_data.get(name, raw)
        field = self.instance._meta.get_field(name)
        mine = value_of(field, value)
        key = self.add_prefix(KEEP + name)
        self.conflicts.append(
            Conflict(
                name=key,
                label=changed.label,
                changed=changed,
                mine=mine,
                choice=str(self.data.get(key, "")),
            )
        )
        self.add_error(name, in_words(changed) + " " + _("Choose above which value is to stay."))

    def _keep_what_others_changed(self, seen: Edition, last_told: Edition) -> None:
        """A row of a formset that is to be deleted, and that somebody changed meanwhile."""
        assert self.now is not None  # noqa: S101 - for mypy
        if not self.cleaned_data.get(forms.formsets.DELETION_FIELD_NAME):
            return
        if last_told.number == self.now.number:
            return
        del self.cleaned_data[forms.formsets.DELETION_FIELD_NAME]
        news = changed_since(self.instance, seen.number, viewer=self.viewer).changed
        told = " ".join(in_words(each) for each in news.values())
        self.add_error(
            None,
            (told or _("This has been changed meanwhile."))
            + " "
            + _("Save again to delete it all the same."),
        )

    @cached_property
    def changed_data(self) -> list[str]:
        changed: list[str] = super().changed_data
        return [name for name in changed if name not in self._unchanged]
