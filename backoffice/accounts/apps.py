from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "backoffice.accounts"
    label = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        from . import policies, receivers  # noqa: F401, PLC0415 - models must be loaded
        from .notifications import mentions, seals  # noqa: F401, PLC0415 - register their kinds
