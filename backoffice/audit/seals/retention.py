"""How long history is kept: for ever, unless AUDIT_RETENTION says otherwise."""

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from backoffice.audit.trail import trailed_models

from .exceptions import SealError


def retention() -> dict[type[models.Model], timedelta]:
    """How long each model's history is kept, where not for ever. Raises SealError."""
    return {_trailed(label): _period(label, days) for label, days in _setting().items()}


def _setting() -> dict[str, int]:
    return dict(settings.AUDIT_RETENTION)


def _trailed(label: str) -> type[models.Model]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        model = None
    if model not in trailed_models:
        raise SealError(
            _("AUDIT_RETENTION names %(label)s, which has no history. It takes model=days.")
            % {"label": label}
        )
    return model


def _period(label: str, days: int) -> timedelta:
    if days < 1:
        raise SealError(_("AUDIT_RETENTION takes a number of days above 0 for %s.") % label)
    return timedelta(days=days)
