"""What a form says of the state that it shows, and what is said of what others changed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db import models
from django.utils.translation import gettext as _

from backoffice.audit.since import Changed, edition
from backoffice.audit.wording import value_in_words


@dataclass(frozen=True)
class Edition:
    """Which state of an object a form shows: its version, and what it is linked with."""

    number: str
    links: dict[str, list[str]]

    def __str__(self) -> str:
        return json.dumps([self.number, self.links], separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The edition that str() wrote, or None for anything else."""
        try:
            number, links = json.loads(text)
            return cls(str(number), {str(k): [str(v) for v in each] for k, each in links.items()})
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None

    @classmethod
    def of(cls, obj: models.Model, links: Iterable[str] = ()) -> Self:
        """The present edition of an object, of which a form shows these many-to-many fields."""
        return cls(
            edition(obj),
            {
                name: sorted(str(key) for key in getattr(obj, name).values_list("pk", flat=True))
                for name in links
            },
        )


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A field that the user and somebody else changed, each in their own way."""

    name: str  # of the choice between the two, in the form
    label: str
    changed: Changed
    mine: str
    choice: str

    @property
    def sentence(self) -> str:
        return in_words(self.changed)


def in_words(changed: Changed, *, stays: bool = False) -> str:
    """ "Ana changed price from 10.00 to 12.00, 2 minutes ago."."""
    if changed.at is None:
        words = (
            _("%(field)s has also been changed to %(after)s; that stays.")
            if stays
            else _("%(field)s has been changed meanwhile, to %(after)s.")
        )
        return words % {"field": changed.label, "after": changed.after}
    words = (
        _("%(who)s also changed %(field)s from %(before)s to %(after)s, %(when)s; that stays.")
        if stays
        else _("%(who)s changed %(field)s from %(before)s to %(after)s, %(when)s.")
    )
    return words % {
        "who": changed.who,
        "field": changed.label,
        "before": changed.before,
        "after": changed.after,
        "when": naturaltime(changed.at),
    }


def value_of(field: Any, value: Any) -> str:
    """What the user entered, as the record would put it."""
    if isinstance(value, models.Model):
        return str(value)
    return value_in_words(field, value, lambda _field, key: str(key))
