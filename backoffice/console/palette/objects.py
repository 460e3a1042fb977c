"""Objects by what people type: as the list of the admin shows them to this user, and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.postgres.search import TrigramSimilarity
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import F, QuerySet
from django.db.models.functions import Upper
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from backoffice.audit.secrecy import is_hidden
from backoffice.search import keys_of_code, similar_keys, with_words
from backoffice.time_limit import time_limit
from backoffice.vocabulary import words_of

from .registry import Source
from .results import Group, Result

SHOWN = 5
MOST_COUNTED = 999
# Of so many that have the words the best are taken.
_MOST_RANKED = 300
# What each statement may take that looks for what is only similar, in milliseconds.
_PATIENCE = 100
# What has fewer rows is looked through whole, for words too short for an index too.
_SMALL = 20_000


@dataclass(frozen=True)
class Searched:
    """A source as one user may search it."""

    source: Source
    model_admin: Any
    request: HttpRequest

    @classmethod
    def by(cls, request: HttpRequest, source: Source) -> "Searched | None":
        """None for those who may not see the list."""
        if not admin.site.is_registered(source.model):
            return None
        model_admin = admin.site.get_model_admin(source.model)
        if not model_admin.has_view_permission(request):
            return None
        return cls(source, model_admin, request)

    @property
    def rows(self) -> QuerySet:
        rows: QuerySet = self.model_admin.get_queryset(self.request)
        return rows.select_related(*self.source.related) if self.source.related else rows

    @property
    def text(self) -> Any:
        """What is searched; None if it has a field that this user must not see."""
        text = self.source.text
        text = getattr(self.model_admin, "search_text", None) if text is None else text
        return None if text is None or any(map(self._is_hidden, _fields(text))) else text

    @property
    def codes(self) -> list[str]:
        codes = self.source.codes
        codes = getattr(self.model_admin, "search_codes", ()) if codes is None else codes
        return [code for code in codes if not self._is_hidden(code)]

    def _is_hidden(self, field: str) -> bool:
        return is_hidden(self.source.model, field, self.request.user)

    def of_code(self, typed: str) -> list[Any]:
        keys = keys_of_code(self.source.model, self.codes, typed)
        # Whether the list has them too.
        return self.in_order(list(keys)[:SHOWN]) if keys else []

    def with_words(self, typed: str) -> list[Any]:
        """The keys of the rows that have the words, up to a bound; not in any order."""
        if self.text is None:
            return []
        found = with_words(self.rows.order_by(), self.text, typed)
        return list(found.values_list("pk", flat=True)[: MOST_COUNTED + 1])

    def like(self, typed: str) -> list[Any]:
        """Raises TookTooLong where that cannot be told while somebody types."""
        if self.text is None:
            return []
        words_of(self.source.model, self.text)  # once an hour, so not while the time runs
        with time_limit(_PATIENCE):
            return similar_keys(self.rows, self.text, typed, limit=SHOWN)

    def best(self, keys: Sequence[Any], typed: str) -> list[Any]:
        """The five of these that are most like what was typed."""
        rows = self.rows.filter(pk__in=keys[:_MOST_RANKED])
        likeness = TrigramSimilarity(Upper(self.text), typed)
        order = self.model_admin.get_ordering(self.request) or ["pk"]
        return list(rows.alias(likeness=likeness).order_by("-likeness", *order)[:SHOWN])

    def in_order(self, keys: Sequence[Any]) -> list[Any]:
        """The objects of these keys that the list has, as the keys stand."""
        found = {obj.pk: obj for obj in self.rows.filter(pk__in=keys)}
        return [found[key] for key in keys if key in found]

    def of_keys(self, written: Sequence[str]) -> dict[str, Any]:
        """The objects that a browser remembered, by the keys that it says."""
        keys = []
        for text in written:
            try:
                keys.append(self.source.model._meta.pk.to_python(text))
            except ValidationError:
                continue
        numbers = [key for key in keys if not isinstance(key, int) or abs(key) < 2**63]
        return {str(obj.pk): obj for obj in self.in_order(numbers)}

    def result(self, obj: models.Model) -> Result:
        opts = self.source.model._meta
        return Result(
            title=self.source.title(obj),
            note=self.source.note(obj),
            icon=self.source.icon,
            link=reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(obj.pk)]),
            key=f"{opts.label_lower}/{obj.pk}",
        )

    def group(self, objects: Sequence[models.Model], *, found: int, typed: str) -> Group:
        """The objects under the name of their list, which shows what more there is."""
        opts = self.source.model._meta
        left = found - len(objects)
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        has_search = bool(self.model_admin.get_search_fields(self.request))
        return Group(
            title=str(capfirst(opts.verbose_name_plural)),
            results=[self.result(obj) for obj in objects],
            more=_more(found, left) if left > 0 and has_search else "",
            more_link=f"{address}?{urlencode({'q': typed})}" if left > 0 and has_search else "",
        )


def _more(found: int, left: int) -> str:
    if found > MOST_COUNTED:
        return _("Show all: more than %(number)s") % {"number": number_format(MOST_COUNTED)}
    return _("Show all: %(number)s more") % {"number": number_format(left)}


def _fields(expression: Any) -> list[str]:
    """The names of the fields in an expression."""
    if isinstance(expression, F):
        return [str(getattr(expression, "name"))]  # noqa: B009 - the stubs do not know it
    sources: list[Any] = getattr(expression, "get_source_expressions", list)()
    return [name for each in sources if each is not None for name in _fields(each)]


def large_models(sources: Sequence[Source]) -> set[type[models.Model]]:
    """Those that have too many rows to look through; by the planner's estimate."""
    tables = {source.model._meta.db_table: source.model for source in sources}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE oid = ANY(SELECT to_regclass(quote_ident(name)) "
            "FROM unnest(%s::text[]) AS name) AND reltuples > %s",
            [list(tables), _SMALL],
        )
        return {tables[name] for (name,) in cursor.fetchall()}
