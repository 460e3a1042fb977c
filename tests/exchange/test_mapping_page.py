"""The form of a file's columns on the page of its import."""

import json
from typing import Any

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.exchange.models import ImportJob, ImportProfile
from tests.console.pages import page, signed_in

from .files import bring
from .pages import text_of, the_page, upload

pytestmark = pytest.mark.django_db

FILE = "Ref,What,Amount,Labels\nA-1,Cup,2.50,red|blue\n"
COLUMNS = {"column_0": "sku", "column_1": "name", "column_2": "price", "column_3": "tags"}


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.fixture
def job(catalogue_manager: User) -> ImportJob:
    return bring(FILE, user=catalogue_manager)


def post(client: Client, job: ImportJob, view: str = "map", **said: Any) -> Any:
    return client.post(page(f"exchange_importjob_{view}", job.pk), {**COLUMNS, **said})


def test_steps_constants_and_settings_are_sent_as_lists(client: Client, job: ImportJob) -> None:
    response = post(
        client, job,
        kind_2=["multiply", "", "round"], first_2=["1.19", "gone", "2"], second_2=["", "", ""],
        kind_3=["split"], first_3=["|"], second_3=[""],
        constant_field=["brand", "", "tax_class"], constant_value=["Contoso", "x", "reduced"],
        blank_cells="clear", creates_category="no", lookup_variant_of="slug",
        deactivate_missing="on", scope_brand=" Contoso ",
    )  # fmt: skip
    assert response.status_code == 302
    job.refresh_from_db()
    assert job.mapping == {"sku": 0, "name": 1, "price": 2, "tags": 3}
    assert job.transformations == {
        "price": [
            {"kind": "multiply", "first": "1.19", "second": ""},
            {"kind": "round", "first": "2", "second": ""},
        ],
        "tags": [{"kind": "split", "first": "|", "second": ""}],
    }
    assert job.constants == {"brand": "Contoso", "tax_class": "reduced"}
    assert (job.blank_cells, job.creates, job.lookups) == (
        "clear", ["tags"], {"variant_of": "slug"},
    )  # fmt: skip
    assert (job.deactivate_missing, job.deactivate_scope) == (True, {"brand": "Contoso"})
    html = the_page(client, job).content.decode()
    for shown in ('value="multiply" data-first="Factor, such as 1.19" data-second="" selected',
                  ">1.19</textarea>", 'value="Contoso"', 'value="slug" selected'):  # fmt: skip
        assert shown in html


def test_what_is_wrong_is_said_beside_the_column_and_nothing_typed_is_lost(
    client: Client, job: ImportJob
) -> None:
    response = post(
        client, job, kind_2="multiply", first_2="a lot", second_2="",
        constant_field="brand", constant_value="Contoso",
    )  # fmt: skip
    assert "“alot” is not a number to multiply by" in text_of(response)
    html = response.content.decode()
    assert ">a lot</textarea>" in html
    assert 'value="Contoso"' in html
    job.refresh_from_db()
    assert (job.mapping, job.constants) == ({}, {})


def test_a_doubled_target_is_refused_by_the_server_too(client: Client, job: ImportJob) -> None:
    response = post(client, job, column_3="name")
    assert "More than one column goes to “Name”. Choose one of them." in text_of(response)
    response = post(client, job, constant_field="name", constant_value="x")
    assert "“Name” is fed by a column and by a value for every row." in text_of(response)


def test_the_page_knows_what_is_required(client: Client, job: ImportJob) -> None:
    html = the_page(client, job).content.decode()
    start = html.index(">", html.index('id="exchange-demands"')) + 1
    demands = json.loads(html[start : html.index("</script>", start)])
    assert (demands["key"], demands["needed"]) == ("sku", ["name", "price"])
    assert demands["labels"]["version"] == "Version (only compared)"
    assert "exchange/mapping.js" in html


def test_a_guess_is_marked_and_not_imported(client: Client, catalogue_manager: User) -> None:
    job = bring(
        "sku,name,price,x\nA,a,1,4006381333931\nB,b,1,036000291452\n", user=catalogue_manager
    )
    assert "guessed" in text_of(the_page(client, job))
    assert "barcode" not in job.mapping


def test_choices_are_saved_as_a_profile_and_used_for_the_next_file(
    client: Client, job: ImportJob, catalogue_manager: User
) -> None:
    response = post(
        client, job, "profile", profile_name="Contoso", profile_shared="on",
        constant_field="brand", constant_value="Contoso",
    )  # fmt: skip
    assert response.status_code == 302
    profile = ImportProfile.objects.get()
    assert (profile.name, profile.is_shared, profile.user) == ("Contoso", True, catalogue_manager)
    other = bring(FILE, user=catalogue_manager)
    text = text_of(the_page(client, other))
    assert "The choices are those of the profile “Contoso”. Look at them, or change them" in text
    client.post(page("exchange_importjob_forget", other.pk))
    other.refresh_from_db()
    assert (other.profile, other.constants, other.state) == (None, {}, ImportJob.State.UPLOADED)


def test_a_profile_without_a_name_keeps_nothing(client: Client, job: ImportJob) -> None:
    assert "Name the profile" in text_of(post(client, job, "profile", profile_name=" "))
    job.refresh_from_db()
    assert (ImportProfile.objects.count(), job.mapping) == (0, {})


def test_profiles_are_kept_by_those_who_may(
    job: ImportJob, catalogue_manager: User, administrator: User
) -> None:
    assert post(signed_in(administrator), job, "profile", profile_name="x").status_code == 403
    for group in catalogue_manager.groups.all():
        group.permissions.remove(*group.permissions.filter(codename="add_importprofile"))
    client = signed_in(User.objects.get(pk=catalogue_manager.pk))
    assert "save as profile" not in text_of(the_page(client, job))
    assert post(client, job, "profile", profile_name="x").status_code == 403
    assert client.get(page("exchange_importjob_forget", job.pk)).status_code == 404
    assert ImportProfile.objects.count() == 0


def test_profiles_are_listed_renamed_and_deleted(
    client: Client, job: ImportJob, administrator: User
) -> None:
    post(client, job, "profile", profile_name="Contoso", constant_field="brand",
         constant_value="Contoso", kind_2="multiply", first_2="2", second_2="")  # fmt: skip
    profile = ImportProfile.objects.get()
    address = page("exchange_importprofile_change", profile.pk)
    text = text_of(client.get(address))
    assert "Ref → sku" in text
    assert "every row gets brand: Contoso price: multiply by 2" in text
    other = signed_in(administrator)
    assert other.post(address, {"name": "stolen"}).status_code == 403
    response = client.post(address, {"name": "Contoso Ltd", "is_shared": "on"})
    assert response.status_code == 302, text_of(response)
    profile.refresh_from_db()
    assert (profile.name, profile.choices["constants"]) == ("Contoso Ltd", {"brand": "Contoso"})
    assert other.post(
        page("exchange_importprofile_delete", profile.pk), {"post": "yes", "reason": "x"}
    ).status_code == 302  # fmt: skip
    assert ImportProfile.objects.count() == 0


@pytest.mark.parametrize("view", ["map", "profile", "forget"])
def test_many_rows_are_planned_by_a_worker(
    client: Client, job: ImportJob, settings: Any, view: str
) -> None:
    settings.EXCHANGE_BACKGROUND_ROWS = 0
    assert post(client, job, view, profile_name="Contoso").status_code == 302
    job.refresh_from_db()
    assert job.state == ImportJob.State.READING


def test_the_step_that_turns_a_column_is_offered_with_it(client: Client) -> None:
    upload(client, "sku,name,price,Discontinued\nA,a,1,1\n")
    form = the_page(client, ImportJob.objects.get()).context["mapping_form"]
    *_others, column = form.columns()
    assert (column.field.value(), column.is_opposite) == ("is_active", True)
    assert [step["kind"] for step in column.steps] == ["opposite"]
