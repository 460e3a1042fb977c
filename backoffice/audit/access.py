"""Who may read which history, and which pages of the admin an entry can lead to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_permission_codename, get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst

from .models import ChangeSet
from .naming import history_of


def may_read_history(request: HttpRequest, model: type[models.Model]) -> bool:
    """History has a permission of its own: it shows what a row held before, and who changed it."""
    opts = history_of(model)._meta
    return bool(request.user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"))


def may_read_events(request: HttpRequest) -> bool:
    """Who signed in and who was refused is on the timeline, and for those who may see that."""
    return request.user.has_perm("audit.view_changeset")


def events_about(obj: models.Model, request: HttpRequest) -> QuerySet[ChangeSet]:
    """What names the object as its cause and this viewer may see; notes are for all its readers.

    Of a person also what they did themselves.
    """
    about = Q(reference=f"{obj._meta.label_lower}/{obj.pk}")
    if not may_read_events(request):
        return ChangeSet.objects.filter(about, kind=ChangeSet.Kind.NOTE)
    if isinstance(obj, get_user_model()):
        about |= Q(actor_id=obj.pk) & ~Q(kind=ChangeSet.Kind.NOTE)
    return ChangeSet.objects.exclude(kind=ChangeSet.Kind.CHANGE).filter(about)


@dataclass(frozen=True)
class Link:
    """A name, and the page of what it names if the viewer may open it."""

    text: str
    url: str = ""


class AdminLinks:
    """Addresses in the admin, only those that exist and that this viewer may open."""

    def __init__(self, request: HttpRequest, site: AdminSite) -> None:
        self.request = request
        self.site = site

    def _admin_of(self, model: type[models.Model]) -> ModelAdmin | None:
        if not self.site.is_registered(model):
            return None
        model_admin = self.site.get_model_admin(model)
        return model_admin if model_admin.has_view_permission(self.request) else None

    def _page(self, model: type[models.Model], page: str, key: Any) -> str:
        opts = model._meta
        name = f"{self.site.name}:{opts.app_label}_{opts.model_name}_{page}"
        try:
            return reverse(name, args=[quote(str(key))])
        except NoReverseMatch:
            return ""

    def objects(self, model: type[models.Model], keys: Iterable[Any]) -> dict[Any, str]:
        """The page of each object, in one query; of one that is gone, its history."""
        keys = set(keys)
        model_admin = self._admin_of(model)
        if model_admin is None or not keys:
            return {}
        shown = set(
            model_admin.get_queryset(self.request)
            .filter(pk__in=keys)
            .order_by()
            .values_list("pk", flat=True)
        )
        pages = {key: self._page(model, "change", key) for key in shown}
        missing = keys - shown
        if missing and may_read_history(self.request, model):
            # Not those that live on where this viewer must not see them.
            living = model._base_manager.filter(pk__in=missing).values_list("pk", flat=True)
            gone = missing - set(living)
            pages |= {key: self._page(model, "history", key) for key in gone}
        return pages

    def reference(self, reference: str) -> Link:
        """What "app.model/key" names: by its name and page, or in the words of the record."""
        label, _, key = reference.partition("/")
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            return Link(reference)
        text = f"{capfirst(model._meta.verbose_name)} {key}"
        model_admin = self._admin_of(model)
        if model_admin is None:
            return Link(text)
        try:
            found = model_admin.get_object(self.request, key)
        except (ValidationError, ValueError):
            return Link(text)
        if found is None or not model_admin.has_view_permission(self.request, found):
            return Link(text)
        return Link(f"{text}: {found}", self._page(model, "change", found.pk))
