"""Answers to questions to the database, kept for as long as they hold.

An answer is kept under the very statement that it answers, parameters included. So those who see
the same rows share a figure, and a figure of one who sees more is never shown to one who sees less:
their statements differ.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.db import connection, models
from django.db.models import QuerySet

from backoffice.time_limit import TookTooLong, time_limit

from .stamps import Stamps, stamps_of

# Kept so long, unless something tells that it no longer holds.
_KEPT = 24 * 3600
# What was counted while others wrote is counted again after so many seconds.
_UNQUIET = 10


@dataclass(frozen=True, kw_only=True)
class Question:
    """A statement, what its answer depends on, and how many seconds an old answer will do."""

    sql: str
    params: tuple[Any, ...]
    models: tuple[type[models.Model], ...] | None  # None: nothing tells
    patience: int

    @property
    def key(self) -> str:
        said = f"{self.sql}\n{self.params!r}".encode()
        return f"figure:{hashlib.sha256(said).hexdigest()}"


@dataclass(frozen=True)
class _Answer:
    rows: list[tuple[Any, ...]]
    stamp: tuple[int, ...] | None
    is_quiet: bool
    at: float

    def holds(self, question: Question, stamps: Stamps) -> bool:
        age = time.time() - self.at
        if 0 <= age < question.patience:
            return True
        is_same = self.stamp is not None and self.stamp == stamps.of(question.models)
        return is_same and (self.is_quiet or 0 <= age < _UNQUIET)


type Tables = Iterable[type[models.Model]] | None


def question(rows: QuerySet, models: Tables, *, patience: int) -> Question:
    sql, params = rows.query.get_compiler(using=rows.db).as_sql()
    tables = None if models is None else tuple(models)
    return Question(sql=sql, params=tuple(params), models=tables, patience=patience)


def how_many(rows: QuerySet, models: Tables, *, patience: int) -> Question:
    asked = question(rows.order_by().values("pk"), models, patience=patience)
    return Question(
        sql=f"SELECT count(*) FROM ({asked.sql}) AS counted",
        params=asked.params,
        models=asked.models,
        patience=patience,
    )


@dataclass(frozen=True)
class Known:
    """What is known of a question: `rows` is None where nothing is, as to count took too long.

    `since` is when it was counted, where it no longer holds and nothing newer is known.
    """

    rows: list[tuple[Any, ...]] | None
    since: float | None = None


def answers(
    questions: Sequence[Question], *, as_of_now: bool = False, within: float | None = None
) -> list[Known]:
    """The answer to each, from the cache where it holds. `as_of_now` has no patience.

    All that are costly take `within` milliseconds together at most: then the last one known is
    given, if there is one.
    """
    if not questions:
        return []
    stamps = stamps_of({model for asked in questions for model in asked.models or ()})
    known: dict[str, _Answer] = cache.get_many({asked.key for asked in questions})
    found: dict[str, _Answer] = {}
    for asked in questions:
        answer = known.get(asked.key)
        hurry = replace(asked, patience=0) if as_of_now else asked
        if asked.key in found or (answer is not None and answer.holds(hurry, stamps)):
            continue
        started = time.monotonic()
        try:
            rows = _ask(asked, within if asked.patience else None)
        except TookTooLong:
            pass
        else:
            stamp = stamps.of(asked.models)
            found[asked.key] = _Answer(rows, stamp, stamps.is_quiet, time.time())
        if within is not None and asked.patience:
            within = max(within - (time.monotonic() - started) * 1000, 0)
    if found:
        cache.set_many(found, _KEPT)
    return [
        _known(asked, found.get(asked.key), known.get(asked.key), stamps) for asked in questions
    ]


def _known(asked: Question, new: _Answer | None, old: _Answer | None, stamps: Stamps) -> Known:
    if new is not None:
        return Known(new.rows)
    if old is None:
        return Known(None)
    return Known(old.rows, None if old.holds(asked, stamps) else old.at)


def _ask(asked: Question, within: float | None) -> list[tuple[Any, ...]]:
    if within is not None:
        if not within:
            raise TookTooLong
        with time_limit(within):
            return _ask(asked, None)
    with connection.cursor() as cursor:
        cursor.execute(asked.sql, asked.params)
        return list(cursor.fetchall())
