from django.db import migrations

from backoffice.accounts.roles import RoleName, grant

_KEPT = ("importprofile", "importfeed", "exporttemplate")


def grant_profiles(apps, schema_editor):
    for role in (RoleName.ADMINISTRATOR, RoleName.CATALOGUE_MANAGER):
        grant(
            apps,
            role,
            "exchange",
            [f"{act}_{model}" for act in ("add", "change", "delete", "view") for model in _KEPT],
        )
    grant(apps, RoleName.ADMINISTRATOR, "exchange", ["view_*"])
    grant(apps, RoleName.AUDITOR, "exchange", ["view_*"])


class Migration(migrations.Migration):
    """Who keeps profiles, feeds and templates; exports, like imports, are their user's."""

    dependencies = [("exchange", "0003_exchange_in_full"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_profiles, migrations.RunPython.noop)]
