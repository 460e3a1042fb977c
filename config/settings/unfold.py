"""Unfold's settings. What needs code is named by its dotted path and lives in config.console."""

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy

UNFOLD = {
    "SITE_TITLE": "Stockbook",
    "SITE_HEADER": "Stockbook",
    "SITE_SUBHEADER": "config.console.shop_name",
    "SITE_ICON": "config.console.logo",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "config.console.favicon"},
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.console.environment",
    "DASHBOARD_CALLBACK": "config.console.dashboard",
    "STYLES": [
        "config.console.stylesheet",
        "backoffice.console.assets.access_stylesheet",
        "backoffice.console.lists.assets.stylesheet",
        "backoffice.console.lists.assets.cells_stylesheet",
        "backoffice.accounts.notifications.assets.stylesheet",
        "backoffice.console.palette.assets.stylesheet",
        "backoffice.console.dashboard.assets.stylesheet",
        "backoffice.console.attachments.assets.stylesheet",
    ],
    "SCRIPTS": [
        "backoffice.console.assets.access_script",
        "backoffice.console.lists.assets.script",
        "backoffice.console.lists.assets.cells_script",
        "backoffice.console.lists.assets.pictures_script",
        "backoffice.console.lists.assets.forms_script",
        "backoffice.console.palette.assets.script",
        "backoffice.console.dashboard.assets.script",
        "backoffice.audit.assets.people_script",
        "backoffice.console.attachments.assets.script",
    ],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .014 172)",
            "100": "oklch(94.3% .034 172)",
            "200": "oklch(89% .065 172)",
            "300": "oklch(81.5% .1 172)",
            "400": "oklch(72.5% .12 172)",
            "500": "oklch(62% .115 172)",
            "600": "oklch(52.5% .1 172)",
            "700": "oklch(44.5% .085 172)",
            "800": "oklch(37.5% .069 172)",
            "900": "oklch(31.5% .055 172)",
            "950": "oklch(22% .04 172)",
        },
    },
    "LOGIN": {"form": "backoffice.accounts.forms.SignInForm"},
    "ACCOUNT": {
        "navigation": [
            {"title": gettext_lazy("Notifications"), "link": reverse_lazy("admin:notifications")},
            {
                "title": gettext_lazy("How you are told"),
                "link": reverse_lazy("admin:notification_settings"),
            },
            {
                "title": gettext_lazy("Change password"),
                "link": reverse_lazy("admin:password_change"),
            },
        ],
    },
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {
        "navigation": "config.console.languages",
        "action": "config.console.language_action",
    },
    "COMMAND": {
        "search_models": False,
        "search_callback": "config.console.search",
    },
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": False,
        "navigation": "config.console.navigation",
    },
}
