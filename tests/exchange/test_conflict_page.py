"""The page of an import lets each cell in conflict be chosen."""

import pytest
from django.test import Client

from backoffice.accounts.models import User
from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product

from .pages import text_of, the_page, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


@pytest.fixture
def job(manager: Client) -> ImportJob:
    """Two products, of which both names and one price were changed since, and in the file."""
    for sku in "AB":
        make_product(sku=sku, name="as it was", price=1)
    correction = audit_context(
        source=Source.SHELL, action="correction", actor_name="Ada Admin", reason="A slip"
    )
    with correction:
        Product.objects.update(name="corrected")
        Product.objects.filter(sku="A").update(price=5)
    upload(manager, "sku,name,price,version\nA,of the file,2,1\nB,of the file,1,1\n")
    return ImportJob.objects.get()


def names() -> list[str]:
    return list(Product.objects.order_by("sku").values_list("name", flat=True))


def send(client: Client, job: ImportJob, **said: str) -> str:
    sent = {"plan": ImportJob.objects.get().summary["plan"], "place": "status=conflict"} | said
    response = client.post(page("exchange_importjob_resolve", job.pk), sent)
    assert response["Location"].endswith("?status=conflict#rows")
    return text_of(the_page(client, job))


CELLS = {"cell_1_name": "", "cell_1_price": "", "cell_2_name": ""}


def test_each_cell_says_who_changed_it_and_what_it_is_now_and_in_the_file(
    manager: Client, job: ImportJob
) -> None:
    text = text_of(the_page(manager, job))
    assert "These cells were changed since the export, and in the file too" in text
    assert "Name corrected of the file Ada Admin:" in text
    assert "Price 5.00 2.00 Ada Admin:" in text


def test_a_cell_is_chosen_and_written(manager: Client, job: ImportJob) -> None:
    send(manager, job, **CELLS | {"cell_1_name": "file", "cell_1_price": "theirs"})
    assert ImportJob.objects.get().conflicts == 1
    plan = ImportJob.objects.get().summary["plan"]
    sent = {"reason": "Names of March", "conflicts": "leave", "plan": plan}
    manager.post(page("exchange_importjob_apply", job.pk), sent)
    assert names() == ["of the file", "corrected"]
    assert Product.objects.get(sku="A").price == 5


def test_choices_that_were_not_checked_are_not_lost_by_applying(
    manager: Client, job: ImportJob
) -> None:
    plan = ImportJob.objects.get().summary["plan"]
    sent = CELLS | {"cell_1_name": "file", "reason": "x", "conflicts": "leave", "plan": plan}
    response = manager.post(page("exchange_importjob_apply", job.pk), sent, follow=True)
    assert "What you chose for single cells was taken up." in text_of(response)
    assert names() == ["corrected", "corrected"]
    assert ImportJob.objects.get().conflict_choices["1"]["cells"] == {"name": "file"}
    sent["plan"] = ImportJob.objects.get().summary["plan"]
    manager.post(page("exchange_importjob_apply", job.pk), sent)
    assert ImportJob.objects.get().state == ImportJob.State.APPLIED
    assert names() == ["corrected", "corrected"]  # the price of A is still in conflict


def test_a_whole_row_is_chosen_by_one_button(manager: Client, job: ImportJob) -> None:
    send(manager, job, **CELLS, row="1:theirs")
    job = ImportJob.objects.get()
    assert job.conflict_choices["1"]["cells"] == {"name": "theirs", "price": "theirs"}
    assert (job.unchanged, job.conflicts) == (1, 1)


def test_all_of_the_page_are_chosen_by_one_button(manager: Client, job: ImportJob) -> None:
    send(manager, job, **CELLS, all="file")
    assert (ImportJob.objects.get().changed, ImportJob.objects.get().conflicts) == (2, 0)


def test_on_a_preview_that_is_no_more_nothing_is_chosen(manager: Client, job: ImportJob) -> None:
    text = send(manager, job, **CELLS, all="file", plan="another")
    assert "The preview was made anew meanwhile. Look at it and choose again." in text
    assert ImportJob.objects.get().conflict_choices == {}


def test_nobody_else_chooses(outsider: User, auditor: User, job: ImportJob) -> None:
    for user in (outsider, auditor):
        client = signed_in(user)
        sent = {**CELLS, "all": "file", "plan": job.summary["plan"]}
        assert client.post(page("exchange_importjob_resolve", job.pk), sent).status_code == 403
    assert "keep what is there now" not in text_of(the_page(client, job))
    assert ImportJob.objects.get().conflict_choices == {}


def test_what_was_typed_stays_when_the_preview_is_made_anew(
    manager: Client, job: ImportJob
) -> None:
    answers = {"reason": "Names of March", "conflicts": "overwrite"}
    send(manager, job, **CELLS | {"cell_2_name": "theirs"}, **answers)
    form = the_page(manager, job).context["apply_form"]
    assert (form["reason"].value(), form["conflicts"].value()) == ("Names of March", "overwrite")
    with audit_context(source=Source.SHELL, action="later", reason="A slip"):
        Product.objects.filter(sku="A").update(name="corrected twice")
    plan = ImportJob.objects.get().summary["plan"]
    sent = {"reason": "Names of April", "conflicts": "leave", "plan": plan}
    in_german = {"Accept-Language": "de"}
    manager.post(page("exchange_importjob_again", job.pk), sent, headers=in_german)
    form = the_page(manager, job).context["apply_form"]
    assert (form["reason"].value(), form["conflicts"].value()) == ("Names of April", "leave")
    # The record has one language.
    assert ChangeSet.objects.filter(action=f"Answers about {job.file_name} kept").count() == 2
    # The plan that was looked at is no more: nothing is written, and nothing is forgotten.
    sent = {"reason": "Names of May", "conflicts": "overwrite", "plan": plan}
    manager.post(page("exchange_importjob_apply", job.pk), sent)
    form = the_page(manager, job).context["apply_form"]
    assert (form["reason"].value(), form["conflicts"].value()) == ("Names of May", "overwrite")
    assert names() == ["corrected twice", "corrected"]
