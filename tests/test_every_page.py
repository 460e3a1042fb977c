"""Every page of the admin under every role, and as nobody.

The table says who gets in; everyone else gets 403, or 404 where even knowing that a thing is there
would be too much. A page that is in no row of the table fails the last test.
"""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from backoffice.accounts.models import Role, User
from backoffice.audit.models import ChangeSet
from backoffice.exchange.admin.export_tasks import write_now
from backoffice.exchange.exporting.jobs import make_job
from backoffice.exchange.models import ImportFeed, ImportJob, ImportProfile
from backoffice.exchange.services import start_import
from inventory.models import Category, Discount, Product, Tag
from tests.personas import Persona, make_user

A, C, W, O, U = (  # noqa: E741 - one letter a persona keeps the table readable
    Persona.ADMINISTRATOR,
    Persona.CATALOGUE_MANAGER,
    Persona.WAREHOUSE,
    Persona.ORDER_DESK,
    Persona.AUDITOR,
)
EVERYONE = {*Persona}
READERS = {A, C, W, O, U}
KEEPERS = {A, C}
HISTORIANS = {A, C, U}
RECORD = {A, U}
PEOPLE = {A, U}

# Page: who gets in. The part in brackets is the object that the page is of.
PAGES: dict[str, set[Persona]] = {
    "index": EVERYONE,
    "password_change": EVERYONE,
    "inventory_product_changelist": READERS,
    "inventory_product_add": KEEPERS,
    "inventory_product_columns": READERS,
    "inventory_product_change[product]": READERS,
    "inventory_product_delete[product]": KEEPERS,
    "inventory_product_history[product]": HISTORIANS,
    "inventory_product_timeline[product]": HISTORIANS,
    "inventory_product_as_of[product]": HISTORIANS,
    "inventory_product_as_of_list": HISTORIANS,
    "inventory_product_deleted_list": HISTORIANS,
    "inventory_product_import": KEEPERS,
    "inventory_product_export": KEEPERS,
    "inventory_category_changelist": READERS,
    "inventory_category_add": KEEPERS,
    "inventory_category_columns": READERS,
    "inventory_category_change[category]": READERS,
    "inventory_category_delete[category]": KEEPERS,
    "inventory_category_history[category]": HISTORIANS,
    "inventory_category_timeline[category]": HISTORIANS,
    "inventory_category_as_of[category]": HISTORIANS,
    "inventory_category_as_of_list": HISTORIANS,
    "inventory_category_import": KEEPERS,
    "inventory_category_export": KEEPERS,
    "inventory_category_deleted_list": HISTORIANS,
    "inventory_tag_changelist": READERS,
    "inventory_tag_add": KEEPERS,
    "inventory_tag_columns": READERS,
    "inventory_tag_change[tag]": READERS,
    "inventory_tag_delete[tag]": KEEPERS,
    "inventory_tag_history[tag]": HISTORIANS,
    "inventory_tag_timeline[tag]": HISTORIANS,
    "inventory_tag_as_of[tag]": HISTORIANS,
    "inventory_tag_as_of_list": HISTORIANS,
    "inventory_tag_import": KEEPERS,
    "inventory_tag_export": KEEPERS,
    "inventory_tag_deleted_list": HISTORIANS,
    "inventory_discount_changelist": READERS,
    "inventory_discount_add": KEEPERS,
    "inventory_discount_change[discount]": READERS,
    "inventory_discount_delete[discount]": KEEPERS,
    "inventory_discount_history[discount]": HISTORIANS,
    "inventory_discount_timeline[discount]": HISTORIANS,
    "inventory_discount_as_of[discount]": HISTORIANS,
    "inventory_discount_as_of_list": HISTORIANS,
    "inventory_discount_import": KEEPERS,
    "inventory_discount_export": KEEPERS,
    "inventory_discount_deleted_list": HISTORIANS,
    "audit_changeset_changelist": RECORD,
    "audit_changeset_change[change_set]": RECORD,
    # Of a change to the catalogue; its manager sees none of one to people.
    "audit_changeset_undo[change_set]": KEEPERS,
    "audit_seal_changelist": RECORD,
    "exchange_importjob_changelist": {A, C, U},
    # Carla's own; administrators and auditors see every job.
    "exchange_importjob_change[job]": {A, C, U},
    "exchange_importjob_file[job]": {A, C, U},
    "exchange_importjob_history[job]": RECORD,
    "exchange_importjob_timeline[job]": RECORD,
    "exchange_importjob_as_of[job]": RECORD,
    "exchange_importjob_as_of_list": RECORD,
    "exchange_importjob_progress[job]": {A, C, U},
    "exchange_importprofile_changelist": {A, C, U},
    "exchange_importprofile_change[profile]": {A, C, U},
    "exchange_importprofile_delete[profile]": KEEPERS,
    "exchange_importprofile_history[profile]": RECORD,
    "exchange_importprofile_timeline[profile]": RECORD,
    "exchange_importprofile_as_of[profile]": RECORD,
    "exchange_importprofile_as_of_list": RECORD,
    "exchange_importprofile_deleted_list": RECORD,
    "exchange_importfeed_changelist": {A, C, U},
    "exchange_importfeed_add": KEEPERS,
    "exchange_importfeed_change[feed]": {A, C, U},
    "exchange_importfeed_delete[feed]": KEEPERS,
    "exchange_importfeed_history[feed]": RECORD,
    "exchange_importfeed_timeline[feed]": RECORD,
    "exchange_importfeed_as_of[feed]": RECORD,
    "exchange_importfeed_as_of_list": RECORD,
    "exchange_importfeed_deleted_list": RECORD,
    "exchange_exportjob_changelist": {A, C, U},
    # Carla's own: others see at most that it was made, and none but her gets the file.
    "exchange_exportjob_change[export]": {A, C, U},
    "exchange_exportjob_file[export]": {C},
    # Nobody deletes imports.
    "exchange_importjob_deleted_list": set(),
    "accounts_user_changelist": PEOPLE,
    "accounts_user_add": {A},
    "accounts_user_change[person]": PEOPLE,
    "accounts_user_delete[person]": {A},
    "accounts_user_history[person]": RECORD,
    "accounts_user_timeline[person]": RECORD,
    "accounts_user_as_of[person]": RECORD,
    "accounts_user_as_of_list": RECORD,
    "accounts_user_deleted_list": RECORD,
    "auth_user_password_change[person]": {A},
    "accounts_role_changelist": PEOPLE,
    "accounts_role_add": {A},
    "accounts_role_change[role]": PEOPLE,
    "accounts_role_delete[role]": {A},
    "accounts_role_history[role]": RECORD,
    "accounts_role_timeline[role]": RECORD,
    "accounts_role_as_of[role]": RECORD,
    "accounts_role_as_of_list": RECORD,
    "accounts_role_deleted_list": RECORD,
}

# Addresses that are no page to look at: redirects, fragments, and what takes POST only.
NO_PAGES = {
    "app_list", "autocomplete", "jsi18n", "login", "logout", "password_change_done", "search",
    "view_on_site", "audit_changeset_export", "audit_changeset_add", "audit_changeset_delete",
    "audit_changeset_history",
    "audit_changeset_restore", "audit_changeset_revert", "accounts_role_note", "accounts_user_note",
    "exchange_importjob_note", "inventory_category_note", "inventory_discount_note",
    "inventory_product_note", "inventory_tag_note", "exchange_importprofile_note",
    "exchange_importfeed_note",
    "exchange_importjob_add", "exchange_importjob_delete", "exchange_importjob_map",
    "exchange_importjob_again", "exchange_importjob_resolve", "exchange_importjob_read",
    "exchange_importjob_apply",
    "exchange_importjob_discard",
    "exchange_importjob_cancel", "exchange_importjob_resume", "exchange_importjob_here",
    "exchange_importfeed_run", "exchange_importprofile_add", "exchange_importjob_profile",
    "exchange_importjob_forget",
    "exchange_importjob_rate",
    "exchange_importjob_errors", "exchange_importjob_format",
    # Files; tests/exchange/test_door_one.py has them under every role.
    *(f"inventory_{model}_template_file" for model in ("product", "category", "tag", "discount")),
    "exchange_exportjob_add", "exchange_exportjob_delete", "exchange_exportjob_now",
    "exchange_exportjob_again",
}  # fmt: skip
NO_PAGES |= {
    f"{options.app_label}_{options.model_name}_{name}"
    for options in (model._meta for model in admin.site._registry)
    for name in ("view_save", "view_change", "view_delete", "cell", "cell_undo")
}


@pytest.fixture
def people(db: None) -> dict[Persona, User]:
    return {persona: make_user(persona) for persona in Persona}


@pytest.fixture
def objects(people: dict[Persona, User], tmp_path: Any) -> dict[str, Any]:
    category = Category.objects.create(name="Kitchen")
    path = tmp_path / "file.csv"
    path.write_text("sku,name,price\nA-1,Kettle,24.90\n")
    with path.open("rb") as file:
        job = start_import(resource="products", file=file, file_name=path.name, user=people[C])
    export = make_job(
        user=people[C], resource="products", columns=["sku"], file_format="csv", filters={}
    )
    write_now(export.pk)
    profile = ImportProfile.objects.create(name="Contoso", resource="products", user=people[C])
    feed = ImportFeed.objects.create(
        name="Contoso prices", profile=profile, location="https://contoso.example/prices.csv",
        every="day", user=people[C], reason="Contoso's prices",
    )  # fmt: skip
    product = Product.objects.create(sku="P-1", name="Pot", price=10, category=category)
    change_set = ChangeSet.objects.first()
    assert change_set is not None
    return {
        "product": product,
        "category": Category.objects.create(name="Empty"),
        "tag": Tag.objects.create(name="new"),
        "discount": Discount.objects.create(name="Spring", value=10),
        "change_set": change_set,
        "job": job,
        "export": export,
        "feed": feed,
        "profile": ImportProfile.objects.create(
            name="Northwind", resource="products", user=people[C]
        ),
        "person": User.objects.create_user("someone@stockbook.test", "x"),
        "role": Role.objects.create(name="Helpers"),
    }


def _address(page: str, objects: dict[str, Any]) -> str:
    name, _bracket, of = page.partition("[")
    arguments = [objects[of.rstrip("]")].pk] if of else []
    return reverse(f"admin:{name}", args=arguments)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_for_those_who_may_and_for_nobody_else(
    page: str, people: dict[Persona, User], objects: dict[str, Any]
) -> None:
    address, got_in, refused = _address(page, objects), set(), {}
    for persona, user in people.items():
        client = Client()
        client.force_login(user)
        response = client.get(address)
        if response.streaming:
            response.getvalue()  # which closes the file
        if response.status_code == 200:
            got_in.add(persona)
        else:
            refused[persona] = response.status_code
    assert got_in == PAGES[page]
    assert set(refused.values()) <= {403, 404}, refused


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_asked_to_sign_in(page: str, objects: dict[str, Any]) -> None:
    response = Client().get(_address(page, objects))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_every_page_is_in_the_table(db: None) -> None:
    def names(patterns: list[URLPattern | URLResolver]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                found |= names(pattern.url_patterns)
            elif pattern.name:
                found.add(pattern.name)
        return found

    admin_urls = next(
        pattern
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver) and pattern.app_name == "admin"
    )
    listed = {page.partition("[")[0] for page in PAGES} | NO_PAGES
    assert names(admin_urls.url_patterns) - listed == set()
    assert admin.site.is_registered(ImportJob)
