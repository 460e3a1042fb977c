"""What a user, or a profile, decides about a file besides how it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.context import audit_context
from backoffice.audit.language import on_record

from .clearing import Blank
from .columns import BooleanColumn, RelationColumn
from .compiling import open_columns
from .exceptions import MappingRefused, WrongState
from .mapping import mapping_problems
from .models import ImportJob
from .quantities import DecimalColumn
from .resources import Resource
from .transforming import Step, clean_steps
from .uniqueness import lookup_fields


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Which column feeds which field, and how; the fields are those of ImportJob."""

    mapping: Mapping[str, int]
    constants: Mapping[str, str] = field(default_factory=dict)
    transformations: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    creates: Sequence[str] | None = None
    lookups: Mapping[str, str] = field(default_factory=dict)
    blank_cells: str = Blank.KEEP
    deactivate_missing: bool = False
    deactivate_scope: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, job: ImportJob) -> Self:
        return cls(**{name: getattr(job, name) for name in cls.__dataclass_fields__})

    def put_on(self, job: ImportJob) -> None:
        """The caller saves the job."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            setattr(job, name, dict(value) if isinstance(value, Mapping) else value)
        job.transformations = {target: list(steps) for target, steps in job.transformations.items()}
        job.creates = None if self.creates is None else sorted(self.creates)


def checked_choices(
    resource: Resource, choices: Choices, header: Sequence[str], user: Any
) -> Choices:
    """The choices with each transformation in its one form.

    Raises MappingRefused with all that is wrong with them at once.
    """
    columns = open_columns(resource, user)
    column_of = {target: c for c in columns.values() for target in c.targets}
    problems = mapping_problems(
        resource, choices.mapping, header, user, constants=choices.constants
    )
    steps = {}
    for target, asked in choices.transformations.items():
        column = column_of.get(target)
        if column is None or target not in choices.mapping:
            continue  # of a column that is not imported any more
        try:
            steps[target] = clean_steps(list(asked))
        except ValueError as error:
            problems.append(f"{column.label}: {error}")
            continue
        kinds = {step["kind"] for step in steps[target]}
        if "opposite" in kinds and not isinstance(column, BooleanColumn):
            problems.append(
                _("%(field)s is not yes or no, so it has no opposite.") % {"field": column.label}
            )
        if "convert" in kinds and not isinstance(column, DecimalColumn):
            problems.append(
                _("%(field)s is no amount, so it has no currency.") % {"field": column.label}
            )
        if "split" in kinds and not getattr(column.widget, "separator", ""):
            problems.append(
                _("%(field)s holds one value, so there is no list to split.")
                % {"field": column.label}
            )
    for name, lookup in choices.lookups.items():
        column = columns.get(name)
        if not isinstance(column, RelationColumn) or lookup not in {
            f.name for f in lookup_fields(column)
        }:
            problems.append(
                _("“%(name)s” is not recognised by “%(by)s”.") % {"name": name, "by": lookup}
            )
    if choices.blank_cells not in Blank.values:
        problems.append(_("Choose what blank cells do."))
    if choices.deactivate_missing and resource.deactivates not in columns:
        problems.append(_("Rows of this kind cannot be deactivated."))
    if not choices.deactivate_scope.keys() <= set(resource.deactivates_within):
        problems.append(_("The full list cannot be told by this field."))
    if problems:
        raise MappingRefused(problems)
    known = choices.lookups.items()
    return Choices(
        **{
            **{name: getattr(choices, name) for name in Choices.__dataclass_fields__},
            "constants": {t: v.strip() for t, v in choices.constants.items() if v.strip()},
            "transformations": {target: found for target, found in steps.items() if found},
            "lookups": {n: by for n, by in known if by != columns[n].widget.field},
            "creates": None
            if choices.creates is None
            else sorted(resource.creates & set(choices.creates)),
        }
    )


@transaction.atomic
def keep_answers(
    *, job: ImportJob, reason: str, valid_rows_only: bool, overwrite_conflicts: bool
) -> None:
    """Keep what was typed on a preview for the one that takes its place; nothing is applied."""
    waiting = ImportJob.objects.filter(pk=job.pk, state=ImportJob.State.CHECKED)
    if not waiting.exists():
        return  # a worker has it, perhaps; to wait for that would be to wait for the end
    if found := waiting.select_for_update().first():
        found.reason, found.valid_rows_only = reason, valid_rows_only
        found.overwrite_conflicts = overwrite_conflicts
        with audit_context(
            action=on_record(gettext_lazy("Answers about %(file)s kept"), {"file": job.file_name})
        ):
            found.save(update_fields=["reason", "valid_rows_only", "overwrite_conflicts"])


@transaction.atomic
def decide(
    *, job: ImportJob, overwrite_conflicts: bool = False, confirm_deactivation: bool = False
) -> ImportJob:
    """Say, before a checked job is applied, what becomes of conflicts and of very many missing.

    The latter holds for the plan that is looked at, and for no other.
    """
    job = ImportJob.objects.select_for_update().get(pk=job.pk)
    if job.state != ImportJob.State.CHECKED:
        raise WrongState(_("Choose the columns first; then look at the preview and apply."))
    job.overwrite_conflicts = overwrite_conflicts
    job.summary["confirmed"] = job.summary["plan"] if confirm_deactivation else ""
    with audit_context(
        action=on_record(
            gettext_lazy("Conflicts and missing rows of %(file)s decided"), {"file": job.file_name}
        )
    ):
        job.save(update_fields=["overwrite_conflicts", "summary"])
    return job
