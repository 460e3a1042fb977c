"""Checkpoints: what is told of a seal outside the machine, a short text that anybody can keep."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from backoffice.audit.models import Seal

from .chain import statement, statement_of

_NOTE = re.compile(
    r"""
    ^(?P<origin>[^\n]+)\ record\n
    seal\ (?P<seal>[0-9]{1,18})\n
    hash\ (?P<hash>\S+)\n
    entries\ (?P<entries>[0-9]{1,18})\n
    time\ (?P<time>\S+)\n
    key\ (?P<key>\S+)\n
    signature\ (?P<signature>\S+)$
    """,
    re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What somebody outside was told of a seal."""

    origin: str
    seal: int
    hash: str
    entries: int
    time: str
    key_id: str
    signature: str

    @property
    def statement(self) -> str:
        """What the signature is over."""
        return statement(self.seal, self.hash, self.entries, self.time, self.key_id)


def note(seal: Seal) -> str:
    """The text of a checkpoint. Whoever holds it can tell whether that seal is still the same."""
    origin = " ".join(settings.SHOP_NAME.split())
    return f"{origin} record\n{statement_of(seal, seal.hash)}signature {seal.signature}\n"


def read(text: str) -> Iterator[Checkpoint]:
    """All the checkpoints in a text, whatever stands around them, such as an e-mail."""
    for found in _NOTE.finditer(text.replace("\r\n", "\n")):
        yield Checkpoint(
            origin=found["origin"],
            seal=int(found["seal"]),
            hash=found["hash"],
            entries=int(found["entries"]),
            time=found["time"],
            key_id=found["key"],
            signature=found["signature"],
        )


def newest_per_seal(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Each of them once: the same note may have gone to several places."""
    return sorted(set(checkpoints), key=lambda one: (one.seal, one.hash))
