"""What other rooms keep about objects of any model: shown on their forms and timelines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import HttpRequest

from backoffice.audit.access import may_read_history
from backoffice.audit.selectors import Strand

# A tab on the form of an object, as Unfold's templates ask for it.
type MakeTab = Callable[[HttpRequest, Any, models.Model], Any]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A model with a Trail whose `attname` names the object: "inventory.product/12"."""

    model: type[models.Model]
    attname: str
    tab: MakeTab


_besides: list[Beside] = []


def show_beside(beside: Beside) -> None:
    _besides.append(beside)


def tabs_beside(request: HttpRequest, model_admin: Any, obj: models.Model) -> list[Any]:
    return [each.tab(request, model_admin, obj) for each in _besides]


def strands_beside(request: HttpRequest, obj: models.Model) -> list[Strand]:
    """The histories about an object that this viewer may see."""
    reference = f"{obj._meta.label_lower}/{obj.pk}"
    return [
        Strand(model=each.model, attname=each.attname, key=reference)
        for each in _besides
        if may_read_history(request, each.model)
    ]
