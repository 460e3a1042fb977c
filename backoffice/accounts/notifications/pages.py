"""What a user was told, and how they want to be told. Each sees and changes their own alone."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .kinds import kinds_for
from .models import Notification
from .services import Ways, choices_of, choose, mark_read
from .wording import put_into_words

PER_PAGE = 30
# More than these are "99+": nobody reads the number, and counting costs.
MOST_COUNTED = 99


def unread_count(user: Any) -> int:
    """How many notifications of a user are unread, counted to one more than MOST_COUNTED."""
    return len(
        Notification.objects.unread(user.pk).order_by().values_list("pk")[: MOST_COUNTED + 1]
    )


class NotificationPages:
    """The pages of the site that are about the notifications of whoever looks at them."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        def page(route: str, name: str, view: Any) -> URLPattern:
            pattern: URLPattern = path(route, self.site.admin_view(view), name=name)
            return pattern

        return [
            page("notifications/", "notifications", self.list_view),
            page("notifications/settings/", "notification_settings", self.settings_view),
            page("notifications/read/", "notifications_read", self.read_view),
            page("notifications/<int:pk>/open/", "notification_open", self.open_view),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        unread_only = request.GET.get("show") == "unread"
        mine = Notification.objects.on_page(_user(request))
        shown = Notification.objects.unread(_user(request)) if unread_only else mine
        page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
        return self._page(
            request,
            "accounts/notifications/list.html",
            {
                "title": _("Notifications"),
                "page": page,
                "words": put_into_words(list(page.object_list), request.user),
                "unread_only": unread_only,
                "has_unread": Notification.objects.unread(_user(request)).exists(),
                # What comes while the page is read is not marked with it.
                "newest": mine.values_list("pk", flat=True).first() or 0,
            },
        )

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mark one as read, and go to what it tells of."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        notification = get_object_or_404(Notification.objects.on_page(_user(request)), pk=pk)
        mark_read(Notification.objects.filter(pk=notification.pk))
        (words,) = put_into_words([notification], request.user)
        return HttpResponseRedirect(words.link or reverse("admin:notifications"))

    def read_view(self, request: HttpRequest) -> HttpResponse:
        """Mark all as read that the page knew of."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        newest = request.POST.get("newest", "")
        mine = Notification.objects.unread(_user(request))
        if newest.isascii() and newest.isdigit() and len(newest) <= 18:
            mine = mine.filter(pk__lte=int(newest))
        count = mark_read(mine)
        messages.success(
            request,
            ngettext(
                "%(count)d notification was marked as read.",
                "%(count)d notifications were marked as read.",
                count,
            )
            % {"count": count},
        )
        return HttpResponseRedirect(reverse("admin:notifications"))

    def settings_view(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        kinds = kinds_for(request.user)
        if request.method == "POST":
            with transaction.atomic():
                for kind in kinds:
                    ways = [f"{kind.name}-{way}" in request.POST for way in ("in-app", "by-email")]
                    choose(user=request.user, kind=kind, ways=Ways(*ways))
            messages.success(request, _("From now on you are told in the ways that you chose."))
            return HttpResponseRedirect(reverse("admin:notification_settings"))
        ways_by_kind = choices_of(request.user, kinds)
        return self._page(
            request,
            "accounts/notifications/settings.html",
            {
                "title": _("How you are told"),
                "rows": [(kind, ways_by_kind[kind.name]) for kind in kinds],
            },
        )

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.site.name
        return TemplateResponse(request, template, {**self.site.each_context(request), **context})


def _user(request: HttpRequest) -> int:
    return int(request.user.pk or 0)
