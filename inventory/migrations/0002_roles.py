from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_catalogue(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "inventory", ["*"])
    grant(apps, RoleName.CATALOGUE_MANAGER, "inventory", ["*"])
    grant(apps, RoleName.AUDITOR, "inventory", ["view_*"])
    for role in (RoleName.WAREHOUSE, RoleName.ORDER_DESK):
        grant(
            apps,
            role,
            "inventory",
            [
                "view_category",
                "view_discount",
                "view_product",
                "view_productimage",
                "view_producttag",
                "view_tag",
            ],
        )


class Migration(migrations.Migration):
    """What each role may do with the catalogue."""

    dependencies = [("inventory", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_catalogue, migrations.RunPython.noop)]
