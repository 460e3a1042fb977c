"""The form of a file: where each column goes, what is done to it, and what holds for all rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from .choices import Choices
from .clearing import Blank
from .columns import BooleanColumn, RelationColumn
from .compiling import open_columns
from .guessing import says_the_opposite
from .models import ImportJob
from .planning import Rights
from .resources import Resource
from .staging import sample_cells
from .transforming import KINDS, Step, clean_steps
from .uniqueness import lookup_fields
from .versions import VERSION, is_versioned


@dataclass(frozen=True)
class MappedColumn:
    """A column of the file on the form."""

    index: int
    header: str
    samples: Sequence[str]
    field: forms.BoundField
    is_mapped: bool
    is_guessed: bool
    steps: Sequence[Step]
    # Whether the header says the opposite of what a field that is yes or no here does.
    is_opposite: bool


class MappingForm(forms.Form):
    """One choice for each column of the file, its steps, and what holds for every row.

    Steps and constants are as many as one likes: they come as lists (`kind_3`, `first_3`,
    `second_3`; `constant_field`, `constant_value`), one entry each, in the order of the page.
    """

    def __init__(
        self, data: MultiValueDict[str, str] | None = None, *, job: ImportJob, resource: Resource
    ) -> None:
        super().__init__(data)
        self.job, self.resource = job, resource
        self.open = open_columns(resource, job.user)
        self.targets = _targets(resource, job.user)
        shown = {**job.guesses, **job.mapping}
        chosen = {index: target for target, index in shown.items()}
        choices = [("", _("not imported")), *self.targets]
        for index, header in enumerate(job.header):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=header,
                choices=choices,
                required=False,
                initial=chosen.get(index, ""),
                widget=UnfoldAdminSelect2Widget(
                    attrs={"aria-label": header, "data-exchange-target": str(index)}
                ),
            )
        self._add_what_holds_for_all()

    def _add_what_holds_for_all(self) -> None:
        job, resource = self.job, self.resource
        self.fields["blank_cells"] = forms.ChoiceField(
            label=_("Blank cells"),
            choices=[(value, capfirst(label)) for value, label in Blank.choices],
            required=False,
            initial=job.blank_cells,
            help_text=escape(
                _("In existing rows. <clear> in a cell clears that one, whatever is chosen.")
            ),
            widget=UnfoldAdminSelectWidget,
        )
        creates = resource.creates if job.creates is None else job.creates
        may_create = Rights.of(job.user, resource).creates
        for name, column in self.open.items():
            if name in resource.creates & may_create:
                self.fields[f"creates_{name}"] = forms.ChoiceField(
                    label=_("Unknown: %(field)s") % {"field": column.label},
                    choices=[("", _("Add what is missing")), ("no", _("Report it as a problem"))],
                    required=False,
                    initial="" if name in creates else "no",
                    widget=UnfoldAdminSelectWidget,
                )
        for name, column in self.open.items():
            fields = lookup_fields(column) if isinstance(column, RelationColumn) else []
            if len(fields) > 1:
                usual = fields[0]
                self.fields[f"lookup_{name}"] = forms.ChoiceField(
                    label=_("%(field)s is named by its") % {"field": column.label},
                    choices=[
                        ("" if f is usual else f.name, capfirst(str(f.verbose_name)))
                        for f in fields
                    ],
                    required=False,
                    initial=job.lookups.get(name, ""),
                    widget=UnfoldAdminSelectWidget,
                )
        if resource.deactivates in self.open:
            self.fields["deactivate_missing"] = forms.BooleanField(
                label=_("The file is a full list: deactivate what is not in it"),
                required=False,
                initial=job.deactivate_missing,
                widget=UnfoldBooleanSwitchWidget,
            )
            for name in resource.deactivates_within:
                self.fields[f"scope_{name}"] = forms.CharField(
                    label=_("Full list of the %(field)s")
                    % {"field": self.open[name].label.lower()},
                    required=False,
                    initial=job.deactivate_scope.get(name, ""),
                    help_text=_("Only its rows are deactivated. Blank: any row may be."),
                    widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
                )

    # What the page shows

    def columns(self) -> Iterator[MappedColumn]:
        samples, mapped = sample_cells(self.job), self.job.mapping.values()
        for index, header in enumerate(self.job.header):
            field = self[f"column_{index}"]
            target = str(field.value() or "")
            yield MappedColumn(
                index,
                header,
                samples[index],
                field,
                bool(target),
                is_guessed=bool(target)
                and not self.is_bound
                and index not in mapped
                and self.job.guesses.get(target) == index,
                steps=self._posted_steps(index)
                if self.is_bound
                else self.job.transformations.get(target)
                or self._proposed_steps(index, header, target),
                is_opposite=says_the_opposite(header),
            )

    def _proposed_steps(self, index: int, header: str, target: str) -> Sequence[Step]:
        """Of a column that was only guessed: yes in "discontinued" is no where it goes."""
        is_guessed = self.job.guesses.get(target) == index
        is_flag = isinstance(self.open.get(target), BooleanColumn)
        if is_guessed and is_flag and says_the_opposite(header):
            return [{"kind": "opposite", "first": "", "second": ""}]
        return ()

    def settings_fields(self) -> list[forms.BoundField]:
        """The fields of what holds for all rows."""
        return [field for field in self.visible_fields() if not field.name.startswith("column_")]

    def constants_shown(self) -> list[tuple[str, str]]:
        if self.is_bound:
            return self._posted_constants()
        return list(self.job.constants.items())

    @property
    def kinds(self) -> list[dict[str, Any]]:
        return [
            {"code": k.code, "label": k.label, "first": k.first, "second": k.second}
            for k in KINDS.values()
        ]

    @property
    def demands(self) -> dict[str, Any]:
        """What the page tells at once, before anything is sent."""
        columns = self.open.items()
        key = self.resource.key()
        return {
            "labels": dict(self.targets),
            "flags": [name for name, c in columns if isinstance(c, BooleanColumn)],
            "key": key,
            "needed": [name for name, c in columns if name != key and c.default() is None],
            "messages": {
                "doubled": _("More than one column goes here. Choose one."),
                "key": _("No column goes to “%(field)s”, by which rows are recognised."),
                "needed": _("New rows need: %(fields)s."),
            },
        }

    # What was sent

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = [v for name, v in cleaned.items() if name.startswith("column_") and v]
        labels = dict(self.targets)
        for target in sorted({t for t in chosen if chosen.count(t) > 1}):
            raise forms.ValidationError(
                _("More than one column goes to “%(field)s”. Choose one of them.")
                % {"field": labels[target]}
            )
        for index, header in enumerate(self.job.header):
            try:
                clean_steps(self._posted_steps(index))
            except ValueError as error:
                self.add_error(f"column_{index}", f"{header}: {error}")
        return cleaned

    def choices(self) -> Choices:
        said = self.cleaned_data
        mapping = {
            target: int(name.removeprefix("column_"))
            for name, target in said.items()
            if name.startswith("column_") and target
        }
        refused = {
            n.removeprefix("creates_") for n, v in said.items() if n.startswith("creates_") and v
        }
        return Choices(
            mapping=mapping,
            constants={t: v for t, v in self._posted_constants() if t and v.strip()},
            transformations={
                target: steps
                for target, index in mapping.items()
                if (steps := self._posted_steps(index))
            },
            creates=sorted(self.resource.creates - refused) if refused else None,
            lookups=_filled(said, "lookup_"),
            blank_cells=said.get("blank_cells") or Blank.KEEP,
            deactivate_missing=bool(said.get("deactivate_missing")),
            deactivate_scope=_filled(said, "scope_"),
        )

    def _posted_steps(self, index: int) -> list[Step]:
        """Steps of one column; those without a kind were taken out."""
        kinds, firsts, seconds = (
            self._posted(f"{part}_{index}") for part in ("kind", "first", "second")
        )
        return [
            {"kind": kind, "first": first, "second": second}
            for kind, first, second in zip(kinds, firsts, seconds, strict=False)
            if kind
        ]

    def _posted_constants(self) -> list[tuple[str, str]]:
        fields, values = self._posted("constant_field"), self._posted("constant_value")
        return list(zip(fields, values, strict=False))

    def _posted(self, name: str) -> list[str]:
        return self.data.getlist(name) if isinstance(self.data, MultiValueDict) else []


def _filled(said: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): str(value).strip()
        for name, value in said.items()
        if name.startswith(prefix) and str(value).strip()
    }


def _targets(resource: Resource, user: Any) -> list[tuple[str, str]]:
    """Every field that a column may feed, by its label; lower levels of a path behind it."""
    targets = []
    for column in open_columns(resource, user).values():
        for number, target in enumerate(column.targets, start=1):
            level = {"field": column.label, "number": number}
            shown = _("%(field)s, level %(number)d") % level if number > 1 else column.label
            targets.append((target, shown))
    if is_versioned(resource):
        targets.append((VERSION, _("Version (only compared)")))
    return targets


class ProfileForm(forms.Form):
    """Under which name a file's choices are kept, and for whom."""

    profile_name = forms.CharField(
        label=gettext_lazy("Save these choices as profile"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Such as the supplier. Files with the same headers then get them."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    profile_shared = forms.BooleanField(
        label=gettext_lazy("For everybody"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, data: Any = None, *, job: ImportJob) -> None:
        profile = job.profile
        super().__init__(
            data,
            initial={
                "profile_name": profile.name if profile else "",
                "profile_shared": profile.is_shared if profile else True,
            },
        )
