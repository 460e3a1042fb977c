from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from .models import Notification


def drop_old_notifications() -> None:
    """Delete what is past NOTIFICATIONS_KEEP_DAYS, read or not. The record keeps what happened."""
    kept_since = timezone.now() - timedelta(days=settings.NOTIFICATIONS_KEEP_DAYS)
    Notification.objects.filter(at__lt=kept_since).delete()
