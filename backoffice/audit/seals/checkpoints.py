"""Checkpoints: what is told of a seal outside the machine, a short text that anybody can keep."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from backoffice.audit.models import Seal

from .chain import moment

_FIELDS = ("seal", "hash", "entries", "time", "key", "signature")
_NOTE = re.compile(
    r"^(?P<origin>[^\n]+) record\n" + "".join(rf"{name} (?P<{name}>\S+)\n" for name in _FIELDS),
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What somebody outside was told of a seal."""

    origin: str
    seal: int
    hash: str
    time: str
    key_id: str
    signature: str


def note(seal: Seal) -> str:
    """The text of a checkpoint. Whoever holds it can tell whether that seal is still the same.

    The signature is over the hash, and the hash over all the rest.
    """
    values = (
        str(seal.pk),
        seal.hash,
        str(seal.count),
        moment(seal.at),
        seal.key_id,
        seal.signature,
    )
    lines = [f"{name} {value}" for name, value in zip(_FIELDS, values, strict=True)]
    return "\n".join([f"{' '.join(settings.SHOP_NAME.split())} record", *lines]) + "\n"


def read(text: str) -> Iterator[Checkpoint]:
    """All the checkpoints in a text, whatever stands between them, such as the rest of an e-mail.

    A line of numbers that is out of shape is no checkpoint; the caller sees that none came.
    """
    for found in _NOTE.finditer(text.replace("\r\n", "\n")):
        if found["seal"].isascii() and found["seal"].isdigit():
            yield Checkpoint(
                origin=found["origin"],
                seal=int(found["seal"]),
                hash=found["hash"],
                time=found["time"],
                key_id=found["key"],
                signature=found["signature"],
            )


def newest_per_seal(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Each of them once: the same note may have gone to several places."""
    return sorted(set(checkpoints), key=lambda one: (one.seal, one.hash))
