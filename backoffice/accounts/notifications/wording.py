"""Notifications in words, for whoever reads them now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.text import capfirst

from .kinds import get_kind
from .models import Notification


@dataclass(frozen=True, kw_only=True)
class Words:
    """A notification as its reader meets it."""

    pk: int
    text: str
    details: str
    icon: str
    link: str
    at: datetime
    is_read: bool


def request_of(user: Any) -> HttpRequest:
    """As ModelAdmins want to be asked what a user may see."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    return request


def put_into_words(notifications: Sequence[Notification], user: Any) -> list[Words]:
    """In the language of this moment. Of an object that the user may not see there is no word."""
    visible = _visible({each.reference for each in notifications if each.reference}, user)
    return [_words(each, not each.reference or each.reference in visible) for each in notifications]


def _words(notification: Notification, in_full: bool) -> Words:
    kind = get_kind(notification.kind)
    told = in_full and kind is not None
    return Words(
        pk=notification.pk,
        text=kind.text(notification.parameters)
        if told and kind
        else str(capfirst(str(kind.label if kind else notification.kind.replace("_", " ")))),
        details=kind.details(notification.parameters) if told and kind else "",
        icon=kind.icon if kind else "notifications",
        link=notification.link if in_full else "",
        at=notification.at,
        is_read=notification.read_at is not None,
    )


def _visible(references: set[str], user: Any) -> set[str]:
    """Which of these objects the user may see now; one query for each of their models."""
    keys: dict[str, set[str]] = defaultdict(set)
    for reference in references:
        label, _slash, key = reference.partition("/")
        keys[label].add(key)
    request = request_of(user)
    found = set()
    for label, wanted in keys.items():
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            continue
        if not admin.site.is_registered(model):
            continue
        model_admin: Any = admin.site.get_model_admin(model)
        if not model_admin.has_view_permission(request):
            continue
        try:
            objects = list(model_admin.get_queryset(request).filter(pk__in=wanted))
        except (ValidationError, ValueError):
            continue
        found |= {
            f"{label}/{obj.pk}" for obj in objects if model_admin.has_view_permission(request, obj)
        }
    return found
