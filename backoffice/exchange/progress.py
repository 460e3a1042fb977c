"""How far a worker is with a job, told in the job's own row; the same look asks whether to stop."""

from threading import Lock
from typing import Any

import psycopg
from django.db import connection
from django.utils.translation import gettext as _

from backoffice.progress import Step, Teller

from .exceptions import Cancelled
from .models.work import Work


class Watch(Teller):
    """Tells of the work that this thread does on a job, and stops it when that is asked for."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work
        self.is_cancelled = False
        self._sending = Lock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (self._backend,) = cursor.fetchone()

    def __exit__(self, *_: object) -> None:
        with self._sending:  # from here on no statement is cancelled any more
            self._ended.set()
        super().__exit__()

    def begin(self, step: Step) -> None:
        if self.is_cancelled:
            raise Cancelled(_("The work was cancelled. Nothing was written."))
        super().begin(step)

    def _tell(self, beside: Any) -> None:
        step, options = self._step, self.work._meta
        with beside.cursor() as cursor:
            done = self._done(step, cursor)
            cursor.execute(
                f'UPDATE "{options.db_table}" SET step = %s, done = %s, total = %s, '
                "backend_pid = %s, heartbeat_at = clock_timestamp() "
                f'WHERE "{options.pk.column}" = %s RETURNING cancel_requested',
                [step.text[:100], done, step.total, self._backend, self.work.pk],
            )
            row = cursor.fetchone()
            if row and row[0]:
                self.is_cancelled = True
                with self._sending:
                    if not self._ended.is_set():
                        cursor.execute("SELECT pg_cancel_backend(%s)", [self._backend])


def is_cancellation(error: BaseException) -> bool:
    return isinstance(error, psycopg.errors.QueryCanceled) or isinstance(
        error.__cause__, psycopg.errors.QueryCanceled
    )
