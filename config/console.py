"""What Unfold's settings point at: the parts of the console that know every app."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.dataclasses import SearchResult

from backoffice.audit.models import ChangeSet
from backoffice.audit.seals.state import verdict
from backoffice.exchange.models import ImportJob
from inventory.models import Category, Product
from inventory.selectors import catalogue_figures, products_by_code

RECENT = 8
FOUND = 5


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


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number on the dashboard that leads to the list of what it counts."""

    title: Any
    value: int
    link: str
    icon: str
    wanting: bool = False  # whether 0 is what one would like to see


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return {
        **context,
        "title": _("Dashboard"),
        "figures": _figures(request),
        "changes": _recent_changes(request),
        "changes_link": _links(request).get("audit.changeset"),
        "verdict": verdict() if "audit.seal" in _links(request) else None,
        "seals_link": _links(request).get("audit.seal"),
        "products": _recently_changed_products(request),
        "imports": _recent_imports(request),
        "imports_link": _links(request).get("exchange.importjob"),
    }


def _figures(request: HttpRequest) -> list[Figure]:
    products = _links(request).get("inventory.product")
    if not products:
        return []
    figures = catalogue_figures()
    return [
        Figure(
            title=_("active products"),
            value=figures.active,
            link=f"{products}?is_active__exact=1",
            icon="inventory_2",
        ),
        Figure(
            title=_("inactive products"),
            value=figures.inactive,
            link=f"{products}?is_active__exact=0",
            icon="visibility_off",
        ),
        Figure(
            title=_("without a category"),
            value=figures.without_category,
            link=f"{products}?without=category",
            icon="account_tree",
            wanting=True,
        ),
        Figure(
            title=_("without an image"),
            value=figures.without_image,
            link=f"{products}?without=image",
            icon="image",
            wanting=True,
        ),
    ]


def _recent_changes(request: HttpRequest) -> list[ChangeSet] | None:
    """The newest change sets; None for those who may not see them."""
    if "audit.changeset" not in _links(request):
        return None
    return list(ChangeSet.objects.order_by("-id")[:RECENT])


def _recently_changed_products(request: HttpRequest) -> list[Product] | None:
    """What those see who may not see the record."""
    links = _links(request)
    if "audit.changeset" in links or "inventory.product" not in links:
        return None
    return list(Product.objects.with_thumbnail().order_by("-updated_at", "-id")[:RECENT])


@dataclass(frozen=True, kw_only=True)
class RecentImport:
    file_name: str
    summary: str
    at: datetime
    link: str


def _recent_imports(request: HttpRequest) -> list[RecentImport] | None:
    """This user's newest imports; None for those who may not import."""
    if not request.user.has_perm("inventory.import_product"):
        return None
    shown = admin.site.is_registered(ImportJob)
    return [
        RecentImport(
            file_name=job.file_name,
            summary=_summary(job),
            at=job.created_at,
            link=reverse("admin:exchange_importjob_change", args=[job.pk]) if shown else "",
        )
        for job in ImportJob.objects.filter(user=request.user.pk).order_by("-id")[:RECENT]
    ]


def _summary(job: ImportJob) -> str:
    """How far an import is, and what it does: "applied: 2 new, 1 changed"."""
    counts = [
        text % number
        for number, text in (
            (job.new, ngettext("%d new", "%d new", job.new)),
            (job.changed, ngettext("%d changed", "%d changed", job.changed)),
            (job.invalid, ngettext("%d invalid", "%d invalid", job.invalid)),
        )
        if number
    ]
    state = str(job.get_state_display())
    return f"{state}: {', '.join(counts)}" if counts else state


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """What the command palette finds: the product of this very code first, then the best five."""
    links = _links(request)
    found: list[SearchResult] = []
    if "inventory.product" in links:
        exact = list(products_by_code(term)[:FOUND])
        known = {product.pk for product in exact}
        more = Product.objects.search(term).with_category().order_by("name", "id")[:FOUND]
        for product in [*exact, *(each for each in more if each.pk not in known)][:FOUND]:
            place = f" · {product.category}" if product.category else ""
            found.append(
                SearchResult(
                    title=product.name,
                    description=f"{product.sku}{place}",
                    link=reverse("admin:inventory_product_change", args=[product.pk]),
                    icon="inventory_2",
                )
            )
    if "inventory.category" in links:
        found += [
            SearchResult(
                title=category.name,
                description=category.path,
                link=reverse("admin:inventory_category_change", args=[category.pk]),
                icon="account_tree",
            )
            for category in Category.objects.filter(path__icontains=term).order_by("path")[:FOUND]
        ]
    return found
