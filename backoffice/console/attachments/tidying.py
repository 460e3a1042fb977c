"""Files that no attachment names: removed ones, and those of uploads that were rolled back."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from backoffice.console.models import Attachment

# An upload's file is there before its row is committed.
_MAY_BE_UNDER_WAY = timedelta(days=1)


def drop_removed_files() -> int:
    """Delete what was removed more than ATTACHMENTS_KEEP_DAYS ago; returns how many files."""
    storage, now = Attachment._meta.get_field("file").storage, timezone.now()
    try:
        _folders, there = storage.listdir("attachments")
    except FileNotFoundError:
        return 0
    kept_since = now - timedelta(days=settings.ATTACHMENTS_KEEP_DAYS)
    removed_lately = Attachment.history.filter(history_type="-", history_date__gt=kept_since)
    kept = {*removed_lately.values_list("file", flat=True)}
    kept |= {*Attachment.objects.values_list("file", flat=True)}
    count = 0
    for name in sorted(f"attachments/{each}" for each in there):
        if name in kept or storage.get_modified_time(name) > now - _MAY_BE_UNDER_WAY:
            continue
        if not Attachment.objects.filter(file=name).exists():  # brought back meanwhile
            storage.delete(name)
            count += 1
    return count
