"""Nothing leaves or enters that was not declared, and nobody takes or brings it without a right."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.checks import Error
from django.core.files.uploadedfile import SimpleUploadedFile
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget

from backoffice.accounts.models import Role, User
from backoffice.audit.secrecy import hidden_fields
from backoffice.exchange import checks
from backoffice.exchange.admin import ExchangeAdmin
from backoffice.exchange.exporting import export_rows
from backoffice.exchange.models import ImportJob
from backoffice.exchange.resources import Resource, get_resource, resource_names
from inventory.models import Product, ProductImage, Tag
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product
from tests.personas import Persona, make_user

from .pages import export_form

KEEPERS = {Persona.ADMINISTRATOR, Persona.CATALOGUE_MANAGER}


def declared(model: Any, **more: Any) -> type[Resource]:
    options = {
        "model": model,
        "fields": ("id",),
        "import_id_fields": ("id",),
        **more.pop("meta", {}),
    }
    return type(
        "Planted", (Resource,), {"name": "planted", "Meta": type("Meta", (), options), **more}
    )


def found(resource: type[Resource], monkeypatch: pytest.MonkeyPatch) -> set[str | None]:
    monkeypatch.setattr(checks, "registered", lambda: [resource])
    errors = checks.resources_give_no_secrets_away()
    assert all(isinstance(error, Error) and error.hint for error in errors)
    return {error.id for error in errors}


def test_nothing_is_wrong_with_what_there_is() -> None:
    assert checks.resources_give_no_secrets_away() == []
    assert checks.files_need_a_right_of_their_own() == []


@pytest.mark.parametrize("model", [User, Role, Group, Permission, Session, User.groups.through])
def test_people_rights_and_sessions_are_no_resource(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "exchange.E002" in found(declared(model), monkeypatch)


def test_a_resource_names_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = declared(Product, meta={"fields": None})
    assert "exchange.E001" in found(planted, monkeypatch)
    assert found(declared(Product), monkeypatch) == set()


def test_a_model_needs_rights_to_import_and_export(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(declared(ProductImage), monkeypatch) == {"exchange.E003"}
    assert found(declared(Tag), monkeypatch) == set()


@pytest.mark.parametrize(("field", "ids"), [("password", {"exchange.E005"}), ("email", set())])
def test_a_column_shows_nothing_of_people_but_how_they_sign_in(
    field: str, ids: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    column = Field(attribute="created_by", widget=ForeignKeyWidget(User, field))
    planted = declared(Product, meta={"fields": ("id", "created_by")}, created_by=column)
    assert found(planted, monkeypatch) == ids


@pytest.mark.parametrize("name", ["IMPORT", "EXPORT"])
@pytest.mark.parametrize("value", [None, "view"])
def test_the_settings_that_ask_for_a_right_are_needed(
    name: str, value: str | None, settings: Any
) -> None:
    setattr(settings, f"IMPORT_EXPORT_{name}_PERMISSION_CODE", value)
    assert [error.id for error in checks.files_need_a_right_of_their_own()] == ["exchange.E004"]


# Every resource, every role


def admin_of(resource: str) -> Any:
    found = admin.site.get_model_admin(get_resource(resource).model())
    assert isinstance(found, ExchangeAdmin)
    assert found.exchange_resource == resource
    return found


def pages_of(resource: str) -> dict[str, str]:
    options = get_resource(resource).model()._meta
    base = f"{options.app_label}_{options.model_name}"
    return {name: page(f"{base}_{name}") for name in ("import", "export", "changelist")} | {
        "template": page(f"{base}_template_file", "csv")
    }


def test_no_list_has_import_or_export_without_a_resource() -> None:
    registry: dict[Any, Any] = {**admin.site._registry}
    for model, model_admin in registry.items():
        if getattr(model_admin, "exchange_resource", ""):
            assert get_resource(model_admin.exchange_resource).model() is model
        elif isinstance(model_admin, ExchangeAdmin):
            names = {str(pattern.name) for pattern in model_admin.get_urls()}
            base = f"{model._meta.app_label}_{model._meta.model_name}"
            files = {f"{base}_{n}" for n in ("import", "export", "process_import", "template_file")}
            assert names & files == set(), model


@pytest.mark.django_db
@pytest.mark.parametrize("persona", [*Persona])
@pytest.mark.parametrize("resource", resource_names())
def test_files_come_and_go_with_the_right_only(resource: str, persona: Persona) -> None:
    admin_of(resource)
    make_product()
    client, addresses = signed_in(make_user(persona)), pages_of(resource)
    expected = 200 if persona in KEEPERS else 403
    for name in ("import", "export", "template"):
        assert client.get(addresses[name]).status_code == expected, name
    upload = {"file": SimpleUploadedFile("f.csv", b"x,y\n1,2\n")}
    response = client.post(addresses["import"], upload)
    assert response.status_code in ({200, 302} if persona in KEEPERS else {403})
    assert ImportJob.objects.exists() is (persona in KEEPERS)
    sent = {"do": "export", "file_format": "csv"}
    if persona in KEEPERS:
        sent = export_form(client.get(addresses["export"]))
    response = client.post(addresses["export"], sent)
    assert response.streaming is (persona in KEEPERS)
    if response.streaming:
        response.getvalue()
    actions = client.get(addresses["changelist"]).content.decode()
    assert ("export_selected" in actions) is (persona in KEEPERS)


@pytest.mark.django_db
@pytest.mark.parametrize("persona", [*Persona])
@pytest.mark.parametrize("resource", resource_names())
def test_hidden_columns_neither_leave_nor_enter(resource: str, persona: Persona) -> None:
    user, declared_one = make_user(persona), get_resource(resource)
    hidden = hidden_fields(declared_one.model(), user)
    rows = declared_one.model()._default_manager.all()
    content = b"".join(export_rows(declared_one, rows, user=user)).decode("utf-8-sig")
    header = content.splitlines()[0].split(",")
    assert set(header) & hidden == set()
    named = b"".join(export_rows(declared_one, rows, user=user, columns=[*hidden, header[0]]))
    assert named.decode("utf-8-sig").splitlines()[0] == header[0]
