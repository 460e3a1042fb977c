from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_attachments(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "console", ["*"])
    grant(apps, RoleName.AUDITOR, "console", ["view_*"])
    keeper = ["add_attachment", "delete_attachment", "view_historicalattachment"]
    grant(apps, RoleName.CATALOGUE_MANAGER, "console", keeper)


class Migration(migrations.Migration):
    """Who keeps objects may undo what was attached to them, and read who did it."""

    dependencies = [("console", "0005_attachments"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_attachments, migrations.RunPython.noop)]
