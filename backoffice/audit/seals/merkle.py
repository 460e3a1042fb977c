"""The Merkle root of RFC 6962 (section 2.1), with SHA-256."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()


def root(entries: Sequence[bytes]) -> bytes:
    """One hash that stands for all entries, in this order.

    A leaf is H(0x00 || entry) and a node H(0x01 || left || right), so that no entry can pass for
    a node. A tree whose number of leaves is no power of two is cut at the largest one below.
    """
    level = [sha256(b"\0" + entry).digest() for entry in entries]
    if not level:
        return EMPTY
    while len(level) > 1:
        # The last of an odd number goes up as it is: the same tree as by cutting at powers of two.
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0]
