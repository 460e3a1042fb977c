"""Guessing passwords is cut short: after too many failures nobody gets in for a while.

Failures are counted by e-mail address, whether or not somebody has it, and by client. What counts
is the record: its failed sign-ins, by the clock of the database.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from backoffice.audit.context import current_context
from backoffice.audit.events import record_event
from backoffice.audit.models import ChangeSet

from .managers import normalise_email
from .models import User

Kind = ChangeSet.Kind
LONGEST_ADDRESS = 254


@dataclass(frozen=True, kw_only=True)
class Counter:
    """What failures are counted by; events name it in their facts, under `fact`."""

    fact: str
    value: str
    most: int

    def _events(self, *kinds: Kind, fact: str = "") -> QuerySet[ChangeSet]:
        """Those of the last SIGN_IN_LOCK_MINUTES."""
        return ChangeSet.objects.filter(
            kind__in=kinds, at__gt=Now() - _while(), **{f"facts__{fact or self.fact}": self.value}
        )

    def _lock_outs(self) -> QuerySet[ChangeSet]:
        return self._events(Kind.LOCK_OUT, fact=f"locked_{self.fact}")

    def _last_good(self) -> int:
        """The last event that clears an address: who signed in, or was given a new password.

        Nothing clears a client: one good account must not buy more guesses at others.
        """
        if self.fact != "email":
            return 0
        return _newest(self._events(Kind.SIGN_IN, Kind.PASSWORD))

    def failures(self) -> int:
        start = max(_newest(self._lock_outs()), self._last_good())
        return self._events(Kind.SIGN_IN_FAILED).filter(pk__gt=start).count()

    def seconds_locked(self) -> int:
        lock_outs = self._lock_outs().filter(pk__gt=self._last_good())
        found = lock_outs.order_by("-pk").values_list("at", Now()).first()
        return ceil((found[0] + _while() - found[1]).total_seconds()) if found else 0

    def take_turn(self) -> None:
        """Wait for other attempts by it, and let others wait until the transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"accounts.sign_in:{self.fact}:{self.value}"],
            )


def seconds_locked(email: str) -> int:
    """For how long nobody signs in by this address, or from this client; 0 if they may try.

    Within a transaction the attempts by one address, or from one client, take turns until it
    ends: many at once have no more guesses than one after the other.
    """
    counters = _counters(email)
    if connection.in_atomic_block:
        for counter in counters:  # always the address first, so that two cannot deadlock
            counter.take_turn()
    return max((counter.seconds_locked() for counter in counters), default=0)


def note_failure(email: str) -> None:
    """Put a failed sign-in on the record, and a lock-out if it was one too many."""
    counters = _counters(email)
    if not counters:
        return
    address = _address(email)
    user = User.objects.filter(email=address).values_list("pk", flat=True).first()
    said: dict[str, Any] = {
        "actor": None,  # the address proves nothing
        "actor_name": _("somebody unknown"),
        "reference": f"{User._meta.label_lower}/{user}" if user else "",
    }
    record_event(
        kind=Kind.SIGN_IN_FAILED,
        action=_("Sign-in failed for %(address)s")
        % {"address": address or _("something that is no e-mail address")},
        facts={counter.fact: counter.value for counter in counters},
        **said,
    )
    for counter in counters:
        if counter.failures() >= counter.most:
            record_event(
                kind=Kind.LOCK_OUT,
                action=_("Locked out after %(number)d failures: %(what)s")
                % {"number": counter.most, "what": counter.value},
                facts={f"locked_{counter.fact}": counter.value, "failures": counter.most},
                **said,
            )


def sign_in_facts(email: str) -> dict[str, str]:
    """What the events of signing in say besides who and when."""
    return {counter.fact: counter.value for counter in _counters(email)}


def _counters(email: str) -> list[Counter]:
    """The counters of an attempt; none outside of a request."""
    context = current_context()
    if context is None or not context.client_address:
        return []
    by_client = Counter(
        fact="client",
        value=_network(context.client_address),
        most=settings.SIGN_IN_MAX_FAILURES_PER_CLIENT,
    )
    address = _address(email)
    if not address:
        return [by_client]
    by_address = Counter(fact="email", value=address, most=settings.SIGN_IN_MAX_FAILURES)
    return [by_address, by_client]


def _address(typed: str) -> str:
    """The address in its one form; "" for what is none, such as a password in the wrong box."""
    address = normalise_email(typed)
    return address if "@" in address and len(address) <= LONGEST_ADDRESS else ""


def _network(client_address: str) -> str:
    """Who counts as one client: of IPv6 a whole /64, which is what one household is given."""
    try:
        address = ip_address(client_address)
    except ValueError:
        return client_address
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def _while() -> timedelta:
    return timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)


def _newest(events: QuerySet[ChangeSet]) -> int:
    return events.aggregate(newest=Max("pk"))["newest"] or 0
