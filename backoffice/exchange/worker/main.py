"""What runs in the process of its own: limit yourself, look at the container, hand out the rows.

The first line says what the file is: {"kind": "workbook", "sheets": [...], "sheet": name}, then a
line [row number, [cells]] for each row that is not blank, and {"rows": n, "decimals": bool} at the
end; or {"kind": "member", "name": ...} and then the bytes of the one file that an archive holds;
or {"refused": code, ...facts}.
"""

import errno
import gzip
import json
import os
import resource
import shutil
import sys
import zlib
from typing import IO, Any

from .examination import Limits, Refused, examine
from .sheets import write_sheet

TOO_LARGE, BROKEN, NO_MEMORY = 3, 4, 5
_CHUNK = 1 << 18
_FILES = 16


def limit_this_process(limits: Limits) -> None:
    """Memory, processor time and output run out here, and nowhere else."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    # The signal at the soft limit ends the process; the hard one stands behind it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.bytes, limits.bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))


def main(arguments: str) -> None:
    said = json.loads(arguments)
    limits = Limits(**said["limits"])
    limit_this_process(limits)
    out = sys.stdout.buffer
    try:
        with open(0, "rb", closefd=False) as file:
            _unpack(file, out, limits, said["sheet"])
        out.flush()
    except MemoryError:
        _end(NO_MEMORY)
    except OSError as error:
        _end(TOO_LARGE if error.errno == errno.EFBIG else BROKEN)
    except (EOFError, ValueError, ArithmeticError, zlib.error, RuntimeError):
        _end(BROKEN)


def _unpack(file: IO[bytes], out: IO[bytes], limits: Limits, sheet: str) -> None:
    try:
        if file.read(2) == b"\x1f\x8b":
            file.seek(0)
            _tell(out, {"kind": "member", "name": ""})
            with gzip.GzipFile(fileobj=file) as unzipped:
                shutil.copyfileobj(unzipped, out, _CHUNK)
            return
        file.seek(0)
        found = examine(file, limits)
        if found.member is None:
            write_sheet(file, found, out, sheet)
            return
        _tell(out, {"kind": "member", "name": found.member})
        with found.archive.open(found.member) as member:
            shutil.copyfileobj(member, out, _CHUNK)
    except Refused as refused:
        _tell(out, {"refused": refused.code, **refused.facts})


def _tell(out: IO[bytes], facts: dict[str, Any]) -> None:
    out.write(json.dumps(facts).encode() + b"\n")


def _end(status: int) -> None:
    """Without flushing: what is in the buffer may be what could not be written."""
    os._exit(status)
