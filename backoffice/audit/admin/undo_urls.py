from collections.abc import Callable
from functools import partial

from django.contrib.admin import ModelAdmin
from django.http import HttpResponse
from django.urls import URLPattern, path

from .undo import restore_view, undo_view
from .undo_field import revert_view
from .undo_now import undo_now_view


def undo_urls(model_admin: ModelAdmin) -> list[URLPattern]:
    """The addresses of the pages that put things back, below those of the change sets."""

    def page(route: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        wrapped = model_admin.admin_site.admin_view(partial(view, model_admin))
        return path(route, wrapped, name=f"audit_changeset_{name}")

    return [
        page("<int:change_set_id>/undo/", "undo", undo_view),
        page("<int:change_set_id>/undo/now/", "undo_now", undo_now_view),
        page("restore/", "restore", restore_view),
        page("revert/", "revert", revert_view),
    ]
