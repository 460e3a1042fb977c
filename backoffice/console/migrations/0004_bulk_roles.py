from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_bulk_jobs(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "console", ["view_bulkjob"])
    grant(apps, RoleName.AUDITOR, "console", ["view_bulkjob"])


class Migration(migrations.Migration):
    """Whoever looks after the shop sees every bulk change; anybody else sees their own."""

    dependencies = [("console", "0003_bulk_jobs"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_bulk_jobs, migrations.RunPython.noop)]
