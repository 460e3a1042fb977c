"""What each role may do, exactly."""

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission

from backoffice.accounts.access import grantable_roles, rights_of
from backoffice.accounts.models import User
from backoffice.accounts.roles import RoleName

CATALOGUE_VIEWS = {
    f"inventory.view_{model}"
    for model in ("category", "discount", "product", "productimage", "producttag", "tag")
}


def permissions_of(role: RoleName) -> set[str]:
    return {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in Group.objects.get(name=role.value).permissions.select_related(
            "content_type"
        )
    }


def apps_of_the_project() -> set[str]:
    return {
        config.label
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in settings.AUDITED_PACKAGES
    }


def all_of(app_label: str) -> set[str]:
    return {
        f"{app_label}.{codename}"
        for codename in Permission.objects.filter(content_type__app_label=app_label).values_list(
            "codename", flat=True
        )
    }


def test_there_are_five_roles(db: None) -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {
        "Administrator",
        "Catalogue manager",
        "Warehouse",
        "Order desk",
        "Auditor",
    }


def test_the_auditor_sees_every_model_of_the_project_and_only_writes_notes(db: None) -> None:
    views = {
        f"{model._meta.app_label}.view_{model._meta.model_name}"
        for model in apps.get_models()
        if model._meta.app_label in apps_of_the_project()
        and "view" in model._meta.default_permissions
    }
    assert permissions_of(RoleName.AUDITOR) == views | {
        "auth.view_group",
        "auth.view_permission",
        "inventory.view_cost",
        "audit.add_note",
    }


def test_the_administrator_holds_every_permission_of_the_project(db: None) -> None:
    everything = set().union(*(all_of(label) for label in apps_of_the_project()))
    assert permissions_of(RoleName.ADMINISTRATOR) == everything | all_of("auth")


def test_the_administrator_can_give_every_role(administrator: User) -> None:
    assert set(grantable_roles(administrator)) == set(Group.objects.all())


def test_warehouse_and_order_desk_look_at_the_catalogue(db: None) -> None:
    assert permissions_of(RoleName.WAREHOUSE) == CATALOGUE_VIEWS
    assert permissions_of(RoleName.ORDER_DESK) == CATALOGUE_VIEWS


def test_the_catalogue_manager_keeps_the_catalogue_and_has_no_part_in_people(db: None) -> None:
    held = permissions_of(RoleName.CATALOGUE_MANAGER)
    assert held >= all_of("inventory")
    assert not held & (all_of("accounts") | all_of("auth"))
    assert held & all_of("audit") == {"audit.undo_changeset", "audit.add_note"}


def test_a_user_without_a_role_holds_nothing(outsider: User) -> None:
    assert rights_of(outsider) == frozenset()


def test_rights_count_while_a_user_is_deactivated(administrator: User) -> None:
    before = rights_of(administrator)
    administrator.is_active = False
    administrator.save()
    assert rights_of(administrator) == before
    assert before
