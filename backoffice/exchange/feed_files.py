"""A feed's file, from the folder for feeds or from an address."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from .exceptions import FeedRefused
from .fetching import Resolve, check_url, fetch, too_large


def is_address(location: str) -> bool:
    return "://" in location


def check_location(location: str) -> None:
    """Raises FeedRefused for what can be neither an address nor a file in the folder."""
    if is_address(location):
        check_url(location)
        return
    if not settings.EXCHANGE_FEED_FOLDER:
        raise FeedRefused(
            _("Files are only found by name once EXCHANGE_FEED_FOLDER names their folder.")
        )
    if not location or location.startswith(".") or any(sign in location for sign in "/\\\0"):
        raise FeedRefused(
            _("Give the name of a file in the folder for feeds, without any folder; * and ? match.")
        )


@contextmanager
def opened(location: str, resolve: Resolve | None = None) -> Iterator[tuple[str, IO[bytes]]]:
    """The name and the content of the feed's newest file. Raises FeedRefused if there is none."""
    check_location(location)
    with TemporaryFile() as file:
        if is_address(location):
            name = fetch(location, file, resolve)
        else:
            name = _copy_newest(Path(settings.EXCHANGE_FEED_FOLDER), location, file)
        file.seek(0)
        yield name, file


def _copy_newest(folder: Path, pattern: str, into: IO[bytes]) -> str:
    try:
        with os.scandir(folder) as entries:
            # No links: one that leads out of the folder would bring in whatever we may read.
            found = [
                (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in entries
                if entry.is_file(follow_symlinks=False)
                and not entry.name.startswith(".")
                and fnmatchcase(entry.name, pattern)
            ]
    except OSError as error:
        raise FeedRefused(
            _("The folder for feeds cannot be read: %(error)s.") % {"error": error.strerror}
        ) from error
    if not found:
        raise FeedRefused(
            _("There is no file “%(name)s” in the folder for feeds.") % {"name": pattern}
        )
    name = max(found)[1]
    try:
        source = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(source, "rb") as file:
            before = os.fstat(source)
            if not stat.S_ISREG(before.st_mode):
                raise FeedRefused(_("“%(name)s” is not a file.") % {"name": name})
            if before.st_size > settings.EXCHANGE_MAX_BYTES:
                raise too_large()
            shutil.copyfileobj(file, into, 1 << 20)
            after = os.fstat(source)
    except OSError as error:
        raise FeedRefused(
            _("“%(name)s” cannot be read: %(error)s.") % {"name": name, "error": error.strerror}
        ) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FeedRefused(
            _("“%(name)s” was being written while it was read; it is tried again next time.")
            % {"name": name}
        )
    return name
