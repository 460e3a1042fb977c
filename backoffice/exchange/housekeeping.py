"""What a worker does besides its tasks: reap, run due feeds, seal, send mail, tidy once a day."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from backoffice.accounts.notifications.seals import tell_of_seals
from backoffice.accounts.notifications.sending import send_mails
from backoffice.audit.tasks import seal_record

from .background import reap_all
from .scheduling import hand_over_due_feeds
from .tidying import tidy

logger = logging.getLogger(__name__)
_EVERY = 30  # seconds
_TIDY_EVERY = timedelta(days=1)

# Each may be done by several workers at once.
_chores: list[Callable[[], object]] = [reap_all, hand_over_due_feeds]


def every_round(chore: Callable[[], object]) -> None:
    """Have workers do this too, twice a minute. For apps that the exchange knows nothing of."""
    _chores.append(chore)


class Housekeeper:
    """Keeps house in a thread beside the tasks, since one of those can take minutes."""

    def __init__(self, every: float = _EVERY) -> None:
        self.every = every
        self._ended = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._tidied_at = timezone.now() - _TIDY_EVERY

    def __enter__(self) -> "Housekeeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            while True:
                close_old_connections()
                try:
                    self.keep_house()
                except Exception:
                    logger.exception("The house could not be kept; trying again")
                if self._ended.wait(self.every):
                    return
        finally:
            connections.close_all()

    def keep_house(self) -> None:
        """One round."""
        for chore in _chores:
            chore()
        is_new_day = timezone.now() - self._tidied_at >= _TIDY_EVERY
        if is_new_day:
            self._tidied_at = timezone.now()
            tidy()
        if settings.AUDIT_SIGNING_KEY:
            # Where the key is kept from workers, audit_seal runs as a service of its own.
            seal_record.call(thorough=is_new_day)
        tell_of_seals()
        # Those that the task of their own did not send, or could not.
        send_mails.call()
