from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from unfold.apps import BasicAppConfig


class ConsoleConfig(AppConfig):
    name = "backoffice.console"
    label = "console"
    # Its pages are below the record, as those of imports.
    verbose_name = _("Record")
    default = True


class UnfoldConfig(BasicAppConfig):
    """Unfold with our site as `admin.site`, in place before the admin looks for ModelAdmins."""

    def ready(self) -> None:
        from django.contrib import admin  # noqa: PLC0415 - apps must be loaded
        from django.contrib.admin import sites  # noqa: PLC0415 - as above

        from .site import ConsoleSite  # noqa: PLC0415 - as above

        admin.site = sites.site = ConsoleSite()
