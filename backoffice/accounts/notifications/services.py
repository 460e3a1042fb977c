"""notify(): the one way to tell users of something."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from .kinds import Kind, Parameters
from .models import Notification, NotificationChoice
from .sending import send_mails

if TYPE_CHECKING:
    from backoffice.accounts.models import User


class Ways(NamedTuple):
    """How somebody is told of a kind of thing."""

    in_app: bool
    by_email: bool


def notify(
    *,
    to: "Iterable[User | None]",
    kind: Kind,
    parameters: Parameters,
    link: str = "",
    about: models.Model | None = None,
    key: str = "",
) -> None:
    """Tell users of something, each in the ways that they chose, in the transaction of it.

    `parameters` is what the kind puts into words, as JSON can hold it. `link` is a path of this
    site. What is `about` an object is told in full only while its reader may see that object.
    The same `key` tells a user of a kind once, however often this is called. Those who left are
    told nothing. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("notify() needs the transaction of what it tells of.")
    if link and (not link.startswith("/") or link.startswith(("//", "/\\"))):
        raise ValueError(f"{link!r} is no path of this site.")
    kind.text(parameters)  # what cannot be put into words fails here, not in front of a reader
    people = {user.pk: user for user in to if user is not None and user.is_active}
    ways = ways_of(people, kind)
    due = timezone.now()
    told = [
        Notification(
            user=user,
            kind=kind.name,
            parameters=dict(parameters),
            link=link,
            reference=f"{about._meta.label_lower}/{about.pk}" if about is not None else "",
            key=key,
            in_app=ways[number].in_app,
            mail_due_at=due if ways[number].by_email and user.email else None,
        )
        for number, user in sorted(people.items())
        if any(ways[number])
    ]
    # Whoever tells the same at the same moment waits for the other here, and adds nothing.
    Notification.objects.bulk_create(told, ignore_conflicts=True)
    if any(each.mail_due_at for each in told):
        # If it is lost in a crash, the worker finds what is due when it keeps house.
        transaction.on_commit(send_mails.enqueue, robust=True)


def ways_of(people: Iterable[int], kind: Kind) -> dict[int, Ways]:
    """How each of these users is told of a kind."""
    found = dict.fromkeys(people, Ways(kind.in_app, kind.by_email))
    chosen = NotificationChoice.objects.filter(user__in=found, kind=kind.name)
    for number, in_app, by_email in chosen.values_list("user", "in_app", "by_email"):
        found[number] = Ways(in_app, by_email)
    return found


def choices_of(user: Any, kinds: Iterable[Kind]) -> dict[str, Ways]:
    """How a user is told of each of these kinds."""
    chosen = {
        choice.kind: Ways(choice.in_app, choice.by_email)
        for choice in NotificationChoice.objects.filter(user=user)
    }
    return {kind.name: chosen.get(kind.name, Ways(kind.in_app, kind.by_email)) for kind in kinds}


@transaction.atomic
def choose(*, user: Any, kind: Kind, ways: Ways) -> None:
    """Tell a user of a kind in these ways from now on."""
    if ways == (kind.in_app, kind.by_email):
        NotificationChoice.objects.filter(user=user, kind=kind.name).delete()
        return
    NotificationChoice.objects.update_or_create(user=user, kind=kind.name, defaults=ways._asdict())


def mark_read(notifications: models.QuerySet[Notification]) -> int:
    """Returns how many of these had not been read before."""
    return notifications.filter(read_at=None).update(read_at=Now())
