"""Who is named in a note is told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin.utils import quote
from django.db import models
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.audit.signals import note_added

from .kinds import Kind, Parameters, register
from .services import notify

if TYPE_CHECKING:
    from backoffice.accounts.models import User


def _text(told: Parameters) -> str:
    what = apps.get_model(told["model"])._meta.verbose_name
    return _("%(who)s mentioned you in a note on %(what)s “%(name)s”.") % {**told, "what": what}


MENTION = register(
    Kind(
        name="mention",
        label=gettext_lazy("Somebody mentions you in a note"),
        text=_text,
        details=lambda told: str(told["note"]),
        icon="alternate_email",
        by_email=True,
        concerns=lambda user: bool(user.is_staff),
    )
)


@receiver(note_added, dispatch_uid="accounts.tell_of_mention")
def tell_of_mention(
    *,
    obj: models.Model,
    text: str,
    people: "Sequence[User]",
    author: "User | None",
    number: int | None,
    **_kwargs: Any,
) -> None:
    options = obj._meta
    notify(
        to=[user for user in people if author is None or user.pk != author.pk],
        kind=MENTION,
        parameters={
            "who": str(author or ""),
            "model": options.label_lower,
            "name": str(obj),
            "note": text,
        },
        link=reverse(
            f"admin:{options.app_label}_{options.model_name}_history", args=[quote(str(obj.pk))]
        ),
        about=obj,
        key=str(number or ""),
    )
