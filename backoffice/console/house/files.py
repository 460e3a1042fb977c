"""Imports and feeds: in the palette, and what became of them on the dashboard."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from backoffice.accounts.roles import RoleName
from backoffice.console import dashboard, palette
from backoffice.console.dashboard import Attention, Line, Recent, Trend
from backoffice.exchange.admin.job_page import may_import
from backoffice.exchange.models import ImportFeed, ImportJob, ImportProfile
from backoffice.exchange.resources import get_resource, resource_names

RECENT = 8
LATELY = 14  # days in which what went wrong still wants to be looked at
_IMPORTERS = (RoleName.CATALOGUE_MANAGER, RoleName.ADMINISTRATOR)
State = ImportJob.State

palette.register(ImportJob, icon="upload_file", text=F("file_name"))
palette.register(ImportProfile, icon="tune", text=F("name"))
palette.register(ImportFeed, icon="rss_feed", text=F("name"))


def _lately() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=LATELY - 1)


def _jobs(**lookups: str | int) -> str:
    return urlencode({**lookups, "created_at__gte": _lately().isoformat()})


dashboard.register(
    Attention(
        name="imports-failed",
        title=ngettext_lazy("import failed", "imports failed"),
        icon="error",
        model=ImportJob,
        rows=lambda rows: rows.filter(state=State.FAILED, created_at__gte=_lately()),
        query=partial(_jobs, state__exact=State.FAILED.value),
        roles=_IMPORTERS,
    )
)
dashboard.register(
    Attention(
        name="imports-conflicts",
        title=ngettext_lazy("import with conflicts", "imports with conflicts"),
        icon="call_split",
        model=ImportJob,
        rows=lambda rows: rows.filter(
            state=State.CHECKED, conflicts__gte=1, created_at__gte=_lately()
        ),
        query=partial(_jobs, state__exact=State.CHECKED.value, conflicts__gte=1),
        roles=_IMPORTERS,
        is_on_record=False,  # how many there are
    )
)
dashboard.register(
    Attention(
        name="imports-waiting",
        title=ngettext_lazy("import waits to be applied", "imports wait to be applied"),
        icon="pending_actions",
        model=ImportJob,
        rows=lambda rows: rows.filter(state=State.CHECKED, created_at__gte=_lately()),
        query=partial(_jobs, state__exact=State.CHECKED.value),
        roles=_IMPORTERS,
    )
)
dashboard.register(
    Attention(
        name="feeds-failed",
        title=ngettext_lazy("feed has a problem", "feeds have a problem"),
        icon="rss_feed",
        model=ImportFeed,
        rows=lambda rows: rows.filter(is_active=True).exclude(last_problem=""),
        query="is_active__exact=1&last_problem__gt=",
        roles=_IMPORTERS,
        is_on_record=False,  # how its runs end; feeds are few
    )
)


def _imports_on(start: datetime, end: datetime, state: str | None) -> str:
    chosen = {"state__exact": state} if state else {}
    query = urlencode(
        {**chosen, "created_at__gte": start.isoformat(), "created_at__lt": end.isoformat()}
    )
    return f"{reverse('admin:exchange_importjob_changelist')}?{query}"


dashboard.register(
    Trend(
        name="imports",
        title=_("Imports by day"),
        model=ImportJob,
        moment="created_at",
        series="state",
        label=lambda state: str(State(state).label),
        link=_imports_on,
        roles=_IMPORTERS,
        patience=0,
        empty=_("No file was imported in these days."),
    )
)


def _may_import(request: HttpRequest) -> bool:
    return any(may_import(request.user, get_resource(name)) for name in resource_names())


def _imports_of(request: HttpRequest) -> list[Line]:
    return [
        Line(
            title=job.file_name,
            note=_summary(job),
            at=job.created_at,
            link=reverse("admin:exchange_importjob_change", args=[job.pk]),
        )
        for job in ImportJob.objects.filter(user=request.user.pk).order_by("-id")[:RECENT]
    ]


def _summary(job: ImportJob) -> str:
    """How far an import is, and what it does: "applied: 2 new, 1 changed"."""
    counts = [
        text % number
        for number, text in (
            (job.new, ngettext("%d new", "%d new", job.new)),
            (job.changed, ngettext("%d changed", "%d changed", job.changed)),
            (job.invalid, ngettext("%d invalid", "%d invalid", job.invalid)),
        )
        if number
    ]
    state = str(job.get_state_display())
    return f"{state}: {', '.join(counts)}" if counts else state


dashboard.register(
    Recent(
        name="imports-mine",
        title=_("Your imports"),
        lines=_imports_of,
        empty=_("You have not imported a file yet."),
        allowed=_may_import,
        link=lambda request: reverse("admin:exchange_importjob_changelist"),
        link_text=_("All imports"),
        roles=_IMPORTERS,
    )
)
