from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_record(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "audit", ["*"])
    grant(apps, RoleName.CATALOGUE_MANAGER, "audit", ["undo_changeset"])
    grant(apps, RoleName.AUDITOR, "audit", ["view_*"])


class Migration(migrations.Migration):
    """Who sees the seals, and who may undo (what they undo they must be allowed to write, too)."""

    dependencies = [("accounts", "0002_roles"), ("audit", "0002_events_and_seals")]

    operations = [migrations.RunPython(grant_record, migrations.RunPython.noop)]
