"""The e-mails that are due, sent by a worker; rows of notifications are their outbox.

Whoever sends one claims it first, by putting off when it is due. Two never send the same, and a
claim whose holder died, or whose mail server refused, falls due again. A mail that was accepted in
the moment before a crash can go a second time, under the same Message-ID.
"""

import logging
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models.functions import Now
from django.tasks import task
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.language import in_language_of

from .models import Notification
from .wording import Words, put_into_words

logger = logging.getLogger(__name__)
# After each failure twice as long, which makes up two days in all.
_FIRST_WAIT = timedelta(minutes=3)
MOST_ATTEMPTS = 10


@task()
def send_mails() -> int:
    """Send every e-mail that is due; returns how many went."""
    sent = 0
    while (notification := _claim()) is not None:
        sent += _send(notification)
    return sent


def _claim() -> Notification | None:
    with transaction.atomic():
        due = Notification.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            mail_due_at__lte=Now()
        )
        found = due.select_related("user").order_by("mail_due_at").first()
        if found is None:
            return None
        found.mail_attempts += 1
        found.mail_due_at = timezone.now() + _FIRST_WAIT * 2 ** (found.mail_attempts - 1)
        found.save(update_fields=["mail_attempts", "mail_due_at"])
    return found


def _send(notification: Notification) -> bool:
    user = notification.user
    try:
        if user.is_active and user.email:
            with in_language_of(user):
                _message(notification, put_into_words([notification], user)[0]).send()
    except Exception:
        logger.exception("Notification %s could not be sent", notification.pk)
        if notification.mail_attempts >= MOST_ATTEMPTS:
            Notification.objects.filter(pk=notification.pk).update(mail_due_at=None)
        return False
    Notification.objects.filter(pk=notification.pk).update(mail_due_at=None, mailed_at=Now())
    return True


def _message(notification: Notification, words: Words) -> EmailMessage:
    site = settings.SITE_URL.rstrip("/")
    body = render_to_string(
        "accounts/notifications/mail.txt",
        {
            "words": words,
            "link": site + words.link if words.link else "",
            "settings_link": site + reverse("admin:notification_settings"),
        },
    )
    host = urlsplit(site).hostname or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    return EmailMessage(
        subject=" ".join(words.text.split()),
        body=body,
        to=[notification.user.email],
        headers={
            "Message-ID": f"<notification-{notification.pk}@{host or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
        },
    )
