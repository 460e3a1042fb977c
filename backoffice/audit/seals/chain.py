"""A seal as a link of the chain: what its hash is over, and so what its signature vouches for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from backoffice.audit.fields import how_many, written
from backoffice.audit.models import Seal

from .findings import Finding, Wrong
from .keys import is_signed

# More than any seal ever held: numbers that nobody sealed are not gone through one by one.
MOST_ENTRIES = 1_000_000


def seal_hash(seal: Seal, form_hash: str) -> str:
    """Over every column of the seal but the hash and the signature themselves.

    One to a line: none of them can hold a line break, and each has its place.
    """
    lines = (
        "stockbook seal",
        str(seal.pk),
        moment(seal.at),
        str(seal.form),
        form_hash,
        str(seal.count),
        written(seal.change_sets),
        seal.root,
        seal.previous,
        seal.key_id,
    )
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def statement(number: int, hash_: str, count: int, time: str, key: str) -> str:
    """What is signed, and told outside: a line for each. The hash is over all the rest."""
    facts = {"seal": number, "hash": hash_, "entries": count, "time": time, "key": key}
    return "".join(f"{name} {value}\n" for name, value in facts.items())


def statement_of(seal: Seal, hash_: str) -> str:
    return statement(seal.pk, hash_, seal.count, moment(seal.at), seal.key_id)


def moment(at: datetime) -> str:
    """To the microsecond, as PostgreSQL keeps it, and in no time zone but UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Judged:
    """A seal by itself: what is wrong with it, and whether what it says can be relied on."""

    findings: list[Finding]
    sound: bool
    true_hash: str  # that the next seal names


def judge(seal: Seal, form_hash: str, known: Mapping[str, Ed25519PublicKey]) -> Judged:
    """Compare a seal's contents, hash and signature. Any two that agree convict the third."""
    computed = seal_hash(seal, form_hash)
    key = known.get(seal.key_id)
    # Hashes can be computed by anyone; what holds another number than it says was never sealed.
    if computed == seal.hash and how_many(seal.change_sets) == seal.count <= MOST_ENTRIES:
        if key is None:
            return Judged([_unknown_key(seal)], True, seal.hash)
        if is_signed(key, statement_of(seal, seal.hash), seal.signature):
            return Judged([], True, seal.hash)
        what = _("The signature of seal %(seal)d is wrong: the seal is not ours, or was replaced.")
        return Judged([_finding(Wrong.SIGNATURE_WRONG, what, seal)], True, seal.hash)
    if key is not None and is_signed(key, statement_of(seal, computed), seal.signature):
        what = _("The hash of seal %(seal)d was altered.")
        return Judged([_finding(Wrong.SEAL_ALTERED, what, seal)], True, computed)
    what = _("Seal %(seal)d was altered: its contents do not fit its hash.")
    return Judged([_finding(Wrong.SEAL_ALTERED, what, seal)], False, seal.hash)


def _unknown_key(seal: Seal) -> Finding:
    return Finding(
        wrong=Wrong.KEY_UNKNOWN,
        message=_(
            "Seal %(seal)d is signed with key %(key)s, which is not known here. If it is one of "
            "yours, add its public half to AUDIT_PUBLIC_KEYS."
        )
        % {"seal": seal.pk, "key": seal.key_id},
        seal=seal.pk,
    )


def broken_link(seal: Seal) -> Finding:
    what = _("Seal %(seal)d does not follow from the one before it: the chain is broken here.")
    return _finding(Wrong.LINK_BROKEN, what, seal)


def removed_seals(first: int, last: int, why: str = "") -> Iterator[Finding]:
    for number in range(first, last + 1):
        message = _("Seal %d is gone.") % number
        yield Finding(wrong=Wrong.SEAL_REMOVED, message=f"{message} {why}".strip(), seal=number)


def _finding(wrong: Wrong, what: str, seal: Seal) -> Finding:
    return Finding(wrong=wrong, message=what % {"seal": seal.pk}, table="audit_seal", seal=seal.pk)
