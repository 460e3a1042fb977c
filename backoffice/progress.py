"""How far work is, told on a connection of its own.

What a transaction writes is seen by nobody until it ends, so a thread beside it says every second
what is done, to whoever wants to know: somebody at a terminal, or the page of a job.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Self

from django.db import DatabaseError, connection, models

logger = logging.getLogger(__name__)

TICK = 1.0  # seconds
_STARTING_TAKES_AT_MOST = 10

# Counts what is done, by looking at it: gets a cursor of the watching connection.
type Probe = Callable[[Any], int]


@dataclass(frozen=True)
class Step:
    text: str = ""
    total: int = 0
    probe: Probe | None = None


_teller: ContextVar["Teller | None"] = ContextVar("teller", default=None)


def report(step: Any, *, total: int = 0, probe: Probe | None = None) -> None:
    """Say what is done from now on, and of how much. Nothing happens where nobody watches.

    Raises a DomainError if the work is to stop.
    """
    if teller := _teller.get():
        teller.begin(Step(str(step), total, probe))


def made_since_now(*made: type[models.Model]) -> Probe | None:
    """Counts the rows that get a key in the tables of these models from now on.

    Sequences are outside of transactions, so they tell how far one INSERT of a million rows is.
    """
    if _teller.get() is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_serial_sequence(quote_ident(name), key) "
            "FROM unnest(%s::text[], %s::text[]) AS made (name, key)",
            [[m._meta.db_table for m in made], [m._meta.pk.column for m in made]],
        )
        sequences = [name for (name,) in cursor.fetchall() if name]
    counted = " + ".join(f"(SELECT last_value FROM {name})" for name in sequences) or "0"

    def count(cursor: Any) -> int:
        cursor.execute(f"SELECT {counted}")
        return int(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        before = count(cursor)
    return lambda cursor: count(cursor) - before


class Teller:
    """Tells every second, from a thread beside this one, how far this thread's work is."""

    def __init__(self) -> None:
        self._step = Step()
        self._ended, self._started = Event(), Event()
        self._thread = Thread(target=self._run, args=(connection.copy,), daemon=True)
        self._token: Token[Teller | None] | None = None

    def __enter__(self) -> Self:
        self._token = _teller.set(self)
        self._thread.start()
        self._started.wait(_STARTING_TAKES_AT_MOST)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        assert self._token is not None  # noqa: S101 - for mypy
        _teller.reset(self._token)

    def begin(self, step: Step) -> None:
        self._step = step

    def _run(self, connect: Callable[[], Any]) -> None:
        beside = connect()  # in this thread, whose connection it is
        try:
            while True:
                try:
                    self._tell(beside)
                except DatabaseError:
                    # The work goes on; whoever looks sees an old sign of life.
                    logger.exception("The progress of the work could not be told")
                    beside.close()
                self._started.set()
                if self._ended.wait(TICK):
                    return
        finally:
            beside.close()

    def _tell(self, beside: Any) -> None:
        raise NotImplementedError

    @staticmethod
    def _done(step: Step, cursor: Any) -> int:
        return max(0, min(_counted(step.probe, cursor), step.total)) if step.probe else 0


class TerminalTeller(Teller):
    """Tells whoever waits at a terminal, in one line that is written over."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream, self._width = stream, 0

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._write("")
        self._stream.write("\r")
        self._stream.flush()

    def _tell(self, beside: Any) -> None:
        step = self._step
        text = step.text
        if step.total:
            with beside.cursor() as cursor:
                text += f": {100 * self._done(step, cursor) // step.total} %"
        self._write(text)

    def _write(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def _counted(probe: Probe, cursor: Any) -> int:
    try:
        return probe(cursor)
    except ValueError:  # the file that it asks was closed a moment ago
        return 0
