"""Answers to questions to the database, kept for as long as they hold.

An answer is kept under the very statement that it answers, parameters included. So those who see
the same rows share a figure, and a figure of one who sees more is never shown to one who sees less:
their statements differ.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection, models
from django.db.models import QuerySet

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


def answers(
    questions: Sequence[Question], *, as_of_now: bool = False
) -> list[list[tuple[Any, ...]]]:
    """The answer to each, from the cache where it holds. `as_of_now` has no patience."""
    if not questions:
        return []
    stamps = stamps_of({model for asked in questions for model in asked.models or ()})
    known: dict[str, _Answer] = cache.get_many({asked.key for asked in questions})
    found: dict[str, _Answer] = {}
    for asked in questions:
        answer = known.get(asked.key)
        hurry = Question(**{**vars(asked), "patience": 0}) if as_of_now else asked
        if asked.key not in found and (answer is None or not answer.holds(hurry, stamps)):
            stamp = stamps.of(asked.models)
            found[asked.key] = _Answer(_ask(asked), stamp, stamps.is_quiet, time.time())
    if found:
        cache.set_many(found, _KEPT)
    return [(found.get(asked.key) or known[asked.key]).rows for asked in questions]


def _ask(asked: Question) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(asked.sql, asked.params)
        return list(cursor.fetchall())
