"""The user of an import is told when a worker has ended with it."""

import logging

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.accounts.language import in_language_of

from .models import ImportFeed, ImportJob

logger = logging.getLogger(__name__)


def tell_the_user(job: ImportJob) -> None:
    """Send an e-mail about what became of a job. That it cannot be sent changes nothing."""
    if job.user is None or not job.user.email:
        return
    if job.state == ImportJob.State.DISCARDED and not job.progress.problem:
        return  # a feed's file that changes nothing
    link = reverse("admin:exchange_importjob_change", args=[job.pk])
    facts = {"job": job, "link": settings.SITE_URL.rstrip("/") + link, "progress": job.progress}
    with in_language_of(job.user):
        _send(
            job.user.email,
            _("%(file)s: %(state)s") % {"file": job.file_name, "state": job.get_state_display()},
            render_to_string("exchange/job_ended.txt", facts),
        )


def tell_of_feed(feed: ImportFeed, problem: str) -> None:
    """Send an e-mail about a feed that could not be fetched."""
    link = settings.SITE_URL.rstrip("/") + reverse("admin:exchange_importfeed_changelist")
    with in_language_of(feed.user):
        _send(
            feed.user.email,
            _("Feed %(name)s was not imported") % {"name": feed.name},
            f"{problem}\n\n{link}\n",
        )


def _send(address: str, subject: str, body: str) -> None:
    try:
        EmailMessage(subject=" ".join(subject.split()), body=body, to=[address]).send()
    except Exception:
        logger.exception("%s could not be told: %s", address, subject)
