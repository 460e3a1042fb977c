"""Looking at an archive's directory, and at its parts as bytes, before anything parses them."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

_STORED_OR_DEFLATED = {0, 8}
_CHUNK = 1 << 18
# Below that, a high ratio is what repetition gives, and harmless.
_SMALL = 10_000_000
# What a cell takes in memory at least, once parsed.
_CELL_BYTES = 24
_TABLES = (".csv", ".tsv", ".txt", ".tab", ".xlsx")
_ARCHIVES = (".zip", ".xlsx", ".xlsm", ".xls", ".docx", ".rar", ".7z", ".gz", ".bin", ".jar")
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s[^>]*ref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")


class Refused(Exception):
    """The file is not opened; `code` is one of `reading.refusals`, `facts` go into its words."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.code, self.facts = code, facts
        super().__init__(code)


@dataclass(frozen=True)
class Limits:
    """What the process, and what comes out of an archive, may reach."""

    memory: int
    seconds: int
    bytes: int
    entries: int
    ratio: int


@dataclass(frozen=True)
class Examined:
    """An archive that may be opened: the one file in it, or None for a workbook."""

    archive: zipfile.ZipFile
    member: str | None = None
    names: frozenset[str] = field(default_factory=frozenset)


def examine(file: IO[bytes], limits: Limits) -> Examined:
    """Look at the directory and decide. Raises Refused."""
    try:
        archive = zipfile.ZipFile(file)
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise Refused("broken") from error
    if len(entries) > limits.entries:
        raise Refused("entries", count=len(entries), limit=limits.entries)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Refused("password")
    if any(entry.compress_type not in _STORED_OR_DEFLATED for entry in entries):
        raise Refused("method")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise Refused("broken")  # two parts of one name: readers disagree on which is meant
    _limit_size(entries, limits)
    if "[Content_Types].xml" in names:
        _examine_workbook(archive, names, limits)
        return Examined(archive, None, frozenset(names))
    return Examined(archive, _only_table(archive, names))


def _limit_size(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    size = sum(entry.file_size for entry in entries)
    if size > limits.bytes:
        raise Refused("size", size=size, limit=limits.bytes)
    packed = sum(entry.compress_size for entry in entries)
    if size > _SMALL and size > packed * limits.ratio:
        raise Refused("ratio", ratio=size // max(packed, 1), limit=limits.ratio)


def _only_table(archive: zipfile.ZipFile, names: list[str]) -> str:
    """The one file of a plain archive, if it is a table; what systems add by themselves is none."""
    if "mimetype" in names:
        raise Refused("open_document")
    if any(name.endswith(".iwa") for name in names):
        raise Refused("numbers")
    real = [
        name
        for name in names
        if not name.startswith("__MACOSX/")
        and name.rpartition("/")[2] not in {".DS_Store", "Thumbs.db", "desktop.ini"}
    ]
    if len(real) != 1 or not real[0].lower().endswith(_TABLES):
        raise Refused("members", count=len(real), names=[name[:100] for name in real[:5]])
    return real[0]


def _examine_workbook(archive: zipfile.ZipFile, names: list[str], limits: Limits) -> None:
    lower = [name.lower() for name in names]
    if "xl/workbook.bin" in lower:
        raise Refused("binary_workbook")
    if not any(name.startswith("xl/") for name in lower):
        raise Refused("other_document")
    if any(
        "vbaproject" in name or "/macrosheets/" in name or "/activex/" in name for name in lower
    ):
        raise Refused("macros")
    if any("/externallinks/" in name for name in lower):
        raise Refused("external_links")
    if any(
        "/embeddings/" in name or (name.endswith(_ARCHIVES) and "printersettings" not in name)
        for name in lower
    ):
        raise Refused("nested")
    for name in names:
        if name.lower().endswith((".xml", ".rels", ".vml")):
            _examine_part(archive, name, limits)


def _examine_part(archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
    """No document type in a part's text, nor a sheet that claims more cells than memory holds."""
    first = True
    for piece in pieces(archive, name):
        if first and piece[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise Refused("broken")  # no program writes it so, and a DOCTYPE could hide in it
        if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
            raise Refused("doctype")
        if first and (found := _DIMENSION.search(piece)):
            left, top, right, bottom = found.groups()
            columns = number_of_column(right) - number_of_column(left) + 1
            rows = int(bottom[:9]) - int(top[:9]) + 1
            if rows * columns * _CELL_BYTES > limits.memory:
                raise Refused("dimension", rows=rows, columns=columns)
        first = False


def pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A part in pieces that end with a ">", so that no tag is cut in two; bounded in any case."""
    rest = b""
    try:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                end = chunk.rfind(b">") + 1
                if end:
                    yield rest + chunk[:end]
                    rest = chunk[end:]
                else:
                    rest += chunk
                    if len(rest) > 1 << 22:  # a text of a cell is no longer than 32,767 characters
                        yield rest
                        rest = b""
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        raise Refused("broken") from error
    if rest:
        yield rest


def number_of_column(letters: bytes) -> int:
    """ "A" is 1, "AB" is 28."""
    number = 0
    for letter in letters[:4]:
        number = number * 26 + letter - 64
    return number
