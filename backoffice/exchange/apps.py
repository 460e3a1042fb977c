from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "backoffice.exchange"
    label = "exchange"
    verbose_name = _("Record")

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415 - registers them; models are ready only now

        # Each app declares its resources in resources.py.
        autodiscover_modules("resources")
