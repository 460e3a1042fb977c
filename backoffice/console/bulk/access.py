from collections.abc import Iterable
from typing import Any

from django.contrib import admin

from backoffice.audit.undo.services import PERMISSION
from backoffice.exchange.admin.replaying import Selection, as_asked_by


def may_have_jobs(user: Any) -> bool:
    """Whether somebody may change the rows of any list by a bulk action, or undo what was done."""
    return bool(user.has_perm(PERMISSION)) or _changes_anything(user)


def _changes_anything(user: Any) -> bool:
    request = as_asked_by(user, Selection())
    registered: Iterable[Any] = admin.site._registry.values()
    return any(
        hasattr(action.func, "plan")  # a bulk action; other actions do what they do at once
        for model_admin in registered
        for action in model_admin._filter_actions_by_permissions(
            request, model_admin._get_base_actions()
        )
    )
