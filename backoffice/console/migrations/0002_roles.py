from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_views(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "console", ["*"])
    grant(apps, RoleName.AUDITOR, "console", ["view_*"])


class Migration(migrations.Migration):
    """Administrators may take away views that others share; nobody else needs a permission."""

    dependencies = [("console", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_views, migrations.RunPython.noop)]
