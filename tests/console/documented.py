"""Runs the example of docs/console.md as a program of its own: python -m tests.console.documented.

In one transaction on the database that DOCUMENTED_DATABASE names, which is rolled back.
"""

import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.core.checks import ERROR
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "console.md"


def example() -> str:
    """The first block of code of the document."""
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def main() -> None:
    connection.settings_dict["NAME"] = os.environ["DOCUMENTED_DATABASE"]
    module = sys.modules["inventory.models.supplier"] = ModuleType("inventory.models.supplier")
    exec(compile(example(), DOCUMENT.name, "exec"), vars(module))  # noqa: S102 - our own words
    model: Any = vars(module)["Supplier"]
    registered = admin.site._registry[model]
    assert [each for each in registered.check() if each.level >= ERROR] == []
    with transaction.atomic():
        with connection.schema_editor() as editor:
            editor.create_model(model)
            editor.create_model(model.history.model)
        for trigger in model._meta.triggers:
            trigger.install(model)
        config = apps.get_app_config("inventory")
        create_contenttypes(config, verbosity=0)
        create_permissions(config, verbosity=0)
        _use(model)
        transaction.set_rollback(True)
    print("works")  # noqa: T201 - what the test reads


def _use(model: Any) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("docs@stockbook.test", "x"))

    def page(name: str, *args: object) -> str:
        return reverse(f"admin:inventory_supplier_{name}", args=args)

    assert "No suppliers yet" in client.get(page("changelist")).text
    added = client.post(page("add"), {"name": "Northwind Traders", "minimum": "250"})
    assert added.status_code == 302, added.context["adminform"].form.errors
    supplier = model.objects.get()
    found = client.get(page("changelist"), {"q": "nortwhind"})
    assert "Northwind Traders" in found.text
    assert "Did you mean one of these?" in found.text
    change = client.get(page("change", supplier.pk))
    assert change.status_code == 200
    assert "_seen" in change.text
    stale = client.post(
        page("change", supplier.pk), {"name": "N", "minimum": "1", "_seen": '["0",{}]'}
    )
    assert stale.status_code == 200
    for name in ("timeline", "history", "delete"):
        assert client.get(page(name, supplier.pk)).status_code == 200, name
    assert "Supplier added" in client.get(page("timeline", supplier.pk)).text
    cell = client.get(page("cell", supplier.pk, "name"))
    assert "Northwind Traders" in cell.text
    assert client.get(page("columns")).status_code == 200


if __name__ == "__main__":
    main()
