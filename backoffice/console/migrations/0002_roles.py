from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_attachments(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "console", ["*"])
    grant(
        apps,
        RoleName.CATALOGUE_MANAGER,
        "console",
        ["add_attachment", "delete_attachment", "view_attachment"],
    )
    for role in (RoleName.WAREHOUSE, RoleName.ORDER_DESK):
        grant(apps, role, "console", ["view_attachment"])
    grant(apps, RoleName.AUDITOR, "console", ["view_*"])


class Migration(migrations.Migration):
    """Who adds files to objects. Whoever may not see an object sees none of its files either."""

    dependencies = [("console", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_attachments, migrations.RunPython.noop)]
