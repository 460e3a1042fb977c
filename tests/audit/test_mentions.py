"""People named in notes: who is offered, who is told, and how the timeline shows it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from backoffice.accounts.models import Notification, User
from backoffice.accounts.notifications.sending import send_mails
from backoffice.accounts.roles import RoleName
from backoffice.audit.models import ChangeSet
from backoffice.exchange.models import ImportJob
from inventory.models import Product
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def product() -> Product:
    return make_product(name="Secret pot")


@pytest.fixture
def client(catalogue_manager: User) -> Client:
    return signed_in(catalogue_manager)


def note(client: Client, obj: Any, text: str) -> Any:
    options = obj._meta
    return client.post(
        page(f"{options.app_label}_{options.model_name}_note", obj.pk), {"text": text}
    )


def told() -> set[str]:
    return {each.user.email for each in Notification.objects.select_related("user")}


def offered(client: Client, obj: Any, term: str) -> list[str]:
    options = obj._meta
    address = page(f"{options.app_label}_{options.model_name}_people", obj.pk)
    return [each["handle"] for each in client.get(address, {"q": term}).json()["people"]]


def shown(client: Client, obj: Product) -> str:
    return str(client.get(page("inventory_product_timeline", obj.pk)).text)


@pytest.mark.parametrize(
    "called",
    ["@Aude", "@aude", "@Aude Auditor", "@aude@stockbook.test", "(@Aude)", "Ask @Aude, please"],
)
def test_who_is_named_is_told_and_marked(
    client: Client, product: Product, auditor: User, called: str
) -> None:
    response = note(client, product, called)
    assert said(response) == ["The note is on the record."]
    notification = Notification.objects.get()
    assert (notification.user, notification.kind) == (auditor, "mention")
    assert '<mark class="audit-mention">@' in shown(client, product)
    words = signed_in(auditor).get(page("notifications")).context["words"][0]
    assert words.text == (f"Carla Catalogue mentioned you in a note on product “{product}”.")
    assert words.details == called
    assert words.link == page("inventory_product_history", product.pk)
    send_mails.call()
    assert mail.outbox[0].to == [auditor.email]


def test_who_may_not_see_it_is_neither_offered_nor_told_nor_marked(
    client: Client, product: Product, warehouse: User, outsider: User, auditor: User
) -> None:
    """The warehouse sees products, but not their history, in which notes stand."""
    response = note(client, product, "@Walt @otto@stockbook.test @nobody@stockbook.test look")
    # The same words for one who may not see it as for nobody.
    assert said(response)[-1].startswith(
        "Nobody was told of @Walt, @otto@stockbook.test and @nobody@stockbook.test:"
    )
    assert told() == set()
    assert "audit-mention" not in shown(client, product)
    assert [offered(client, product, term) for term in ("walt", "otto", "w", "o")] == [[]] * 4
    send_mails.call()
    assert mail.outbox == []


def test_rights_in_one_object_are_asked_and_not_only_those_in_its_model(
    administrator: User, catalogue_manager: User, auditor: User
) -> None:
    job = ImportJob.objects.create(
        resource="products", user=administrator, file_name="a.csv", size=1
    )
    role = catalogue_manager.groups.get()
    assert role.name == RoleName.CATALOGUE_MANAGER
    role.permissions.add(Permission.objects.get(codename="view_historicalimportjob"))
    root = signed_in(administrator)
    note(root, job, "@Carla and @Aude")
    assert told() == {auditor.email}
    assert offered(root, job, "carla") == []


def test_two_of_one_name_are_told_apart_by_their_addresses(
    client: Client, product: Product, auditor: User
) -> None:
    other = User.objects.create_user(
        "second@stockbook.test", "x", first_name="Aude", last_name="Auditor", is_staff=True
    )
    other.groups.set(auditor.groups.all())
    response = note(client, product, "@Aude Auditor?")
    assert "Nobody was told of @Aude" in said(response)[-1]
    assert told() == set()
    assert offered(client, product, "aude") == ["@aude@stockbook.test", "@second@stockbook.test"]
    note(client, product, "@second@stockbook.test!")
    assert told() == {"second@stockbook.test"}


def test_the_list_finds_by_the_start_of_each_name(
    client: Client, product: Product, auditor: User, administrator: User
) -> None:
    assert offered(client, product, "a") == ["@Ada Admin", "@Aude Auditor"]
    assert offered(client, product, "aud") == ["@Aude Auditor"]
    assert offered(client, product, "aude audi") == ["@Aude Auditor"]
    assert offered(client, product, "udit") == []
    assert offered(client, product, "") == ["@Ada Admin", "@Aude Auditor", "@Carla Catalogue"]


def test_the_list_is_for_those_who_may_write_notes(
    product: Product, warehouse: User, client: Client
) -> None:
    address = page("inventory_product_people", product.pk)
    assert signed_in(warehouse).get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_nobody_is_told_of_their_own_note_nor_twice(
    client: Client, product: Product, auditor: User
) -> None:
    note(client, product, "@Carla @Aude @Aude Auditor @aude@stockbook.test")
    assert told() == {auditor.email}
    assert Notification.objects.count() == 1


def test_no_markup_in_a_note_or_a_name_is_ever_markup(
    client: Client, product: Product, auditor: User
) -> None:
    auditor.first_name = "<img src=x onerror=alert(1)>"
    auditor.last_name = ""
    auditor.save()
    text = "@<img src=x onerror=alert(1)> <script>alert(2)</script> @aude@stockbook.test<b>"
    note(client, product, text)
    html = shown(client, product)
    assert "<img" not in html
    assert "<script>alert" not in html
    assert '<mark class="audit-mention">@aude@stockbook.test</mark>&lt;b&gt;' in html
    listed = signed_in(auditor).get(page("notifications")).text
    assert "<script>alert" not in listed


def test_who_left_stays_named(
    client: Client, product: Product, auditor: User, administrator: User
) -> None:
    note(client, product, "@Aude Auditor knows")
    auditor.delete()
    assert '<mark class="audit-mention">@Aude Auditor</mark> knows' in shown(client, product)
    entry = ChangeSet.objects.get(kind=ChangeSet.Kind.NOTE)
    assert entry.facts == {"mentions": {"@Aude Auditor": "Aude Auditor <aude@stockbook.test>"}}
    change_set = signed_in(administrator).get(page("audit_changeset_change", entry.pk)).text
    assert "Aude Auditor &lt;aude@stockbook.test&gt;" in change_set


def test_who_lost_the_right_gets_no_name_by_mail(
    client: Client, product: Product, auditor: User
) -> None:
    note(client, product, "@Aude: the cost is 4")
    auditor.groups.clear()
    send_mails.call()
    (message,) = mail.outbox
    assert "pot" not in f"{message.subject} {message.body}"
    assert "cost" not in f"{message.subject} {message.body}"


def test_what_is_no_mention_is_left_alone(client: Client, product: Product, auditor: User) -> None:
    response = note(client, product, "mail to x@aude.example, 3 @ 5.00, @ Aude, @@Aude")
    assert said(response) == ["The note is on the record."]
    assert told() == set()
    note(client, product, "@Audette is somebody else")
    assert told() == set()


def test_the_part_in_the_form_says_so_too(client: Client, product: Product) -> None:
    answer = client.post(
        page("inventory_product_note", product.pk),
        {"text": "@Nobody"}, headers={"HX-Request": "true"},
    )  # fmt: skip
    assert "Nobody was told of @Nobody:" in answer.text
    assert f'data-people="{page("inventory_product_people", product.pk)}"' in answer.text
