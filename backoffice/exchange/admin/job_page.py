"""What the page of an import shows."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from backoffice.exchange.compiling import compile_columns, hidden_columns
from backoffice.exchange.forms import ApplyForm, MappingForm
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import preview_rows
from backoffice.exchange.problems import problem_summary
from backoffice.exchange.reading import ENCODINGS
from backoffice.exchange.resources import Resource, get_resource
from backoffice.exchange.staging import is_staged

from .job_format import format_context

PAGE = 50
STATUSES = {
    "new": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "invalid": gettext_lazy("invalid"),
    "conflict": gettext_lazy("conflict"),
}
DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
}


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
) -> dict[str, Any]:
    """Facts, columns, counts and the page of rows that the address asks for."""
    resource = get_resource(job.resource)
    options = resource.model()._meta
    is_open = job.state in {ImportJob.State.UPLOADED, ImportJob.State.CHECKED}
    # A crash of the database empties the staging tables; "Check again" fills them from the file.
    is_lost = is_open and not is_staged(job)
    is_checked = job.state == ImportJob.State.CHECKED and not is_lost
    hidden = hidden_columns(resource, request.user)
    status = request.GET.get("status", "")
    status = status if status in STATUSES else ""
    after = request.GET.get("after", "")
    rows = []
    if is_checked:
        rows = preview_rows(
            job,
            resource,
            status=status,
            after=int(after) if after.isdecimal() and len(after) < 10 else 0,
            limit=PAGE + 1,
            hidden=hidden,
        )
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
        "encoding": ENCODINGS.get(job.encoding.removesuffix("-sig"), job.encoding),
        "delimiter": DELIMITERS.get(job.delimiter, job.delimiter),
        "is_open": is_open,
        "is_checked": is_checked,
        "is_lost": is_lost,
        "is_own": job.user_id == request.user.pk and may_import(request.user, resource),
        "changes": job.new + job.changed,
        "mapping_form": mapping_form,
        "may_see_file": may_see_file,
        "apply_form": apply_form or ApplyForm(job=job),
        "counts": [
            (s, label, job.conflicts if s == "conflict" else getattr(job, s))
            for s, label in STATUSES.items()
        ],
        "left_out": [
            name for index, name in enumerate(job.header) if index not in job.mapping.values()
        ],
        **format_context(job, resource),
        "status": status,
        "rows": rows[:PAGE],
        "next_row": rows[PAGE - 1].number if len(rows) > PAGE else None,
        "is_first_page": not after,
        "problems": problem_summary(job, resource) if job.invalid else [],
        "creates": _creates(job, resource),
        "changed_fields": _changed_fields(job, resource),
        "may_see_change_set": request.user.has_perm("audit.view_changeset"),
    }


def _creates(job: ImportJob, resource: Resource) -> list[tuple[str, int, list[str]]]:
    return [
        (str(options.verbose_name_plural), missing["count"], missing["first"])
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
