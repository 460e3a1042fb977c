"""What Unfold's settings point at: the parts of the console that know every app."""

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.console.dashboard.page import dashboard_of
from backoffice.console.palette.finding import before_typing, find, pages_of
from backoffice.console.palette.results import Answer


def shop_name(request: HttpRequest) -> str:
    """The name of the merchant's shop, below that of the program if it has one of its own."""
    name = str(settings.SHOP_NAME)
    return "" if name == settings.UNFOLD["SITE_HEADER"] else name


def logo(request: HttpRequest) -> str:
    return static("console/logo.svg")


def favicon(request: HttpRequest) -> str:
    return static("console/logo.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


def environment(request: HttpRequest) -> list[str]:
    return [settings.ENVIRONMENT, "danger" if settings.ENVIRONMENT == "Production" else "info"]


def languages(request: HttpRequest) -> list[dict[str, str]]:
    """What everyone may choose among, below their name; each language in its own words."""
    names = [{"code": code, "name_local": name} for code, name in settings.LANGUAGES]
    return [*names, {"code": "", "name_local": _("As the browser says")}]


def language_action(request: HttpRequest) -> str:
    return reverse("choose_language")


class Entry(NamedTuple):
    model: str  # "app_label.model_name"
    title: Any
    icon: str
    key: str = ""  # after g, on the keyboard


NAVIGATION = [
    (
        gettext_lazy("Catalogue"),
        [
            Entry("inventory.product", gettext_lazy("Products"), "inventory_2", "p"),
            Entry("inventory.category", gettext_lazy("Categories"), "account_tree", "c"),
            Entry("inventory.tag", gettext_lazy("Tags"), "sell", "t"),
            Entry("inventory.discount", gettext_lazy("Discounts"), "percent", "d"),
        ],
    ),
    (
        gettext_lazy("Record"),
        [
            Entry("audit.changeset", gettext_lazy("Timeline"), "history", "l"),
            Entry("audit.seal", gettext_lazy("Seals"), "verified", "s"),
            Entry("exchange.importjob", gettext_lazy("Imports"), "upload_file", "i"),
            Entry("exchange.exportjob", gettext_lazy("Exports"), "download", "e"),
            Entry("console.bulkjob", gettext_lazy("Bulk changes"), "checklist"),
            Entry("exchange.importprofile", gettext_lazy("Import profiles"), "tune"),
            Entry("exchange.importfeed", gettext_lazy("Feeds"), "rss_feed"),
        ],
    ),
    (
        gettext_lazy("People"),
        [
            Entry("accounts.user", gettext_lazy("Users"), "person", "u"),
            Entry("accounts.role", gettext_lazy("Roles"), "badge", "r"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: of each group what this user may see; groups without anything are left out."""
    links = _links(request)
    groups: list[dict[str, Any]] = [
        {"items": [_item(_("Dashboard"), "home", reverse("admin:index"), "h")]}
    ]
    for title, entries in NAVIGATION:
        items = [
            _item(entry.title, entry.icon, links[entry.model], entry.key)
            for entry in entries
            if entry.model in links
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def _item(title: Any, icon: str, link: str, key: str) -> dict[str, Any]:
    attributes = {"data-go": key} if key else {}
    return {"title": title, "icon": icon, "link": link, "key": key, "link_attrs": attributes}


def _links(request: HttpRequest) -> dict[str, str]:
    """The addresses of the lists that this user may see, by "app_label.model_name"."""
    found: dict[str, str] | None = getattr(request, "list_links", None)
    if found is None:
        found = request.list_links = _find_links(request)  # type: ignore[attr-defined]
    return found


def _find_links(request: HttpRequest) -> dict[str, str]:
    return {
        model["model"]._meta.label_lower: model["admin_url"]
        for app in admin.site.get_app_list(request)
        for model in app["models"]
        if model["admin_url"]
    }


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    in_full = "in_full" in request.GET
    is_part = in_full and "HX-Request" in request.headers
    return {
        **context,
        "title": _("Dashboard"),
        "frame": "console/dashboard/part.html" if is_part else "admin/base.html",
        **dashboard_of(request, in_full=in_full),
        "has_role": bool(_links(request)),
    }


def search(request: HttpRequest, typed: str) -> Answer:
    """What the command palette answers; while nothing is typed, what was opened last."""
    pages = pages_of(navigation(request))
    if typed.strip("\0 "):
        return find(request, typed, pages)
    return before_typing(request, request.GET.getlist("recent"), pages)
