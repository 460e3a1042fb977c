from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def make_roles(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for role in RoleName:
        Group.objects.get_or_create(name=role.value)
    for app_label in ("accounts", "audit"):
        grant(apps, RoleName.ADMINISTRATOR, app_label, ["*"])
        grant(apps, RoleName.AUDITOR, app_label, ["view_*"])
    grant(apps, RoleName.ADMINISTRATOR, "auth", ["*"])
    grant(apps, RoleName.AUDITOR, "auth", ["view_*"])


class Migration(migrations.Migration):
    """The five roles, with their rights over people and the record."""

    dependencies = [("accounts", "0001_initial"), ("audit", "0001_initial")]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
