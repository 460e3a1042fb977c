"""What a bulk action is called and what it did, for pages and notifications about a job of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.audit.undo.plan import Keep
from backoffice.audit.undo.wording import kept_in_words
from backoffice.bulk import Outcome
from backoffice.console.displays import grouped
from backoffice.console.models import BulkJob

if TYPE_CHECKING:
    from .action import BulkAction


def action_named(model: str, name: str) -> "BulkAction | None":
    """The action of a list by its name, whoever may use it; None if there is none any more."""
    model_admin: Any = admin.site.get_model_admin(apps.get_model(model))
    found = {action.name: action.func for action in model_admin._get_base_actions()}
    return found.get(name)


def told_of(job: BulkJob) -> dict[str, Any]:
    """What the words about a job are made of, in whichever language somebody reads them."""
    return {
        "model": job.model,
        "action": job.action,
        "undoes": str(job.undoes) if job.undoes else "",
        "changed": job.changed,
        "skipped": job.skipped,
        "problem": job.problem,
    }


def title_in_words(told: Mapping[str, Any]) -> str:
    """ "Products: Set category", or "Undo of: Import of products.csv" """
    if undoes := told.get("undoes"):
        return _("Undo of: %(action)s") % {"action": undoes}
    action = action_named(told["model"], told["action"])
    kind = capfirst(str(apps.get_model(told["model"])._meta.verbose_name_plural))
    return f"{kind}: {action.label if action else told['action']}"


def result_in_words(told: Mapping[str, Any]) -> str:
    """ "1,204 changed. 3 skipped: discontinued." """
    if told.get("undoes"):
        return _undone_in_words(told["changed"], told["skipped"])
    action = action_named(told["model"], told["action"])
    outcome = Outcome(done=told["changed"], skipped=told["skipped"])
    return action.in_words(outcome) if action else ""


def _undone_in_words(undone: int, kept: Mapping[str, int]) -> str:
    """ "1,204 undone. 5 kept: 3 changed since, 2 in use." """
    said = [ngettext("%s undone.", "%s undone.", undone) % grouped(undone)]
    if kept:
        said.append(f"{kept_in_words({Keep(why): number for why, number in kept.items()})}.")
    return " ".join(said)
