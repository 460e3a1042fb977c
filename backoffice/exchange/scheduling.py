"""Feeds whose time has come are handed to workers."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from .models import ImportFeed
from .tasks import fetch_feed

# A run that was begun and has not ended by then, for its worker died, is begun anew.
_LEASE = timedelta(minutes=30)


def hand_over_due_feeds() -> int:
    """Have workers run the feeds that are due; returns how many there were."""
    with transaction.atomic():
        due = ImportFeed.objects.select_for_update(skip_locked=True).filter(
            is_active=True, next_run_at__lte=timezone.now()
        )
        feeds = [*due]
        for feed in feeds:
            hand_over_feed(feed)
    return len(feeds)


def hand_over_feed(feed: ImportFeed) -> None:
    """Have a worker run a feed now."""
    due = min(feed.next_run_at, timezone.now())
    ImportFeed.objects.filter(pk=feed.pk).update(next_run_at=timezone.now() + _LEASE)
    fetch_feed.enqueue(feed.pk, due=due.isoformat())
