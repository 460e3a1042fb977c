"""Workbooks and archives, opened in a process of their own with limits; see `exchange.worker`."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from backoffice.exchange.exceptions import FileRefused
from backoffice.exchange.worker.examination import Limits
from backoffice.exchange.worker.main import NO_MEMORY, TOO_LARGE

from .refusals import in_words

_ROOT = str(Path(__file__).resolve().parents[3])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from backoffice.exchange.worker.main import main; main(sys.argv[2])"
)
_ZIP, _GZIP = b"PK", b"\x1f\x8b"
# Longer than any line that the process may say of a row within the other limits.
_LONGEST_LINE = 1 << 26
# Files that are no table, by how they begin.
_MAGIC = {
    b"\xd0\xcf\x11\xe0": "old_workbook",
    b"%PDF-": "pdf",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"GIF8": "image",
    b"II*\x00": "image",
    b"MM\x00*": "image",
    b"7z\xbc\xaf": "other_archive",
    b"Rar!": "other_archive",
    b"BZh": "other_archive",
    b"\xfd7zXZ": "other_archive",
    b"(\xb5/\xfd": "other_archive",
    b"SQLite format 3\x00": "database",
    b"PAR1": "database",
    b"{\\rtf": "other_document",
}


@dataclass(frozen=True)
class Workbook:
    """A sheet as the process wrote it: a line of JSON for each row that is not blank."""

    lines: IO[bytes]
    sheet: str
    sheets: list[str]
    # Whether numbers with decimals stand in it as numbers: then its texts need no decimal comma.
    has_decimals: bool

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each row that is not blank."""
        self.lines.seek(0)
        self.lines.readline(_LONGEST_LINE)
        while line := self.lines.readline(_LONGEST_LINE):
            said = json.loads(line)
            if isinstance(said, dict):
                return
            number, cells = said
            yield int(number), [str(cell) for cell in cells]


type Source = IO[bytes] | Workbook


@contextlib.contextmanager
def unpacked(file: IO[bytes], sheet: str = "") -> Iterator[Source]:
    """The text file or the sheet that a file is or holds; what it needs of disk goes at the end.

    `sheet` names one of a workbook's; without it, the first that has rows. Raises FileRefused.
    """
    with contextlib.ExitStack() as stack:
        found, is_inner = file, False
        while True:
            found.seek(0)
            start = found.read(16)
            for magic, code in _MAGIC.items():
                if start.startswith(magic):
                    raise FileRefused(in_words(code))
            if not start.startswith((_ZIP, _GZIP)) or not _is_packed(start):
                yield found
                return
            written = stack.enter_context(tempfile.TemporaryFile())
            said = _opened(found, written, sheet)
            if said["kind"] == "workbook":
                yield _workbook(written, said)
                return
            if is_inner:
                raise FileRefused(in_words("nested"))
            found, is_inner = stack.enter_context(_copied(written)), True


def _is_packed(start: bytes) -> bool:
    """Whether it begins as archives do: a text may begin with "PK", too."""
    return start.startswith(_GZIP) or start[2:4] in {b"\x03\x04", b"\x05\x06", b"\x07\x08"}


def _opened(file: IO[bytes], written: IO[bytes], sheet: str) -> dict[str, Any]:
    """Let the process open the file and write what is in it; the first line, which says what."""
    limits = Limits(
        memory=settings.EXCHANGE_WORKER_BYTES,
        seconds=settings.EXCHANGE_WORKER_SECONDS,
        bytes=settings.EXCHANGE_MAX_BYTES,
        entries=settings.EXCHANGE_ARCHIVE_MAX_FILES,
        ratio=settings.EXCHANGE_ARCHIVE_MAX_RATIO,
    )
    arguments = json.dumps({"limits": asdict(limits), "sheet": sheet})
    with _on_disk(file) as given:
        try:
            ended = subprocess.run(  # noqa: S603 - our own program, the file is its input
                [sys.executable, "-I", "-c", _START, _ROOT, arguments],
                stdin=given,
                stdout=written,
                stderr=subprocess.DEVNULL,
                env={},
                timeout=limits.seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise FileRefused(in_words("time", limit=limits.seconds)) from None
    if ended in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise FileRefused(in_words("time", limit=limits.seconds))
    if ended in {-signal.SIGABRT, -signal.SIGSEGV, NO_MEMORY}:
        raise FileRefused(in_words("memory", limit=limits.memory))
    if ended == TOO_LARGE:
        raise FileRefused(in_words("size", limit=limits.bytes))
    written.seek(0)
    said: dict[str, Any] = json.loads(written.readline(_LONGEST_LINE) or b"{}")
    if code := said.pop("refused", ""):
        raise FileRefused(in_words(code, **said))
    if ended or "kind" not in said:
        raise FileRefused(in_words("broken"))
    return said


def _workbook(written: IO[bytes], said: dict[str, Any]) -> Workbook:
    # The last line is short; it says what only the end can know.
    written.seek(0, os.SEEK_END)
    written.seek(max(0, written.tell() - 200))
    last = json.loads(written.read().splitlines()[-1])
    return Workbook(written, said["sheet"], said["sheets"], last["decimals"])


@contextlib.contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The file as one that another process can be given: with a descriptor, and at its start."""
    file.seek(0)
    try:
        descriptor = file.fileno()
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            yield copy
        return
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield file
    finally:
        # The place is the other process's as well; our buffer counts on the one that it left.
        os.lseek(descriptor, place, os.SEEK_SET)


@contextlib.contextmanager
def _copied(written: IO[bytes]) -> Iterator[IO[bytes]]:
    """What stands behind the first line, as a file of its own."""
    with tempfile.TemporaryFile() as inner:
        shutil.copyfileobj(written, inner)
        yield inner
