from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_views(apps, schema_editor):
    grant(apps, RoleName.ADMINISTRATOR, "console", ["delete_savedview"])


class Migration(migrations.Migration):
    """Administrators may take away views that others share; nobody else needs a permission."""

    dependencies = [("console", "0002_roles")]

    operations = [
        migrations.AlterModelOptions(
            name="savedview",
            options={
                "default_permissions": ("view", "delete"),
                "ordering": ("name", "id"),
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
            },
        ),
        migrations.RunPython(grant_views, migrations.RunPython.noop),
    ]
