"""notify(), the e-mails that follow, and the pages on which each user finds their own."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from backoffice.accounts.models import Notification, NotificationChoice, User
from backoffice.accounts.notifications.kinds import Kind, get_kind
from backoffice.accounts.notifications.seals import SEAL_PROBLEM, tell_of_seals
from backoffice.accounts.notifications.sending import MOST_ATTEMPTS, send_mails
from backoffice.accounts.notifications.services import notify
from backoffice.accounts.notifications.tidying import drop_old_notifications
from backoffice.audit.models import SealEvent
from tests.console.pages import page, said, signed_in
from tests.inventory.factories import make_product

pytestmark = pytest.mark.django_db
IMPORTED: Any = None
TOLD = {"file": "march.csv", "state": "applied", "problem": "", "new": 2, "changed": 0}
TOLD |= {"unchanged": 1204, "invalid": 0}


@pytest.fixture(autouse=True)
def _kind() -> None:
    global IMPORTED  # noqa: PLW0603 - registered when the apps are ready
    IMPORTED = get_kind("import_finished")


def tell(*people: User, **said: Any) -> None:
    notify(to=people, kind=IMPORTED, parameters=TOLD, link="/admin/", **said)


def shown(client: Client, **query: str) -> list[str]:
    return [each.text for each in client.get(page("notifications"), query).context["words"]]


def test_what_is_told_is_on_the_page_in_the_header_and_in_the_mail(
    catalogue_manager: User, settings: Any
) -> None:
    settings.SITE_URL = "https://shop.example.com/"
    client = signed_in(catalogue_manager)
    assert 'aria-label="Notifications"' in client.get(page("index")).text
    tell(catalogue_manager)
    assert "Notifications: 1 unread" in client.get(page("index")).text
    assert shown(client) == ["march.csv was imported: 2 changes."]
    assert "Unchanged: 1,204" in client.get(page("notifications")).text
    assert send_mails.call() == 1
    (message,) = mail.outbox
    assert (message.to, message.subject) == (
        [catalogue_manager.email],
        "march.csv was imported: 2 changes.",
    )
    assert "https://shop.example.com/admin/" in message.body
    assert "https://shop.example.com" + page("notification_settings") in message.body
    assert message.extra_headers["Message-ID"].endswith("@shop.example.com>")
    assert send_mails.call() == 0
    assert len(mail.outbox) == 1


def test_it_is_put_into_words_when_it_is_read(catalogue_manager: User) -> None:
    kind = Kind(
        name="import_finished",
        label="x",
        text=lambda told: str(gettext_lazy("Monday")),
    )
    notify(to=[catalogue_manager], kind=kind, parameters={})
    notification = Notification.objects.get()
    with translation.override("de"):
        assert kind.text(notification.parameters) == "Montag"
    assert kind.text(notification.parameters) == "Monday"


def test_the_same_key_tells_once(catalogue_manager: User, administrator: User) -> None:
    tell(catalogue_manager, key="job 1")
    tell(catalogue_manager, administrator, key="job 1")
    tell(catalogue_manager, key="job 2")
    assert Notification.objects.filter(user=catalogue_manager).count() == 2
    assert Notification.objects.filter(user=administrator).count() == 1


def test_what_is_rolled_back_is_not_told(catalogue_manager: User) -> None:
    with transaction.atomic():
        tell(catalogue_manager)
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_refused(catalogue_manager: User) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        tell(catalogue_manager)
    assert not Notification.objects.exists()


@pytest.mark.parametrize("link", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_a_link_leads_nowhere_else(catalogue_manager: User, link: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        notify(to=[catalogue_manager], kind=IMPORTED, parameters=TOLD, link=link)


def test_who_left_is_told_nothing(catalogue_manager: User) -> None:
    tell(catalogue_manager)
    User.objects.filter(pk=catalogue_manager.pk).update(is_active=False)
    send_mails.call()
    assert mail.outbox == []
    catalogue_manager.refresh_from_db()
    tell(catalogue_manager)
    assert Notification.objects.count() == 1


def test_each_chooses_how_they_are_told(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    address = page("notification_settings")
    assert "A large import is finished" in client.get(address).text
    sent = {"import_finished-by-email": "on", "import_failed-in-app": "on"}
    response = client.post(address, sent)
    assert said(response) == ["From now on you are told in the ways that you chose."]
    tell(catalogue_manager)
    assert shown(client) == []
    assert "unread" not in client.get(page("index")).text
    assert send_mails.call() == 1
    client.post(address, {})
    tell(catalogue_manager)
    assert Notification.objects.count() == 1
    # The usual way again: nothing is kept of it.
    client.post(address, {"import_finished-by-email": "on", "import_finished-in-app": "on"})
    assert not NotificationChoice.objects.filter(kind="import_finished").exists()


def test_nobody_is_asked_about_what_does_not_concern_them(
    warehouse: User, administrator: User
) -> None:
    text = signed_in(warehouse).get(page("notification_settings")).text
    assert "import" not in text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert str(SEAL_PROBLEM.label) not in text
    assert (
        str(SEAL_PROBLEM.label) in signed_in(administrator).get(page("notification_settings")).text
    )


def test_opening_marks_as_read_and_leads_there(catalogue_manager: User) -> None:
    tell(catalogue_manager)
    client, notification = signed_in(catalogue_manager), Notification.objects.get()
    address = page("notification_open", notification.pk)
    assert client.get(address).status_code == 405
    assert Notification.objects.unread(catalogue_manager.pk).exists()
    assert client.post(address)["Location"] == "/admin/"
    assert not Notification.objects.unread(catalogue_manager.pk).exists()
    assert shown(client, show="unread") == []
    assert "You have read everything" in client.get(page("notifications"), {"show": "unread"}).text


def test_all_that_the_page_knew_of_are_marked_and_no_later_one(catalogue_manager: User) -> None:
    client = signed_in(catalogue_manager)
    tell(catalogue_manager)
    tell(catalogue_manager)
    newest = client.get(page("notifications")).context["newest"]
    tell(catalogue_manager)
    assert client.get(page("notifications_read")).status_code == 405
    response = client.post(page("notifications_read"), {"newest": newest})
    assert said(response) == ["2 notifications were marked as read."]
    assert Notification.objects.unread(catalogue_manager.pk).count() == 1


def test_another_users_are_neither_shown_nor_opened_nor_marked(
    catalogue_manager: User, administrator: User
) -> None:
    tell(catalogue_manager)
    other = signed_in(administrator)
    assert shown(other) == []
    assert other.post(page("notification_open", Notification.objects.get().pk)).status_code == 404
    other.post(page("notifications_read"))
    other.post(page("notification_settings"), {})
    assert Notification.objects.unread(catalogue_manager.pk).count() == 1
    assert not NotificationChoice.objects.filter(user=catalogue_manager).exists()


def test_no_word_of_an_object_that_its_reader_may_not_see_any_more(
    catalogue_manager: User,
) -> None:
    product = make_product(name="Secret pot")
    notify(
        to=[catalogue_manager], kind=IMPORTED, parameters={**TOLD, "file": "Secret pot"},
        link=page("inventory_product_change", product.pk), about=product,
    )  # fmt: skip
    client = signed_in(catalogue_manager)
    assert shown(client) == ["Secret pot was imported: 2 changes."]
    catalogue_manager.groups.clear()
    assert shown(client) == ["A large import is finished"]
    response = client.post(page("notification_open", Notification.objects.get().pk))
    assert response["Location"] == page("notifications")
    send_mails.call()
    assert "Secret pot" not in f"{mail.outbox[0].subject} {mail.outbox[0].body}"


def test_what_cannot_be_sent_is_tried_again_later_and_at_last_given_up(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    tell(catalogue_manager)
    with monkeypatch.context() as patched:
        patched.setattr("backoffice.accounts.notifications.sending.EmailMessage.send", fail)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            assert send_mails.call() == 0
            row = Notification.objects.get()
            assert (row.mail_attempts, row.mailed_at) == (attempt, None)
            if attempt < MOST_ATTEMPTS:
                assert row.mail_due_at is not None
                assert row.mail_due_at > timezone.now() + timedelta(minutes=2)
            Notification.objects.filter(mail_due_at__isnull=False).update(
                mail_due_at=timezone.now()
            )
    assert send_mails.call() == 0
    assert mail.outbox == []


def test_who_died_with_a_mail_in_hand_leaves_it_to_others(
    catalogue_manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    tell(catalogue_manager)
    with monkeypatch.context() as patched:
        patched.setattr("backoffice.accounts.notifications.sending.EmailMessage.send", die)
        with pytest.raises(KeyboardInterrupt):
            send_mails.call()
    assert send_mails.call() == 0  # it is claimed still
    Notification.objects.update(mail_due_at=timezone.now())
    assert send_mails.call() == 1


def test_old_ones_go(catalogue_manager: User, settings: Any) -> None:
    settings.NOTIFICATIONS_KEEP_DAYS = 30
    tell(catalogue_manager)
    tell(catalogue_manager)
    old = Notification.objects.latest("pk")
    Notification.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=31))
    drop_old_notifications()
    assert not Notification.objects.filter(pk=old.pk).exists()
    assert Notification.objects.count() == 1


def test_who_holds_the_keys_hears_of_seals_once(
    administrator: User, catalogue_manager: User
) -> None:
    for _time in range(2):
        SealEvent.objects.create(
            kind=SealEvent.Kind.PUBLICATION_FAILED, where="https://x", facts={"error": "refused"}
        )
        tell_of_seals()
    SealEvent.objects.create(kind=SealEvent.Kind.TAMPERED)
    SealEvent.objects.create(kind=SealEvent.Kind.VERIFIED)
    tell_of_seals()
    tell_of_seals()
    assert shown(signed_in(administrator)) == [
        "The record was found altered when it was verified.",
        "A seal could not be published to https://x.",
    ]
    assert not Notification.objects.filter(user=catalogue_manager).exists()


def test_a_kind_that_is_gone_breaks_no_page(catalogue_manager: User) -> None:
    Notification.objects.create(user=catalogue_manager, kind="old_thing", parameters={})
    assert shown(signed_in(catalogue_manager)) == ["Old thing"]


def test_the_bell_costs_one_query_however_many_there_are(
    catalogue_manager: User, django_assert_num_queries: Any
) -> None:
    from backoffice.accounts.notifications.pages import unread_count

    for number in range(120):
        tell(catalogue_manager, key=str(number))
    with django_assert_num_queries(1):
        assert unread_count(catalogue_manager) == 100
    text = signed_in(catalogue_manager).get(page("index")).text
    assert "more than 99 unread" in text
    assert "99+" in text
