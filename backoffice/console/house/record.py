"""The record on the dashboard: what was done, by whom, and what should not have been tried."""

from datetime import datetime
from functools import partial

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from backoffice.accounts.roles import RoleName
from backoffice.audit.models import ChangeSet
from backoffice.audit.seals.state import verdict
from backoffice.audit.wording import source_in_words
from backoffice.console import dashboard
from backoffice.console.dashboard import Attention, Line, Notice, Recent, Trend

RECENT = 8
_GUARDS = (RoleName.AUDITOR, RoleName.ADMINISTRATOR)


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
