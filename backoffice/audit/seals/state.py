"""How things stand with the seals: for the admin's page, the dashboard, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction

from backoffice.audit.models import Seal, SealEvent

from .findings import Finding
from .verifying import Unsealed, Verification, unsealed

_NAMED = 20


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
                    "unsealed": verification.unsealed.count,
                    "seconds": seconds,
                    "found": found,
                    "findings": [finding.as_dict() for finding in findings[:_NAMED]],
                },
            )
    except DatabaseError:
        return False
    return True


def last_verification() -> SealEvent | None:
    """The newest verification, whatever it found."""
    kinds = (SealEvent.Kind.VERIFIED, SealEvent.Kind.TAMPERED)
    return SealEvent.objects.filter(kind__in=kinds).order_by("-id").first()


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The last that was heard from one place where seals are published."""

    where: str
    last: SealEvent


@dataclass(frozen=True, kw_only=True)
class State:
    last_seal: Seal | None
    verification: SealEvent | None
    unsealed: Unsealed = field(default_factory=unsealed)
    publications: list[SealEvent]
    wrong: bool


def state() -> State:
    publications = SealEvent.objects.filter(
        kind__in=(SealEvent.Kind.PUBLISHED, SealEvent.Kind.PUBLICATION_FAILED)
    )
    verification = last_verification()
    return State(
        last_seal=Seal.objects.order_by("-id").first(),
        verification=verification,
        publications=list(publications.order_by("where", "-id").distinct("where")),
        wrong=verification is not None and verification.kind == SealEvent.Kind.TAMPERED,
    )
