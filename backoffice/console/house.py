"""What people, files and the record give to the command palette and to the dashboard."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy

from backoffice.accounts.models import Role, User
from backoffice.accounts.roles import RoleName
from backoffice.audit.models import ChangeSet
from backoffice.audit.seals.state import verdict
from backoffice.audit.wording import source_in_words
from backoffice.exchange.admin.job_page import may_import
from backoffice.exchange.models import ImportFeed, ImportJob, ImportProfile
from backoffice.exchange.resources import get_resource, resource_names

from . import dashboard, palette
from .dashboard import Attention, Line, Notice, Recent, Trend
from .palette.registry import Action

RECENT = 8
LATELY = 14  # days in which what went wrong still wants to be looked at
_IMPORTERS = (RoleName.CATALOGUE_MANAGER, RoleName.ADMINISTRATOR)
_GUARDS = (RoleName.AUDITOR, RoleName.ADMINISTRATOR)
State = ImportJob.State

palette.register(
    User, icon="person", title=lambda user: user.get_full_name() or user.email,
    note=lambda user: user.email,
)  # fmt: skip
palette.register(Role, icon="badge", text=F("name"))
palette.register(ImportJob, icon="upload_file", text=F("file_name"))
palette.register(ImportProfile, icon="tune", text=F("name"))
palette.register(ImportFeed, icon="rss_feed", text=F("name"))
palette.register_action(
    Action(
        name="password",
        label=_("Change my password"),
        icon="key",
        address="admin:password_change",
        allowed=lambda request: request.user.is_active,
        words=_("secret sign-in account"),
    )
)


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


def _on_the_timeline(**values: str) -> str:
    return urlencode({**values, "from": timezone.localdate().isoformat()})


def _today(rows: QuerySet[ChangeSet], kind: ChangeSet.Kind) -> QuerySet[ChangeSet]:
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return rows.filter(kind=kind, at__gte=start)


for kind, title, icon in (
    (
        ChangeSet.Kind.SIGN_IN_FAILED,
        ngettext_lazy("failed sign-in today", "failed sign-ins today"),
        "no_accounts",
    ),
    (ChangeSet.Kind.LOCK_OUT, ngettext_lazy("lock-out today", "lock-outs today"), "lock_clock"),
    (
        ChangeSet.Kind.REFUSED,
        ngettext_lazy("refused attempt today", "refused attempts today"),
        "block",
    ),
):
    dashboard.register(
        Attention(
            name=f"record-{kind.value}",
            title=title,
            icon=icon,
            model=ChangeSet,
            rows=partial(_today, kind=kind),
            query=partial(_on_the_timeline, kind=kind.value),
            roles=_GUARDS,
        )
    )


def _changes_on(start: datetime, end: datetime, source: str | None) -> str:
    day = start.date().isoformat()
    chosen = {"source": source} if source else {}
    query = urlencode({"kind": ChangeSet.Kind.CHANGE.value, **chosen, "from": day, "to": day})
    return f"{reverse('admin:audit_changeset_changelist')}?{query}"


dashboard.register(
    Trend(
        name="changes",
        title=_("Changes by day and source"),
        model=ChangeSet,
        moment="at",
        rows=lambda rows: rows.filter(kind=ChangeSet.Kind.CHANGE),
        series="source",
        label=lambda source: str(source_in_words(source)),
        link=_changes_on,
        roles=_GUARDS,
        empty=_("Nothing was changed in these days."),
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


def _lines(request: HttpRequest, *, mine: bool) -> list[Line]:
    entries = ChangeSet.objects.order_by("-id")
    if mine:
        entries = entries.filter(actor_id=request.user.pk, kind=ChangeSet.Kind.CHANGE)
    else:
        entries = entries.exclude(actor_id=request.user.pk)
    page = ""
    if request.user.has_perm("audit.view_changeset"):
        page = "admin:audit_changeset_change"
    elif request.user.has_perm("audit.undo_changeset"):
        page = "admin:audit_changeset_undo"
    return [
        Line(
            title=entry.action or str(source_in_words(entry.source)),
            why=entry.reason,
            note="" if mine else entry.who,
            at=entry.at,
            link=reverse(page, args=[entry.pk]) if page else "",
        )
        for entry in entries[:RECENT]
    ]


def _may_read_record(request: HttpRequest) -> bool:
    return request.user.has_perm("audit.view_changeset")


def _timeline(request: HttpRequest, **query: str | int) -> str:
    address = reverse("admin:audit_changeset_changelist")
    return f"{address}?{urlencode(query)}" if query else address


dashboard.register(
    Recent(
        name="mine",
        title=_("What you did last"),
        lines=partial(_lines, mine=True),
        empty=_("You have not changed anything yet."),
        allowed=lambda request: (
            _may_read_record(request) or request.user.has_perm("audit.undo_changeset")
        ),
        link=lambda request: (
            _timeline(request, who=str(request.user.pk)) if _may_read_record(request) else ""
        ),
        link_text=_("All of it"),
        roles=(RoleName.CATALOGUE_MANAGER,),
    )
)
dashboard.register(
    Recent(
        name="team",
        title=_("What others did last"),
        lines=partial(_lines, mine=False),
        empty=_("Nothing has been changed yet. Whatever is, stands here with who, when and why."),
        allowed=_may_read_record,
        link=_timeline,
        link_text=_("Whole timeline"),
        roles=_GUARDS,
        is_wide=True,
    )
)


def _proof() -> tuple[str, bool]:
    found = verdict()
    return found.text, not found.wrong


dashboard.register(
    Notice(
        name="proof",
        title=_("Proof of the record"),
        text=_proof,
        allowed=lambda request: request.user.has_perm("audit.view_seal"),
        link=lambda request: reverse("admin:audit_seal_changelist"),
        link_text=_("Seals"),
        roles=(RoleName.AUDITOR,),
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
