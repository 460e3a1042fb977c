"""The undo of many rows as a job: kept as it was asked for, then carried out with the rights of
whoever asked as they are by then."""

import hashlib
from typing import Any

from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.admin.undo import object_asked_for, require_right
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.large import UndoRequest
from backoffice.audit.undo.names import names_of
from backoffice.audit.undo.plan import UndoPlan
from backoffice.audit.undo.services import ObjectKey
from backoffice.bulk import Outcome
from backoffice.console.models import BulkJob
from backoffice.exchange.admin.replaying import Selection, as_asked_by

from .refusals import JobRefused

ACTION = "undo"


def kept_in_job(asked: UndoRequest) -> dict[str, Any]:
    """What the job of an undo keeps of what was asked: the query of the page that it came from,
    and the fingerprint of what that showed."""
    page, sent = QueryDict(mutable=True), QueryDict(mutable=True)
    if asked.only is not None:
        page["object"] = f"{asked.only.model._meta.label_lower}/{quote(asked.only.key)}"
    sent["previewed"] = asked.previewed
    what = f"{asked.change_set.pk} {page.urlencode()} {sent.urlencode()}"
    return {
        "model": ChangeSet._meta.label_lower,
        "action": ACTION,
        "undoes": asked.change_set,
        "selection": Selection(page.urlencode()).as_json(),
        "sent": sent.urlencode(),
        "fingerprint": hashlib.sha256(what.encode()).hexdigest()[:32],
        "reason": asked.reason,
    }


def undo(job: BulkJob, change_set: ChangeSet) -> tuple[Outcome, ChangeSet]:
    """Undo what was asked for, if it is still what was previewed. Raises what an undo raises."""
    request = _request(job)
    try:
        if not job.user.is_active:
            raise PermissionDenied
        only = object_asked_for(request)
        require_right(request, only.model if only else None)
    except (PermissionDenied, Http404):
        raise JobRefused(_("You may not do this any more. Ask somebody who may.")) from None
    result = UndoRequest(
        actor=job.user,
        change_set=change_set,
        reason=job.reason,
        only=only,
        previewed=QueryDict(job.sent).get("previewed", ""),
    ).carry_out()
    return Outcome(done=result.plan.undone, skipped=_kept(result.plan)), result.change_set


def undo_context(job: BulkJob) -> dict[str, Any]:
    """What the page of a job shows of an undo besides."""
    query = Selection.of_json(job.selection).query
    address = reverse("admin:audit_changeset_undo", args=[job.undoes_id])
    return {
        "undoes": job.undoes,
        "only": _named(object_asked_for(_request(job))),
        "preview_url": f"{address}?{query}" if query else address,
    }


def _request(job: BulkJob) -> HttpRequest:
    return as_asked_by(job.user, Selection.of_json(job.selection))


def _named(only: ObjectKey | None) -> str:
    if only is None:
        return ""
    (name,) = names_of(only.model, {only.key}).values()
    return str(capfirst(name))


def _kept(plan: UndoPlan) -> dict[str, int]:
    reasons = {why for tally in plan.tallies for why in tally.kept}
    return {why.value: plan.kept(why) for why in sorted(reasons)}
