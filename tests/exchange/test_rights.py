"""Who may bring files in, see them, and carry them out."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from backoffice.accounts.models import User, UserPermission
from backoffice.exchange.models import ImportJob
from inventory.models import Category, Product, Tag
from tests.console.pages import page, signed_in
from tests.inventory.factories import make_product
from tests.personas import Persona, make_user

from .files import apply, bring, counts, imported, problems

pytestmark = pytest.mark.django_db

ROW = "sku,name,price\nA,Cup,1\n"
POSTED = ("map", "apply", "discard", "again")
GOT = ("errors", "file")
UPLOAD = "/admin/inventory/product/import/"


def upload(client: Client, content: str = ROW) -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile("file.csv", content.encode())})


def somebody(*codenames: str) -> User:
    """A member of staff with these rights, and no role."""
    user = User.objects.create_user("sam@stockbook.test", is_staff=True)
    for codename in codenames:
        permission = Permission.objects.get(codename=codename)
        UserPermission.objects.create(user=user, permission=permission)
    return user


@pytest.fixture
def colleague(db: None) -> User:
    user = User.objects.create_user("carl@stockbook.test", is_staff=True)
    user.groups.set(make_user(Persona.CATALOGUE_MANAGER).groups.all())
    return user


@pytest.fixture
def job(colleague: User) -> ImportJob:
    """Somebody else's, with a row that failed."""
    return bring(ROW + "B,Mug,x\n", user=colleague)


def untouched(job: ImportJob) -> bool:
    """Whether the job still stands where it stood."""
    stored = ImportJob.objects.get(pk=job.pk)
    same = (stored.state, stored.mapping) == (ImportJob.State.CHECKED, job.mapping)
    return same and Product.objects.count() == 0


def test_an_administrator_and_a_catalogue_manager_may_import(
    administrator: User, catalogue_manager: User
) -> None:
    for number, user in enumerate((administrator, catalogue_manager), start=1):
        assert signed_in(user).get(UPLOAD).status_code == 200
        response = upload(signed_in(user))
        job = ImportJob.objects.get(user=user)
        assert response["Location"] == page("exchange_importjob_change", job.pk)
        assert ImportJob.objects.count() == number


@pytest.mark.parametrize("role", ["warehouse", "order_desk", "auditor", "outsider"])
def test_others_may_not_import(role: str, request: pytest.FixtureRequest) -> None:
    client = signed_in(request.getfixturevalue(role))
    assert client.get(UPLOAD).status_code == 403
    assert upload(client).status_code == 403
    assert ImportJob.objects.count() == 0


def test_who_is_not_signed_in_is_sent_to_sign_in(job: ImportJob) -> None:
    pages = [UPLOAD, page("exchange_importjob_changelist")]
    pages += [page(f"exchange_importjob_{name}", job.pk) for name in ("change", *POSTED, *GOT)]
    for address in pages:
        for response in (Client().get(address), Client().post(address)):
            assert response.status_code == 302
            assert response["Location"] == f"{page('login')}?next={address}"
    assert untouched(job)


@pytest.fixture
def client(colleague: User) -> Client:
    """Of another catalogue manager, who has the same rights."""
    return signed_in(User.objects.get(email="carla@stockbook.test"))


@pytest.mark.parametrize("suffix", [*POSTED, *GOT])
def test_a_job_of_somebody_else_is_not_there(suffix: str, job: ImportJob, client: Client) -> None:
    address = page(f"exchange_importjob_{suffix}", job.pk)
    data = {"reason": "x", "rows": "valid", "column_0": "name"}
    assert client.get(address).status_code == 404
    assert client.post(address, data).status_code == 404
    assert untouched(job)


def test_its_history_is_not_there_either(job: ImportJob, client: Client) -> None:
    response = client.get(page("exchange_importjob_history", job.pk), follow=True)
    assert b"file.csv" not in response.content


def test_its_page_is_404_as_if_there_were_none(job: ImportJob, client: Client) -> None:
    assert client.get(page("exchange_importjob_change", job.pk)).status_code == 404
    assert client.get(page("exchange_importjob_change", job.pk + 1)).status_code == 404
    assert b"file.csv" not in client.get(page("exchange_importjob_changelist")).content


def test_whoever_made_a_job_sees_it_in_the_list(job: ImportJob, colleague: User) -> None:
    assert b"file.csv" in signed_in(colleague).get(page("exchange_importjob_changelist")).content


@pytest.mark.parametrize("role", ["auditor", "administrator"])
def test_who_may_see_all_jobs_sees_them_and_carries_none_out(
    role: str, job: ImportJob, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(role))
    content = client.get(page("exchange_importjob_change", job.pk)).content
    assert b"file.csv" in content
    assert b'action="' + page("exchange_importjob_apply", job.pk).encode() not in content
    file: Any = client.get(page("exchange_importjob_file", job.pk))
    assert b"".join(file.streaming_content).startswith(ROW.encode())
    for name in POSTED:
        address = page(f"exchange_importjob_{name}", job.pk)
        data = {"reason": "x", "rows": "valid", "column_0": "name"}
        assert client.post(address, data).status_code == 403
    assert untouched(job)


@pytest.mark.parametrize("role", ["warehouse", "order_desk", "outsider"])
@pytest.mark.parametrize("suffix", ["change", *POSTED, *GOT])
def test_who_may_neither_import_nor_see_jobs_is_turned_away(
    role: str, suffix: str, job: ImportJob, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(role))
    address = page(f"exchange_importjob_{suffix}", job.pk)
    assert client.get(address).status_code in {403, 404}
    assert client.post(address, {"reason": "x"}).status_code in {403, 404, 405}
    assert untouched(job)


@pytest.mark.parametrize("name", POSTED)
def test_nothing_is_done_by_following_a_link(
    name: str, job: ImportJob, colleague: User, administrator: User
) -> None:
    for user in (colleague, administrator):
        client = signed_in(user)
        address = page(f"exchange_importjob_{name}", job.pk)
        for method in ("get", "head", "put", "delete", "options"):
            response = getattr(client, method)(f"{address}?reason=x&rows=valid")
            assert response.status_code in {403, 404, 405}
    assert untouched(job)


def test_a_post_without_its_token_is_refused(job: ImportJob, colleague: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(colleague)
    for name in POSTED:
        address = page(f"exchange_importjob_{name}", job.pk)
        assert client.post(address, {"reason": "x", "rows": "valid"}).status_code == 403
    assert untouched(job)


def test_jobs_are_neither_added_nor_changed_nor_deleted_by_hand(
    job: ImportJob, administrator: User
) -> None:
    client = signed_in(administrator)
    assert client.get(page("exchange_importjob_add")).status_code == 403
    assert client.post(page("exchange_importjob_add"), {}).status_code == 403
    delete = page("exchange_importjob_delete", job.pk)
    assert client.post(delete, {"post": "yes"}).status_code == 403
    change = page("exchange_importjob_change", job.pk)
    assert client.post(change, {"state": "applied", "reason": "x"}).status_code == 405
    assert untouched(job)


def test_an_importer_who_lost_the_right_carries_nothing_out(
    job: ImportJob, colleague: User
) -> None:
    role = colleague.groups.get()
    role.permissions.remove(role.permissions.get(codename="import_product"))
    client = signed_in(colleague)
    address = page("exchange_importjob_apply", job.pk)
    assert client.post(address, {"reason": "x", "rows": "valid"}).status_code == 403
    assert untouched(job)


# Rows that a person may not write


BOTH = "sku,name,price\nA,New name,1\nB,Mug,2\n"


def test_with_the_right_to_add_alone_nothing_is_changed() -> None:
    make_product(sku="A", name="Cup", price=1)
    job = bring(BOTH, user=somebody("import_product", "add_product"))
    assert problems(job) == [
        (2, "SKU", "A", "This row would change, and you may not change any. Ask for the right.")
    ]
    apply(job, valid_rows_only=True)
    assert list(Product.objects.order_by("sku").values_list("name", flat=True)) == ["Cup", "Mug"]


def test_with_the_right_to_change_alone_nothing_is_added() -> None:
    make_product(sku="A", name="Cup", price=1)
    job = bring(BOTH, user=somebody("import_product", "change_product"))
    assert problems(job) == [
        (3, "SKU", "B", "This row is new, and you may not add any. Ask for the right to add.")
    ]
    apply(job, valid_rows_only=True)
    assert list(Product.objects.values_list("name", flat=True)) == ["New name"]


def test_with_neither_right_unchanged_rows_are_fine_and_others_are_not() -> None:
    make_product(sku="A", name="Cup", price=1)
    user = somebody("import_product")
    assert counts(bring(ROW, user=user)) == (0, 0, 1, 0)
    assert counts(bring(BOTH, user=user)) == (0, 0, 0, 2)


def test_without_the_right_to_add_categories_and_tags_unknown_ones_are_refused() -> None:
    imported('sku,name,price,category,tags\nX,x,1,Home,"red"\n')
    job = bring(
        "sku,name,price,category,tags\nA,a,1,Home,RED\nB,b,1,Home > New,red\n"
        'C,c,1,home,"red,blue"\n',
        user=somebody("import_product", "add_product"),
    )
    message = "“{}” does not exist, and you may not add it. Ask for the right."
    assert problems(job) == [
        (3, "Category", "Home > New", message.format("Home > New")),
        (4, "Tags", "red,blue", message.format("red,blue")),
    ]
    apply(job, valid_rows_only=True)
    assert (Category.objects.count(), Tag.objects.count(), Product.objects.count()) == (1, 1, 2)


def test_the_upload_of_a_person_without_rights_says_so_on_the_page() -> None:
    make_product(sku="A", name="Cup", price=1)
    client = signed_in(somebody("import_product", "add_product"))
    upload(client, BOTH)
    job = ImportJob.objects.get()
    content = client.get(page("exchange_importjob_change", job.pk)).content.decode()
    assert "This row would change, and you may not change any." in content
    client.post(page("exchange_importjob_apply", job.pk), {"reason": "x", "rows": "valid"})
    assert set(Product.objects.values_list("name", flat=True)) == {"Cup", "Mug"}
