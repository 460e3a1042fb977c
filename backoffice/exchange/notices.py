"""Who handed work over to a worker, or keeps a feed, is told what became of it."""

from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.accounts.notifications.kinds import Kind, Parameters, register
from backoffice.accounts.notifications.services import notify

from .models import ExportJob, ImportFeed, ImportJob
from .resources import get_resource, resource_names

State = ImportJob.State


def _imported(told: Parameters) -> str:
    done = told["new"] + told["changed"]
    text = ngettext(
        "%(file)s was imported: %(count)s change.",
        "%(file)s was imported: %(count)s changes.",
        done,
    )
    return text % {"file": told["file"], "count": _number(done)}


def _waiting(told: Parameters) -> str:
    if told["problem"]:
        return _not_imported(told)
    if told["state"] == State.UPLOADED:
        return _("%(file)s was read: choose its columns.") % told
    return _("%(file)s was read: look at what it would do.") % told


def _not_imported(told: Parameters) -> str:
    return _("%(file)s was not imported.") % told


def _figures(told: Parameters) -> str:
    if told["problem"] or told["state"] == State.UPLOADED:
        return str(told["problem"])
    lines = [
        _("New: %(count)s") % {"count": _number(told["new"])},
        _("Changed: %(count)s") % {"count": _number(told["changed"])},
        _("Unchanged: %(count)s") % {"count": _number(told["unchanged"])},
        _("Invalid: %(count)s") % {"count": _number(told["invalid"])},
    ]
    return "\n".join(lines)


def _number(number: int) -> str:
    return number_format(number, force_grouping=True)


def _what(told: Parameters) -> Any:
    return get_resource(told["resource"]).model()._meta.verbose_name_plural


def _brings_in(user: Any) -> bool:
    return _may("import", user)


def _takes_out(user: Any) -> bool:
    return _may("export", user)


def _may(what: str, user: Any) -> bool:
    models = [get_resource(name).model()._meta for name in resource_names()]
    return any(user.has_perm(f"{each.app_label}.{what}_{each.model_name}") for each in models)


IMPORTED = register(
    Kind(
        name="import_finished",
        label=gettext_lazy("A large import is finished"),
        text=_imported,
        details=_figures,
        icon="task_alt",
        by_email=True,
        concerns=_brings_in,
    )
)
IMPORT_WAITS = register(
    Kind(
        name="import_waits",
        label=gettext_lazy("A large import needs you to go on"),
        text=_waiting,
        details=_figures,
        icon="pending_actions",
        by_email=True,
        concerns=_brings_in,
    )
)
IMPORT_FAILED = register(
    Kind(
        name="import_failed",
        label=gettext_lazy("A large import failed"),
        text=_not_imported,
        details=lambda told: str(told["problem"]),
        icon="error",
        by_email=True,
        concerns=_brings_in,
    )
)
EXPORTED = register(
    Kind(
        name="export_ready",
        label=gettext_lazy("A large export is ready"),
        text=lambda told: _("The export of %(what)s is ready.") % {"what": _what(told)},
        details=lambda told: (
            ngettext("%(count)s row", "%(count)s rows", told["rows"])
            % {"count": _number(told["rows"])}
        ),
        icon="download",
        by_email=True,
        concerns=_takes_out,
    )
)
EXPORT_FAILED = register(
    Kind(
        name="export_failed",
        label=gettext_lazy("A large export failed"),
        text=lambda told: _("The export of %(what)s failed.") % {"what": _what(told)},
        details=lambda told: str(told["problem"]),
        icon="error",
        by_email=True,
        concerns=_takes_out,
    )
)
FEED_FAILED = register(
    Kind(
        name="feed_failed",
        label=gettext_lazy("A feed of yours was not imported"),
        text=lambda told: _("The feed %(name)s was not imported.") % told,
        details=lambda told: str(told["problem"]),
        icon="rss_feed",
        by_email=True,
        concerns=_brings_in,
    )
)


def tell_of_import(job: ImportJob) -> None:
    """Tell the user of a job what became of it, in the transaction in which it ended."""
    problem = job.progress.problem
    if job.state == State.DISCARDED and not problem:
        return  # a feed's file that changes nothing
    kind = {State.APPLIED: IMPORTED, State.UPLOADED: IMPORT_WAITS, State.CHECKED: IMPORT_WAITS}
    notify(
        to=[job.user],
        kind=kind.get(State(job.state), IMPORT_FAILED),
        parameters={
            "file": job.file_name,
            "state": job.state,
            "problem": problem,
            "new": job.new,
            "changed": job.changed,
            "unchanged": job.unchanged,
            "invalid": job.invalid,
        },
        link=reverse("admin:exchange_importjob_change", args=[job.pk]),
        about=job,
    )


def tell_of_export(job: ExportJob) -> None:
    """Tell the user of an export that its file is there, or why it is not."""
    notify(
        to=[job.user],
        kind=EXPORTED if job.state == ExportJob.State.DONE else EXPORT_FAILED,
        parameters={"resource": job.resource, "rows": job.rows, "problem": job.problem},
        link=reverse("admin:exchange_exportjob_change", args=[job.pk]),
        about=job,
    )


def tell_of_feed(feed: ImportFeed, problem: str) -> None:
    """Tell the user of a feed why its file was not imported."""
    notify(
        to=[feed.user],
        kind=FEED_FAILED,
        parameters={"name": feed.name, "problem": problem},
        link=reverse("admin:exchange_importfeed_change", args=[feed.pk]),
        about=feed,
    )
