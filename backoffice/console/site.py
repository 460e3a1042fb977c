from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from unfold.sites import UnfoldAdminSite

from backoffice.accounts.notifications.pages import NotificationPages, unread_count
from backoffice.console.palette.results import Answer, numbered

from .attachments.pages import AttachmentPages

type View = Callable[..., HttpResponseBase]


def with_page_policy(view: View) -> View:
    """Lets pages of the admin do what Unfold needs; files and errors keep the stricter policy."""

    @wraps(view)
    def answer(*arguments: Any, **options: Any) -> HttpResponseBase:
        response = view(*arguments, **options)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response._csp_config = settings.ADMIN_CSP  # type: ignore[attr-defined]
        return response

    return answer


class ConsoleSite(UnfoldAdminSite):
    """Unfold's admin site with a command palette that shows what the user may see, now.

    Unfold keeps the results of a search for five minutes, in which a right that was taken away
    still shows them and a product that was renamed keeps its old name.
    """

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return with_page_policy(super().admin_view(view, cacheable))

    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return with_page_policy(super().login)(request, extra_context)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        own = [*NotificationPages(self).urls(), *AttachmentPages(self).urls()]
        return [*own, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # Asked for by pages with a header, and not by parts of pages.
        unread = SimpleLazyObject(lambda: unread_count(request.user))
        return {**super().each_context(request), "unread_notifications": unread}

    @method_decorator(
        # The same until the program or the language is another; both are asked for each time.
        [conditional_page, cache_control(private=True, no_cache=True)]
    )
    def i18n_javascript(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The texts of the scripts: sent once to a browser, then said to be unchanged."""
        response: HttpResponse = super().i18n_javascript(request, extra_context)
        return response

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the palette shows; while nothing is typed, what the browser remembers."""
        command = self._get_config("COMMAND", request)
        typed = request.GET.get("s", "")
        answer: Answer = self._get_value(command["search_callback"], request, typed)
        return TemplateResponse(
            request,
            "unfold/helpers/command_results.html",
            {"typed": typed.strip(), "answer": answer, "groups": numbered(answer.groups)},
        )
