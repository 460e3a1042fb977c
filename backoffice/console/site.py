import time
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

MOST_RESULTS = 50


class ConsoleSite(UnfoldAdminSite):
    """Unfold's admin site with a command palette that shows what the user may see, now.

    Unfold keeps the results of a search for five minutes, in which a right that was taken away
    still shows them and a product that was renamed keeps its old name.
    """

    def search(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        started = time.perf_counter()
        term = request.GET.get("s", "").replace("\0", "").strip()
        if not term:
            return HttpResponse()
        command = self._get_config("COMMAND", request)
        found: list[SearchResult] = self._get_value(command["search_callback"], request, term)
        found += self._search_apps(self.get_app_list(request), term.lower())
        pages = Paginator(found[:MOST_RESULTS], MOST_RESULTS)
        return TemplateResponse(
            request,
            "unfold/helpers/command_results.html",
            {
                "search_term": term,
                "page_obj": pages,
                "results": pages.page(1),
                "page_counter": 0,
                "execution_time": time.perf_counter() - started,
                "command_show_history": command["show_history"],
            },
            headers={"HX-Trigger": "search"},
        )
