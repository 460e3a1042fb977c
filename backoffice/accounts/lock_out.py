"""Guessing passwords is cut short: after too many failures nobody gets in for a while.

Failures are counted three times: by e-mail address at one client, so that nobody can lock another
out from elsewhere; by address wherever it is tried, for those who have many clients; and by client
whatever it tries. The latter two hold nobody off where they signed in lately: what others do locks
nobody out of their own desk. It is the same whether or not somebody has the address. What counts is
the record: its failed sign-ins, by the clock of the database.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.context import current_context
from backoffice.audit.events import record_event
from backoffice.audit.language import on_record
from backoffice.audit.models import ChangeSet

from .managers import normalise_email
from .models import User

Kind = ChangeSet.Kind
LONGEST_ADDRESS = 254
_PORT = re.compile(r"^(?:\[([0-9A-Fa-f:.]+)\](?::\d+)?|([0-9.]+):\d+)$")
# Where somebody signed in within this time is a place of theirs.
PLACES_LAST = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """Failures with these facts in common; `scope` is how its lock-outs name it."""

    scope: str
    facts: Mapping[str, str]
    most: int

    def lock_out_facts(self) -> dict[str, Any]:
        return {"locked": self.scope, **self.facts}

    def _lock_outs(self) -> QuerySet[ChangeSet]:
        return _lately(Kind.LOCK_OUT, facts=self.lock_out_facts())

    def _last_good(self) -> int:
        """The last event after which failures before it do not count.

        A new password clears all of an address. Who signs in clears it at that client alone, and
        nothing clears a client: one good account must not buy more guesses at others.
        """
        email = self.facts.get("email")
        if not email:
            return 0
        good = _newest(_lately(Kind.PASSWORD, facts={"email": email}))
        if "client" in self.facts:
            good = max(good, _newest(_lately(Kind.SIGN_IN, facts=self.facts)))
        return good

    def failures(self) -> int:
        start = max(_newest(self._lock_outs()), self._last_good())
        return _lately(Kind.SIGN_IN_FAILED, facts=self.facts).filter(pk__gt=start).count()

    def seconds_locked(self) -> int:
        lock_outs = self._lock_outs().filter(pk__gt=self._last_good())
        found = lock_outs.order_by("-pk").values_list("at", Now()).first()
        return ceil((found[0] + _while() - found[1]).total_seconds()) if found else 0


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Who tries to sign in from where. `email` is blank for what is no address."""

    email: str
    client: str

    @property
    def facts(self) -> dict[str, str]:
        return {"client": self.client, **({"email": self.email} if self.email else {})}

    def counters(self) -> list[Counter]:
        by_client = Counter(
            scope="client",
            facts={"client": self.client},
            most=settings.SIGN_IN_MAX_FAILURES_PER_CLIENT,
        )
        if not self.email:
            return [by_client]
        return [
            Counter(
                scope="address at client", facts=self.facts, most=settings.SIGN_IN_MAX_FAILURES
            ),
            Counter(
                scope="address",
                facts={"email": self.email},
                most=settings.SIGN_IN_MAX_FAILURES_PER_ADDRESS,
            ),
            by_client,
        ]

    def is_at_a_place_of_theirs(self) -> bool:
        signed_in = _lately(Kind.SIGN_IN, facts=self.facts, within=PLACES_LAST)
        return bool(self.email) and signed_in.exists()

    def seconds_locked(self) -> int:
        own, *others = self.counters()
        seconds = own.seconds_locked()
        if seconds or self.is_at_a_place_of_theirs():
            return seconds
        return max((counter.seconds_locked() for counter in others), default=0)

    def take_turns(self) -> None:
        """Wait for other attempts by it, and let others wait until the transaction ends."""
        with connection.cursor() as cursor:
            for value in (self.email, self.client):  # the address first, or two could deadlock
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    [f"accounts.sign_in:{value}"],
                )


def seconds_locked(email: str) -> int:
    """For how long nobody signs in by this address from this client; 0 if they may try.

    Within a transaction the attempts by one address, or from one client, take turns until it
    ends: many at once have no more guesses than one after the other.
    """
    attempt = _attempt(email)
    if attempt is None:
        return 0
    if connection.in_atomic_block:
        attempt.take_turns()
    return attempt.seconds_locked()


def note_failure(email: str) -> None:
    """Put a failed sign-in on the record, and a lock-out if it was one too many."""
    attempt = _attempt(email)
    if attempt is None:
        return
    user = User.objects.filter(email=attempt.email).values_list("pk", flat=True).first()
    said: dict[str, Any] = {
        "actor": None,  # the address proves nothing
        "actor_name": on_record(_("somebody unknown")),
        "reference": f"{User._meta.label_lower}/{user}" if user else "",
    }
    record_event(
        kind=Kind.SIGN_IN_FAILED,
        action=on_record(
            _("Sign-in failed for %(address)s"),
            {"address": attempt.email or _("something that is no e-mail address")},
        ),
        facts=attempt.facts,
        **said,
    )
    for counter in attempt.counters():
        if counter.failures() >= counter.most:
            record_event(
                kind=Kind.LOCK_OUT,
                action=on_record(
                    _("Locked out after %(number)d failures: %(what)s"),
                    {"number": counter.most, "what": _in_words(counter)},
                ),
                facts={**counter.lock_out_facts(), "failures": counter.most},
                **said,
            )


def sign_in_facts(email: str) -> dict[str, str]:
    """What the events of signing in say besides who and when."""
    attempt = _attempt(email)
    return attempt.facts if attempt else {}


def _attempt(email: str) -> Attempt | None:
    """The attempt in progress; none outside of a request."""
    context = current_context()
    if context is None or not context.client_address:
        return None
    return Attempt(email=_address(email), client=_network(context.client_address))


def _in_words(counter: Counter) -> str:
    email, client = counter.facts.get("email", ""), counter.facts.get("client", "")
    if email and client:
        return on_record(_("%(address)s at %(client)s"), {"address": email, "client": client})
    return email or client


def _address(typed: str) -> str:
    """The address in its one form; "" for what is none, such as a password in the wrong box."""
    address = normalise_email(typed)
    return address if "@" in address and len(address) <= LONGEST_ADDRESS else ""


def _network(client_address: str) -> str:
    """Who counts as one client: of IPv6 a whole /64, which is what one household is given.

    Without the port that some proxies write behind it: each connection has another.
    """
    bare = _PORT.sub(r"\1\2", client_address)
    try:
        address = ip_address(bare)
    except ValueError:
        return bare
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:  # how a server that listens on both names those of IPv4
            return str(address.ipv4_mapped)
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def _lately(
    kind: Kind, *, facts: Mapping[str, Any], within: timedelta | None = None
) -> QuerySet[ChangeSet]:
    """Events of a kind that have these facts, of the last SIGN_IN_LOCK_MINUTES or `within`."""
    since = Now() - (within or _while())
    return ChangeSet.objects.filter(kind=kind, at__gt=since, facts__contains=dict(facts))


def _while() -> timedelta:
    return timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)


def _newest(events: QuerySet[ChangeSet]) -> int:
    return events.aggregate(newest=Max("pk"))["newest"] or 0
