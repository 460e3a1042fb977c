"""What the page of an import shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from backoffice.exchange.apply_form import ApplyForm
from backoffice.exchange.compiling import compile_columns, hidden_columns
from backoffice.exchange.mapping_form import MappingForm, ProfileForm
from backoffice.exchange.models import ImportJob
from backoffice.exchange.problems import problem_summary
from backoffice.exchange.rate_form import RateForm
from backoffice.exchange.reading_form import ReadAsForm
from backoffice.exchange.resources import Resource, get_resource
from backoffice.exchange.staging import is_staged

from .job_format import format_context
from .job_reading import reading_context
from .preview_page import STATUSES, rows_context

# Those that are rare are shown where there are any.
_ALWAYS = {"new", "changed", "unchanged", "invalid"}
_COUNTS = {"conflict": "conflicts", "missing": "deactivated"}


def may_import(user: Any, resource: Resource) -> bool:
    options = resource.model()._meta
    return bool(user.has_perm(f"{options.app_label}.import_{options.model_name}"))


def may_see_file_of(job: ImportJob, user: Any) -> bool:
    """Whoever brought a file may see all of it; others, if nothing that it may hold is hidden."""
    return job.user_id == user.pk or not hidden_columns(get_resource(job.resource), user)


def job_context(
    request: HttpRequest,
    job: ImportJob,
    mapping_form: MappingForm | None = None,
    apply_form: ApplyForm | None = None,
    reading_form: ReadAsForm | None = None,
    profile_form: ProfileForm | None = None,
    rate_form: RateForm | None = None,
) -> dict[str, Any]:
    """Facts, columns, counts and the page of rows that the address asks for."""
    resource = get_resource(job.resource)
    options = resource.model()._meta
    is_open = job.state in {ImportJob.State.UPLOADED, ImportJob.State.CHECKED}
    # A crash of the database empties the staging tables; "Check again" fills them from the file.
    is_lost = is_open and not is_staged(job)
    is_checked = job.state == ImportJob.State.CHECKED and not is_lost
    hidden = hidden_columns(resource, request.user)
    may_see_file = may_see_file_of(job, request.user)
    if mapping_form is None and is_open and not is_lost and may_see_file:
        mapping_form = MappingForm(job=job, resource=resource)
    return {
        "title": job.file_name,
        "job": job,
        "what": options.verbose_name_plural,
        "key_label": compile_columns(resource)[resource.key()].label,
        "list_url": reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
        "import_url": reverse(f"admin:{options.app_label}_{options.model_name}_import"),
        "is_open": is_open,
        "is_checked": is_checked,
        "is_lost": is_lost,
        "is_own": job.user_id == request.user.pk and may_import(request.user, resource),
        "changes": job.new + job.changed + job.deactivated,
        "can_apply": bool(job.new or job.changed or job.deactivated or job.conflicts),
        "mapping_form": mapping_form,
        "may_see_file": may_see_file,
        "apply_form": apply_form or ApplyForm(job=job),
        "counts": [
            (status, label, getattr(job, _COUNTS.get(status, status)))
            for status, label in STATUSES.items()
            if status in _ALWAYS or getattr(job, _COUNTS[status])
        ],
        "left_out": [
            name for index, name in enumerate(job.header) if index not in job.mapping.values()
        ],
        **format_context(job, resource),
        **reading_context(job, reading_form, is_open=is_open, may_see_file=may_see_file),
        **(rows_context(request, job, resource, hidden) if is_checked else {"rows": []}),
        "rate_form": (rate_form or RateForm(job=job))
        if is_checked and job.summary.get("currency")
        else None,
        "own_currency": settings.CURRENCY,
        "profile_form": profile_form or ProfileForm(job=job),
        "may_keep_profile": request.user.has_perm("exchange.add_importprofile"),
        "unnamed": job.summary.get("unnamed", 0),
        "problems": problem_summary(job, resource) if job.invalid else [],
        "creates": _creates(job, resource),
        "changed_fields": _changed_fields(job, resource),
        "may_see_change_set": request.user.has_perm("audit.view_changeset"),
    }


def _creates(job: ImportJob, resource: Resource) -> list[tuple[str, int, list[str]]]:
    return [
        (
            str(options.verbose_name if missing["count"] == 1 else options.verbose_name_plural),
            missing["count"],
            missing["first"],
        )
        for name, missing in job.summary.get("creates", {}).items()
        for options in [resource.fields[name].widget.model._meta]
    ]


def _changed_fields(job: ImportJob, resource: Resource) -> list[tuple[str, int]]:
    fields = job.summary.get("fields", {})
    columns = compile_columns(resource)
    return [
        (columns[name].label, count)
        for name, count in sorted(fields.items(), key=lambda item: -item[1])
    ]
