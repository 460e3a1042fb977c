from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_imports(apps, schema_editor):
    for role in (RoleName.ADMINISTRATOR, RoleName.AUDITOR):
        grant(apps, role, "exchange", ["view_*"])


class Migration(migrations.Migration):
    """A job is its user's; administrators and auditors see all jobs."""

    dependencies = [("exchange", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_imports, migrations.RunPython.noop)]
