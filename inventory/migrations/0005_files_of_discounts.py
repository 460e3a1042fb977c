from django.db import migrations

from backoffice.accounts.roles import RoleName, grant


def grant_files(apps, schema_editor):
    for role in (RoleName.ADMINISTRATOR, RoleName.CATALOGUE_MANAGER):
        grant(apps, role, "inventory", ["import_discount", "export_discount"])


class Migration(migrations.Migration):
    """Discounts come and go as files too, for those who keep the catalogue."""

    dependencies = [("inventory", "0004_deleted_and_variants")]

    operations = [
        migrations.AlterModelOptions(
            name="discount",
            options={
                "default_permissions": ("add", "change", "delete", "view", "import", "export"),
                "ordering": ("name",),
                "verbose_name": "discount",
                "verbose_name_plural": "discounts",
            },
        ),
        migrations.RunPython(grant_files, migrations.RunPython.noop),
    ]
