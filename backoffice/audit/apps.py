from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "backoffice.audit"
    label = "audit"
    verbose_name = _("Record")

    def ready(self) -> None:
        # Models must be loaded.
        from . import checks, receivers  # noqa: F401, PLC0415
        from .seals import checks as seal_checks  # noqa: F401, PLC0415
        from .seals import invariants  # noqa: F401, PLC0415

        connection_created.connect(
            receivers.tell_the_database_who_is_at_work, dispatch_uid="audit.pass_context_on"
        )
