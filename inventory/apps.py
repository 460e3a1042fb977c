from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "inventory"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        from . import policies  # noqa: F401, PLC0415 - models must be loaded
