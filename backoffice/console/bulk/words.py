"""What a bulk action is called and what it did, for pages and notifications about a job of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.utils.text import capfirst

from backoffice.bulk import Outcome

if TYPE_CHECKING:
    from .action import BulkAction


def action_named(model: str, name: str) -> "BulkAction | None":
    """The action of a list by its name, whoever may use it; None if there is none any more."""
    model_admin: Any = admin.site.get_model_admin(apps.get_model(model))
    found = {action.name: action.func for action in model_admin._get_base_actions()}
    return found.get(name)


def title_in_words(model: str, name: str) -> str:
    """ "Products: Set category" """
    action = action_named(model, name)
    kind = capfirst(str(apps.get_model(model)._meta.verbose_name_plural))
    return f"{kind}: {action.label if action else name}"


def result_in_words(model: str, name: str, changed: int, skipped: Mapping[str, int]) -> str:
    """ "1,204 changed. 3 skipped: discontinued." """
    action = action_named(model, name)
    return action.in_words(Outcome(done=changed, skipped=skipped)) if action else ""
