"""What a file is, by its content; its name has to agree."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from .exceptions import AttachmentRefused


@dataclass(frozen=True)
class FileType:
    label: str
    content_type: str
    endings: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
PDF = FileType("PDF", "application/pdf", (".pdf",))
PNG = FileType("PNG", "image/png", (".png",))
JPEG = FileType("JPEG", "image/jpeg", (".jpg", ".jpeg"))
GIF = FileType("GIF", "image/gif", (".gif",))
WEBP = FileType("WebP", "image/webp", (".webp",))
XLSX = FileType("XLSX", f"{_OFFICE}.spreadsheetml.sheet", (".xlsx",))
DOCX = FileType("DOCX", f"{_OFFICE}.wordprocessingml.document", (".docx",))
ODS = FileType("ODS", f"{_OPEN}.spreadsheet", (".ods",))
ODT = FileType("ODT", f"{_OPEN}.text", (".odt",))
ZIP = FileType("ZIP", "application/zip", (".zip",))
CSV = FileType("CSV", "text/csv", (".csv",))
TXT = FileType("TXT", "text/plain", (".txt",))
TYPES = (PDF, PNG, JPEG, GIF, WEBP, XLSX, DOCX, ODS, ODT, ZIP, CSV, TXT)

_HEAD = 1024
# What no text has: control signs, but for tabs and ends of lines and pages.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
# What a browser would take for a page, whatever it is called.
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<svg", b"<?xml", b"<script", b"<iframe")


def type_of(file: IO[bytes], name: str) -> FileType:
    """The type of a file. Raises AttachmentRefused for any other, and if its name says another."""
    ending = next((end for each in TYPES for end in each.endings if name.lower().endswith(end)), "")
    allowed = get_text_list([each.label for each in TYPES], _("or"))
    if not ending:
        raise AttachmentRefused(
            _("“%(name)s” is of no type that can be attached. Attach a file of type %(types)s.")
            % {"name": name, "types": allowed}
        )
    file.seek(0)
    found = [each for each in _by_content(file) if ending in each.endings]
    file.seek(0)
    if not found:
        raise AttachmentRefused(
            _(
                "“%(name)s” is not what its name says: its content is not that of a %(ending)s "
                "file. Save it as what it is, then attach it."
            )
            % {"name": name, "ending": ending}
        )
    return found[0]


def _by_content(file: IO[bytes]) -> Iterator[FileType]:
    """All types that the content can be."""
    head = file.read(_HEAD)
    if head.startswith(b"%PDF-"):
        yield PDF
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        yield PNG
    elif head.startswith(b"\xff\xd8\xff"):
        yield JPEG
    elif head.startswith((b"GIF87a", b"GIF89a")):
        yield GIF
    elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        yield WEBP
    elif head.startswith(b"PK\x03\x04"):
        yield from _by_directory(file)
    elif _is_text(file, head):
        yield from (CSV, TXT)


def _by_directory(file: IO[bytes]) -> Iterator[FileType]:
    """Nothing is unpacked but the few bytes by which OpenDocument names itself."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            declared = b""
            if "mimetype" in names:
                with archive.open("mimetype") as entry:
                    declared = entry.read(100)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
        return
    if any(name.rpartition("/")[2].lower() == "vbaproject.bin" for name in names):
        return  # macros
    for each in (ODS, ODT):
        if declared.strip() == each.content_type.encode():
            yield each
            return
    if "[Content_Types].xml" in names:
        yield from (
            each
            for each, main in ((XLSX, "xl/workbook.xml"), (DOCX, "word/document.xml"))
            if main in names
        )
    yield ZIP


def _is_text(file: IO[bytes], head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_MARKUP):
        return False
    block = head
    while block:
        if _NO_TEXT.search(block):
            return False
        block = file.read(1 << 16)
    return True
