"""Administrators are told when a seal does not hold, or could not be published."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.accounts.access import keyholders
from backoffice.audit.models import SealEvent

from .kinds import Kind, Parameters, register
from .services import notify

if TYPE_CHECKING:
    from backoffice.accounts.models import User

# Older problems were told of, or nobody was there to tell.
_LATELY = timedelta(days=2)


def _text(told: Parameters) -> str:
    if told["kind"] == SealEvent.Kind.TAMPERED:
        return _("The record was found altered when it was verified.")
    return _("A seal could not be published to %(where)s.") % told


def holds_keys(user: "User") -> bool:
    return keyholders().filter(pk=user.pk).exists()


SEAL_PROBLEM = register(
    Kind(
        name="seal_problem",
        label=gettext_lazy("Something is wrong with the seals of the record"),
        text=_text,
        details=lambda told: str(told["error"]),
        icon="gpp_bad",
        by_email=True,
        concerns=holds_keys,
    )
)


@transaction.atomic
def tell_of_seals() -> None:
    """Tell whoever holds the keys of new problems; of a place out of reach once a day."""
    events = SealEvent.objects.filter(
        kind__in=[SealEvent.Kind.TAMPERED, SealEvent.Kind.PUBLICATION_FAILED],
        at__gt=timezone.now() - _LATELY,
    ).order_by("-id")
    for event in events[:20]:
        is_altered = event.kind == SealEvent.Kind.TAMPERED
        notify(
            to=keyholders(),
            kind=SEAL_PROBLEM,
            parameters={
                "kind": event.kind,
                "where": event.where,
                "error": str(event.facts.get("error", "")),
            },
            link=reverse("admin:audit_seal_changelist"),
            key=str(event.pk) if is_altered else f"{event.at:%Y-%m-%d} {event.where}"[:200],
        )
