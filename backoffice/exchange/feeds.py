"""One run of a feed: fetch the supplier's file, and bring it in if it is another than last time.

What becomes of the import afterwards is told by its job, which goes on by itself.
"""

import logging
from datetime import datetime, timedelta
from typing import IO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.language import in_language_of
from backoffice.audit.context import Source, audit_context
from backoffice.audit.language import on_record

from .deactivating import is_above_half
from .exceptions import ExchangeError, FeedRefused
from .feed_files import opened
from .models import ImportFeed, ImportJob, ImportProgress
from .notices import tell_of_feed
from .read_as import ReadAs
from .reading import fingerprint
from .resources import get_resource
from .services import start_import

logger = logging.getLogger(__name__)
_EVERY = {
    ImportFeed.Every.HOUR: timedelta(hours=1),
    ImportFeed.Every.DAY: timedelta(days=1),
    ImportFeed.Every.WEEK: timedelta(weeks=1),
}


def run_feed(feed: ImportFeed, *, due: datetime | None = None) -> ImportJob | None:
    """Fetch the file of a feed. Returns the job that reads and applies it, for a worker to do.

    None if the file is that of the last time, or if there is a problem; that is kept on the feed
    and told to its user.
    """
    context = audit_context(
        source=Source.TASK,
        actor=feed.user,
        reason="",
        action=on_record(gettext_lazy("Feed %(name)s was fetched"), {"name": feed.name}),
        reference=f"{feed._meta.label_lower}/{feed.pk}",
    )
    job, problem = None, ""
    with context, in_language_of(feed.user):
        try:
            _refuse_without_rights(feed)
            with opened(feed.location) as (name, file):
                job = _bring_in(feed, name, file)
        except ExchangeError as error:
            problem = str(error)
        except Exception:
            logger.exception("The feed %s failed", feed.pk)
            problem = _("Something went wrong that nobody foresaw. It is tried again next time.")
        now = timezone.now()
        told_before = feed.last_problem == problem
        with transaction.atomic():
            ImportFeed.objects.filter(pk=feed.pk).update(
                last_run_at=now, next_run_at=_next(feed, due or now, now), last_problem=problem
            )
            if problem and not told_before:
                tell_of_feed(feed, problem)
    return job


def _next(feed: ImportFeed, due: datetime, now: datetime) -> datetime:
    """The first time after now that is whole periods after the one that was due."""
    every = _EVERY[ImportFeed.Every(feed.every)]
    missed = max(0, (now - due) // every)
    return due + (missed + 1) * every


def _refuse_without_rights(feed: ImportFeed) -> None:
    options = get_resource(feed.profile.resource).model()._meta
    right = f"{options.app_label}.import_{options.model_name}"
    # An inactive user has none.
    if not feed.user.has_perm(right):
        raise FeedRefused(
            _("%(user)s may not import %(what)s. Choose another user for this feed.")
            % {"user": feed.user, "what": options.verbose_name_plural}
        )


def _bring_in(feed: ImportFeed, name: str, file: IO[bytes]) -> ImportJob | None:
    _size, sha256 = fingerprint(file)
    with transaction.atomic():
        # Locked: "now" and its time may have come together.
        feed = ImportFeed.objects.select_for_update(of=("self",)).get(pk=feed.pk)
        if sha256 == feed.last_sha256:
            return None
        job = start_import(
            resource=feed.profile.resource,
            file=file,
            file_name=name,
            user=feed.user,
            read_as=ReadAs.from_choices(feed.profile.choices),
            profile=feed.profile,
            later=True,
        )
        job.feed = feed
        job.save(update_fields=["feed"])
        ImportProgress.objects.create(job=job)
        ImportFeed.objects.filter(pk=feed.pk).update(last_sha256=sha256)
    return job


def _fits(job: ImportJob, feed: ImportFeed) -> bool:
    """Whether the file has all the columns of the profile; a person would see what is missing."""
    wanted = feed.profile.choices["columns"].keys()
    return job.profile_id == feed.profile_id and job.mapping.keys() == wanted


def goes_on(job: ImportJob) -> str:
    """Have a feed's job that was read applied next; returns what stands in the way, if anything.

    The caller saves the job.
    """
    feed = job.feed
    if feed is None or job.state != ImportJob.State.CHECKED or not _fits(job, feed):
        return _("Its columns are not those of the profile. Choose them by hand.")
    if job.conflicts:
        return _("Rows were changed since the supplier got them. Look at the preview and decide.")
    if job.invalid and not feed.valid_rows_only:
        return _("Rows are invalid, so nothing was written. Look at the preview and decide.")
    if job.deactivated and is_above_half(job):
        return _("More than half would be deactivated. Look at the preview and decide.")
    if not job.new and not job.changed and not job.deactivated:
        job.state = ImportJob.State.DISCARDED
        return ""
    job.state = ImportJob.State.APPLYING
    job.reason, job.valid_rows_only = feed.reason, feed.valid_rows_only
    return ""
