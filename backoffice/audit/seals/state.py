"""How things stand with the seals: for the admin's pages, and for what comes after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from backoffice.audit.models import Seal, SealEvent

from .findings import Finding
from .sealing import UNSEALED, sealed_before
from .verifying import Verification

_NAMED = 20
# No page counts further: a record that was never sealed can be as long as it likes.
_COUNTED = 10_000


def note_verification(
    verification: Verification, found: int, findings: Sequence[Finding], seconds: float
) -> bool:
    """Put on the log of the seals what a verification found; False if the database is read-only."""
    try:
        with transaction.atomic():
            SealEvent.objects.create(
                kind=SealEvent.Kind.TAMPERED if found else SealEvent.Kind.VERIFIED,
                seal=verification.last,
                facts={
                    "since": verification.since,
                    "seals": verification.seals,
                    "entries": verification.entries,
                    "rows": verification.rows,
                    "archived": verification.archived,
                    "unsealed": verification.unsealed.count,
                    "seconds": seconds,
                    "found": found,
                    "findings": [finding.as_dict() for finding in findings[:_NAMED]],
                },
            )
    except DatabaseError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the newest verification said, in words."""

    text: str
    wrong: bool = False
    at: datetime | None = None
    findings: tuple[str, ...] = ()


def verdict() -> Verdict:
    kinds = (SealEvent.Kind.VERIFIED, SealEvent.Kind.TAMPERED)
    event = SealEvent.objects.filter(kind__in=kinds).order_by("-id").first()
    if event is None:
        return Verdict(text=_("The record was never verified."))
    age = {"age": timesince(event.at)}
    if event.kind == SealEvent.Kind.TAMPERED:
        text = _("The record was verified %(age)s ago, and is not what was sealed.") % age
        return Verdict(text=text, wrong=True, at=event.at, findings=_findings(event))
    text = _("The record was verified %(age)s ago: all is as it was sealed.") % age
    return Verdict(text=text, at=event.at)


def _findings(event: SealEvent) -> tuple[str, ...]:
    return tuple(finding["message"] for finding in event.facts["findings"])


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A place where seals are published, and the newest attempt to."""

    where: str
    seal_id: int | None
    at: datetime
    error: str


@dataclass(frozen=True, kw_only=True)
class State:
    last_seal: Seal | None
    verdict: Verdict
    unsealed: int
    many: bool  # more than that
    oldest: datetime | None
    publications: list[Publication]
    published: bool  # whether AUDIT_PUBLISH names any place


def state() -> State:
    """All of it, in a few quick queries however long the record is.

    What lies unsealed for more than a day is found by `audit_verify`, not here.
    """
    count, oldest = _unsealed_lately()
    return State(
        last_seal=Seal.objects.order_by("-id").first(),
        verdict=verdict(),
        unsealed=min(count, _COUNTED),
        many=count > _COUNTED,
        oldest=oldest,
        publications=_publications(),
        published=bool(settings.AUDIT_PUBLISH),
    )


def _unsealed_lately() -> tuple[int, datetime | None]:
    with connection.cursor() as cursor:
        floor = sealed_before(cursor)
        cursor.execute(
            f"SELECT count(*), min(at) FROM ({UNSEALED}) waiting", [floor, floor, _COUNTED + 1]
        )
        count, oldest = cursor.fetchone()
        return count, oldest


def _publications() -> list[Publication]:
    kinds = (SealEvent.Kind.PUBLISHED, SealEvent.Kind.PUBLICATION_FAILED)
    # Of the newest thousand events: one place among a few, never a long log.
    newest = SealEvent.objects.filter(kind__in=kinds).order_by("-id")[:1000]
    by_place: dict[str, Publication] = {}
    for event in newest:
        by_place.setdefault(
            event.where,
            Publication(
                where=event.where,
                seal_id=event.seal_id,
                at=event.at,
                error=event.facts.get("error", ""),
            ),
        )
    return sorted(by_place.values(), key=lambda one: one.where)
