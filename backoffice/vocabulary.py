"""The words that the texts of a large table are made of, so that few of the words that a mistyped
one may have been meant to be need be looked for among a million rows."""

import hashlib
from typing import Any

from django.core.cache import cache
from django.db import connection, models
from django.db.models.functions import Upper

# So many rows, spread over the table, have all words but rare ones.
_SAMPLE = 10_000
_SMALL = 10_000
# In seconds. What has come since is found as what is rare is.
_KEPT = 3600


def words_of(model: type[models.Model], text: Any) -> str:
    """The words in upper case, between spaces; none of a table so small that it needs no help."""
    rows = model._base_manager.order_by().values_list(Upper(text))
    sql, params = rows.query.get_compiler(using=rows.db).as_sql()
    key = f"words:{hashlib.sha256(f'{sql}{params!r}'.encode()).hexdigest()}"
    words: str | None = cache.get(key)
    if words is None:
        words = _sampled(model, sql, params)
        cache.set(key, words, _KEPT)
    return words


def _sampled(model: type[models.Model], sql: str, params: tuple[Any, ...]) -> str:
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])
        (rows,) = cursor.fetchone()
        if rows <= _SMALL:
            return ""
        percent = min(100 * _SAMPLE / rows, 100)
        few = sql.replace(f"FROM {table}", f"FROM {table} TABLESAMPLE SYSTEM ({percent})", 1)
        cursor.execute(
            f"SELECT DISTINCT word FROM ({few}) AS sample (text), "
            "string_to_table(text, ' ') AS word WHERE word !~ '[0-9]'",
            params,
        )
        return f" {' '.join(word for (word,) in cursor.fetchall())} "
