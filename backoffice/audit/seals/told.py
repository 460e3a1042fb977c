"""Compares the seals with what was told of them outside, and with the log of their own."""

from collections.abc import Iterator, Mapping, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from backoffice.audit.models import Seal, SealEvent
from backoffice.audit.wording import moment_in_words

from . import keys
from .chain import removed_seals
from .checkpoints import Checkpoint, newest_per_seal
from .findings import Finding, Wrong


def untrue(
    checkpoints: Sequence[Checkpoint],
    known: Mapping[str, Ed25519PublicKey],
    events: Sequence[SealEvent],
    since: int,
    end: int,
) -> Iterator[Finding]:
    """What is not so any more. `end` is the newest seal; `events` were read before it was."""
    told: dict[int, str] = {}  # seals that must be there, and who says so
    hashes: dict[tuple[int, str], str] = {}  # that they must have, and when that was told
    for one in newest_per_seal(checkpoints):
        key = known.get(one.key_id)
        if key is None or not keys.is_signed(key, one.statement, one.signature):
            yield Finding(
                wrong=Wrong.CHECKPOINT_UNSIGNED,
                message=_("The checkpoint of seal %d is not signed with a known key.") % one.seal,
                seal=one.seal,
            )
        elif one.seal > end:
            told[one.seal] = _("A checkpoint of %(time)s says that there was seal %(seal)d.") % {
                "time": one.time,
                "seal": one.seal,
            }
        else:
            hashes[one.seal, one.hash] = one.time
    for event in events:
        seal = int(event.seal_id or 0)
        if seal > end:
            told.setdefault(seal, _said_by(event))
        elif event.facts.get("hash"):
            hashes.setdefault((seal, event.facts["hash"]), moment_in_words(event.at))
    yield from _others(hashes)
    if told:
        yield from removed_seals(max(end + 1, since), max(told), told[max(told)])


def events_of_seals() -> list[SealEvent]:
    """The newest of each kind, place and seal is enough; of a long log the newest thousand."""
    happened = (SealEvent.Kind.PUBLISHED, SealEvent.Kind.VERIFIED, SealEvent.Kind.TAMPERED)
    events = SealEvent.objects.filter(kind__in=happened, seal__isnull=False)
    highest = events.order_by("-seal_id", "id")[:1]
    return [*events.order_by("-id")[:1000], *highest]


def _said_by(event: SealEvent) -> str:
    words = {"seal": event.seal_id, "time": moment_in_words(event.at), "where": event.where}
    if event.kind == SealEvent.Kind.PUBLISHED:
        return _("Seal %(seal)d was published to %(where)s on %(time)s.") % words
    return _("Seal %(seal)d was the newest when the record was verified on %(time)s.") % words


def _others(hashes: Mapping[tuple[int, str], str]) -> Iterator[Finding]:
    numbers = {number for number, _hash in hashes}
    there = dict(Seal.objects.filter(pk__in=numbers).values_list("pk", "hash"))
    for (number, hash_), time in sorted(hashes.items()):
        if there.get(number, hash_) != hash_:
            yield Finding(
                wrong=Wrong.CHECKPOINT_DIFFERS,
                message=_("Seal %(seal)d is not the one that was published on %(time)s.")
                % {"seal": number, "time": time},
                table="audit_seal",
                seal=number,
            )
