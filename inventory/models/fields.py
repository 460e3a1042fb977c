"""Fields and triggers that more than one model of the catalogue has."""

from typing import Any

import pgtrigger
from django.db import models

from backoffice.audit.triggers import TextMakingTrigger


class NameSlugField(models.SlugField):
    """A slug that the database makes from the name where none is given.

    The trigger of `SlugFromName` makes it, so that rows of COPY, SQL and imports get theirs
    too. The default, filled in by the database, makes Django read the result back on INSERT.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 220)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("db_default", "")
        kwargs.setdefault("db_index", False)  # the unique index on lower(slug) serves
        super().__init__(*args, **kwargs)


class SlugFromName(TextMakingTrigger):
    """Fill a blank slug: letters without accents, digits and hyphens.

    Where it is taken, the slug of the column `also_from` follows it, and then a number.
    """

    field = "slug"
    made_from = "name"

    def __init__(self, table: str, *, also_from: str = "") -> None:
        self.also_from = also_from
        more = f"left({_slug(f'NEW.{also_from}')}, 50)" if also_from else "left('', 50)"
        super().__init__(
            name="slug_from_name",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update,
            condition=pgtrigger.Condition("NEW.slug = ''"),
            declare=[("_base", "text"), ("_more", "text"), ("_number", "int := 1")],
            func=f"""
            _base := {self.wish("NEW.name")};
            NEW.slug := _base;
            IF _base = '' OR EXISTS (SELECT 1 FROM {table} WHERE lower(slug) = _base) THEN
                _more := {more};
                _base := trim(both '-' from _base || '-' || _more);
                IF _base = '' THEN _base := 'x'; END IF;
                NEW.slug := _base;
                WHILE EXISTS (SELECT 1 FROM {table} WHERE lower(slug) = NEW.slug) LOOP
                    _number := _number + 1;
                    NEW.slug := _base || '-' || _number;
                END LOOP;
            END IF;
            RETURN NEW;
        """,
        )

    def wish(self, made_from: str) -> str:
        return f"left({_slug(made_from)}, 150)"

    def other(self, wish: str, also_from: str) -> str:
        more = f"left({_slug(also_from)}, 50)" if self.also_from else "''"
        return f"COALESCE(NULLIF(trim(both '-' from {wish} || '-' || {more}), ''), 'x')"


def _slug(value: str) -> str:
    # Most names are ASCII, and need no search for accents.
    bare = (
        f"CASE WHEN octet_length({value}) = length({value}) THEN {value} "
        f"ELSE regexp_replace(normalize({value}, NFKD), '[\\u0300-\\u036f]', '', 'g') END"
    )
    return f"trim(both '-' from regexp_replace(lower({bare}), '[^a-z0-9]+', '-', 'g'))"
