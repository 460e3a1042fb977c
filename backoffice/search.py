"""Finding rows by what people type: codes, words in any order, and words with typing errors.

A text that is searched has an index of trigrams over `Upper(text)`, which serves all of it.
"""

import json
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, cast

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, models, transaction
from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Lower, Upper

from backoffice.misspelling import patterns_like, those_among
from backoffice.vocabulary import words_of

MOST_SIMILAR = 50
# How alike two words must be that differ by more than one letter.
_ALIKE = 0.45
# What is less alike than this part of the best is noise beside it.
_NOISE = 0.75
# Of so many that are alike enough the best are taken: to rank all could take seconds.
_MOST_RANKED = 300
_MOST_WORDS = 8
_LONGEST_CODE = 64


def with_words[Rows: QuerySet](rows: Rows, text: Any, typed: str) -> Rows:
    """The rows whose text has every word somewhere, in any order and case."""
    words = typed.replace("\0", "").split()
    if not words:
        return rows
    found = rows.alias(searched_text=Upper(text))
    for word in words:
        found = found.filter(searched_text__contains=Upper(Value(word)))
    return found


def similar_keys(rows: QuerySet, text: Any, typed: str, *, limit: int = MOST_SIMILAR) -> list[Any]:
    """The keys of the rows whose text has words like all of these, the most similar first.

    First what differs by one letter in each word, which a short word needs; then what shares many.
    """
    words = typed.replace("\0", "").split()[:_MOST_WORDS]
    if not any(len(word) > 2 for word in words):
        return []
    upper = Upper(text)
    everything = rows.order_by().alias(searched_text=upper)
    one_letter_off = everything
    known = words_of(rows.model, text)
    for word in words:
        # Not LIKE ANY of a list: the index would go through every pair of what two lists say.
        likes = (
            Q((_Matches if pattern.is_regex else _Like)(upper, Value(pattern.text)))
            for pattern in those_among(patterns_like(word), known)
        )
        one_letter_off = one_letter_off.filter(reduce(or_, likes))
    candidates = _some_keys(one_letter_off) or _some_keys(_sharing(everything, words))
    if not candidates:
        return []
    likeness = sum(
        (TrigramWordSimilarity(word, upper) for word in words[1:]),
        start=TrigramWordSimilarity(words[0], upper),
    )
    found = rows.model._base_manager.filter(pk__in=candidates).annotate(likeness=likeness)
    best = list(found.order_by("-likeness", "pk").values_list("pk", "likeness")[:limit])
    return [key for key, likeness in best if likeness >= best[0][1] * _NOISE]


class _Like(models.Func):
    template = "(%(expressions)s)"
    arg_joiner = " LIKE "
    output_field = models.BooleanField()


class _Matches(_Like):
    arg_joiner = " ~ "


def _sharing(rows: QuerySet, words: Sequence[str]) -> QuerySet:
    for word in words:
        rows = rows.filter(searched_text__trigram_word_similar=word)
    return rows


def _some_keys(rows: QuerySet) -> list[Any]:
    """By the index of trigrams: for so few rows the planner would rather read the whole table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true), "
            "set_config('enable_seqscan', 'off', true)",
            [str(_ALIKE)],
        )
        keys = list(rows.values_list("pk", flat=True)[:_MOST_RANKED])
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
        return keys


def expected_rows(rows: QuerySet) -> int:
    """How many rows PostgreSQL's planner expects, which costs a few milliseconds at any size."""
    (plan,) = json.loads(rows.explain(format="json"))
    return int(plan["Plan"]["Plan Rows"])


def in_this_order(rows: QuerySet, keys: Sequence[Any]) -> QuerySet:
    """The rows of these keys, as the keys stand."""
    if not keys:
        return rows.none()
    place = Case(*(When(pk=key, then=number) for number, key in enumerate(keys)))
    return rows.filter(pk__in=keys).order_by(place)


def with_codes_first(rows: QuerySet, codes: Sequence[str], typed: str) -> QuerySet:
    """The same rows; those of which a code is exactly what was typed stand first."""
    exact = keys_of_code(rows.model, codes, typed)
    if not exact:
        return rows
    first = Case(When(pk__in=exact, then=0), default=1, output_field=models.IntegerField())
    return rows.order_by(first, *rows.query.order_by)


def keys_of_code(model: type[models.Model], codes: Sequence[str], typed: str) -> set[Any]:
    """The keys of the rows of which one of these fields is exactly what was typed."""
    code = typed.strip()
    exact: set[Any] = set()
    if not code or len(code) > _LONGEST_CODE:
        return exact
    everything = model._base_manager.order_by()
    for name in codes:
        field = cast(models.Field, model._meta.get_field(name))
        if field.unique or _is_unique_in_lower_case(model, name):
            same = everything.alias(code=Lower(name)).filter(code=Lower(Value(code)))
        else:
            same = everything.filter(**{name: code})
        exact.update(same.values_list("pk", flat=True)[:MOST_SIMILAR])
    return exact


def _is_unique_in_lower_case(model: type[models.Model], name: str) -> bool:
    lower = Lower(name)
    return any(
        isinstance(constraint, models.UniqueConstraint) and constraint.expressions == (lower,)
        for constraint in model._meta.constraints
    )
