"""Finding rows by what people type: codes, words in any order, and words with typing errors.

A text that is searched has an index of trigrams over `Upper(text)`, which serves all of it.
"""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, models, transaction
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Lower, Upper

MOST_SIMILAR = 50
# How alike two words must be: first what differs by a letter or two, then what differs by more.
_THRESHOLDS = (0.6, 0.45)
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
    """The keys of the rows whose text has words like all of these, the most similar first."""
    words = typed.replace("\0", "").split()[:_MOST_WORDS]
    if not any(len(word) > 2 for word in words):
        return []
    upper = Upper(text)
    alike = rows.order_by().alias(searched_text=upper)
    for word in words:
        alike = alike.filter(searched_text__trigram_word_similar=word)
    likeness = sum(
        (TrigramWordSimilarity(word, upper) for word in words[1:]),
        start=TrigramWordSimilarity(words[0], upper),
    )
    for threshold in _THRESHOLDS:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)",
                [str(threshold)],
            )
            candidates = list(alike.values_list("pk", flat=True)[:_MOST_RANKED])
        if candidates:
            best = rows.model._base_manager.filter(pk__in=candidates).alias(likeness=likeness)
            return list(best.order_by("-likeness", "pk").values_list("pk", flat=True)[:limit])
    return []


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
