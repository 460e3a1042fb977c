"""The work of a worker on a bulk action or an undo: all of it in one transaction, or none."""

import logging
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from backoffice.accounts.language import chosen_language
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.bulk import Outcome
from backoffice.console.models import BulkJob
from backoffice.exceptions import DomainError
from backoffice.exchange.admin.replaying import Selection, as_asked_by, rows_of
from backoffice.exchange.liveness import hold
from backoffice.exchange.progress import Watch, is_cancellation

from .forms import LANGUAGE
from .notices import tell_of_bulk_job
from .refusals import JobRefused, PreviewOutdated
from .undoing import undo
from .words import action_named

logger = logging.getLogger(__name__)
State = BulkJob.State


def work(job_id: int, request_id: str = "") -> BulkJob | None:
    """Carry a job out. Nothing happens if another does, or did; then None is returned.

    Work and outcome are one transaction: who dies in it leaves nothing behind.
    """
    with transaction.atomic():
        if not hold(BulkJob(pk=job_id)):
            return None
        job = (
            BulkJob.objects.select_related("user", "undoes")
            .filter(pk=job_id, state=State.WORKING)
            .first()
        )
        if job is None:
            return None
        with (
            audit_context(
                source=Source.TASK,
                actor=job.user,
                reason="",
                request_id=request_id,
                reference=f"{job._meta.label_lower}/{job.pk}",
            ),
            translation.override(_language_of(job)),
        ):
            _do(job)
        job.save(update_fields=["state", "problem", "changed", "skipped", "change_set", "ended_at"])
        tell_of_bulk_job(job)
    return job


def _language_of(job: BulkJob) -> str:
    """That in which it was asked for: a browser may have said it, which no worker knows."""
    asked: str | None = QueryDict(job.sent).get(LANGUAGE)
    return asked or chosen_language(job.user) or settings.LANGUAGE_CODE


def _do(job: BulkJob) -> None:
    job.state, job.ended_at, job.problem = State.FAILED, Now(), ""
    with Watch(job) as watch:
        try:
            with transaction.atomic():
                _apply(job)
        except DomainError as refusal:
            job.state = State.CANCELLED if watch.is_cancelled else State.FAILED
            job.problem = str(refusal)
        except Exception as error:
            if connection.connection is None or connection.connection.closed:
                raise  # nothing can be said any more; reap() will
            if watch.is_cancelled and is_cancellation(error):
                job.state, job.problem = State.CANCELLED, cancelled_in_words()
                return
            logger.exception("The bulk job %s failed", job.pk)
            job.problem = _(
                "Something went wrong that nobody foresaw. Nothing was changed. Try again; if it "
                "happens again, tell an administrator the number of the bulk change: %(number)d."
            ) % {"number": job.pk}


def _apply(job: BulkJob) -> None:
    outcome, job.change_set = undo(job, job.undoes) if job.undoes else _change_rows(job)
    job.state, job.changed, job.skipped = State.DONE, outcome.done, {**outcome.skipped}


def _change_rows(job: BulkJob) -> tuple[Outcome, ChangeSet | None]:
    """What its user asked for, with the rights that they have now."""
    model_admin: Any = admin.site.get_model_admin(apps.get_model(job.model))
    selection = Selection.of_json(job.selection)
    request = as_asked_by(job.user, selection)
    action = action_named(job.model, job.action)
    if (
        not job.user.is_active
        or action is None
        or not model_admin.has_view_or_change_permission(request)
        or job.action not in model_admin.get_actions(request)
    ):
        raise JobRefused(_("You may not do this any more. Ask somebody who may."))
    form = action.form_class(QueryDict(job.sent), model_admin=model_admin, request=request)
    if not form.is_valid():
        raise PreviewOutdated
    try:
        rows = action.rows(model_admin, rows_of(model_admin, request, selection))
    except (IncorrectLookupParameters, SuspiciousOperation, PermissionDenied):
        raise JobRefused(
            _("The list cannot be filtered like this any more. Filter it anew.")
        ) from None
    return action.apply(rows, form.asked(), seen=job.fingerprint, actor=job.user, reason=job.reason)


def cancelled_in_words() -> str:
    return _("The work was cancelled. Nothing was written.")
