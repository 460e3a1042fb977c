"""The roles that Stockbook comes with, and how migrations give them their rights."""

from collections.abc import Iterable

from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import models
from django.utils.translation import gettext_lazy as _

from backoffice.audit.context import Source, audit_context, current_context


class RoleName(models.TextChoices):
    ADMINISTRATOR = "Administrator", _("Administrator")  # everything, people and roles included
    CATALOGUE_MANAGER = "Catalogue manager", _("Catalogue manager")  # what is sold, and its files
    WAREHOUSE = "Warehouse", _("Warehouse")  # reads the catalogue; keeps stock
    ORDER_DESK = "Order desk", _("Order desk")  # reads the catalogue; takes orders
    AUDITOR = "Auditor", _("Auditor")  # reads everything and its history, changes nothing


def grant(apps: Apps, role: RoleName, app_label: str, codenames: Iterable[str]) -> None:
    """Give a role permissions of one app, inside a migration.

    A codename may be a pattern with one star at its end, such as "view_*". Django makes
    permissions only after the last migration, so those of the app are made here first. Raises
    LookupError for a codename that matches nothing.
    """
    app_config = apps.get_app_config(app_label)
    app_config.models_module = True  # type: ignore[assignment]  # what create_permissions asks for
    create_permissions(app_config, apps=apps, verbosity=0)
    app_config.models_module = None

    Permission = apps.get_model("auth", "Permission")
    group, _created = apps.get_model("auth", "Group").objects.get_or_create(name=role.value)
    of_app = Permission.objects.filter(content_type__app_label=app_label)
    source = {} if current_context() else {"source": Source.SHELL}
    for codename in codenames:
        if codename.endswith("*"):
            found = of_app.filter(codename__startswith=codename[:-1])
        else:
            found = of_app.filter(codename=codename)
        if not found:
            raise LookupError(f"{app_label} has no permission {codename!r}.")
        with audit_context(**source, reason=f"What the role {role.value} comes with"):
            group.permissions.add(*found)
