"""The encoding of a text file, proven over the whole of it; nothing is guessed."""

import codecs
from typing import IO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.exceptions import FileRefused

# What a user may say a file is, where it is not UTF-8.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": gettext_lazy("Windows-1252 (Western Europe)"),
    "cp1250": gettext_lazy("Windows-1250 (Central Europe)"),
    "iso-8859-1": "ISO 8859-1 (Latin-1)",
    "iso-8859-15": "ISO 8859-15 (Latin-9)",
    "mac_roman": "Mac OS Roman",
}
_ALSO = {"latin-1": "iso-8859-1", "latin1": "iso-8859-1", "windows-1252": "cp1252", "utf8": "utf-8"}
_CHUNK = 1 << 20
_START = 4096
_SHOWN = 60
_LEAST_ZEROS = 3
# In these bytes Latin-1 has nothing that is ever written; Windows-1252 has the euro and quotes.
_NOT_LATIN_1 = bytes(range(0x80, 0xA0))


def label_of(encoding: str) -> str:
    """The name of an encoding for people, as `Dialect.encoding` has it."""
    name = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
    return str(ENCODINGS.get(name, name))


def proven_encoding(file: IO[bytes], named: str) -> str:
    """How to decode the file, `named` by the user or found. Raises FileRefused with the line."""
    named = _ALSO.get(named.lower(), named.lower())
    if named and named not in ENCODINGS:
        raise FileRefused(
            _("There is no encoding “%(name)s”. Choose one of: %(known)s.")
            % {"name": named, "known": ", ".join(ENCODINGS)}
        )
    file.seek(0)
    start = file.read(_START)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    elif start.startswith(codecs.BOM_UTF8):
        name = "utf-8-sig"
    elif named in {"", "utf-16"} and (found := _utf_16_without_mark(start)):
        name = found
    elif named == "utf-16":
        raise FileRefused(
            _(
                "Nothing in the file says in which order its bytes stand (there is no byte order "
                "mark), so it cannot be read as UTF-16. Save it as “CSV UTF-8”."
            )
        )
    else:
        name = named if named and named != "utf-8" else "utf-8-sig"
    if name == "iso-8859-1":
        _refuse_windows_signs(file)
    if not name.startswith("utf"):
        _refuse_hidden_utf_8(file, name)
    _prove(file, name)
    return name


def _utf_16_without_mark(start: bytes) -> str:
    """UTF-16 is told by the zero byte that each Latin letter and sign has, always on one side."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    # Other letters have none, and some (Ā is 0x0100) have theirs on the other side. In a text of
    # 8-bit signs there is none at all.
    if odd >= _LEAST_ZEROS and odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even >= _LEAST_ZEROS and even > 4 * odd else ""


def _prove(file: IO[bytes], name: str) -> None:
    decoder = codecs.getincrementaldecoder(name)(errors="strict")
    file.seek(0)
    lines = 1
    while True:
        chunk = file.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise FileRefused(
                _(
                    "Line %(line)d is not %(encoding)s (byte %(byte)s). Save the file as “CSV "
                    "UTF-8”, or choose the encoding that it has.%(as_windows)s"
                )
                % {
                    "line": lines + error.object[: error.start].count(b"\n"),
                    "encoding": label_of(name),
                    "byte": f"0x{error.object[error.start]:02X}",
                    "as_windows": _as_windows(error) if name == "utf-8-sig" else "",
                }
            ) from error
        if "\0" in text:
            raise FileRefused(
                _("Line %(line)d has a NUL character: this is not a text file in %(encoding)s.")
                % {
                    "line": lines + text[: text.index("\0")].count("\n"),
                    "encoding": label_of(name),
                }
            )
        if not chunk:
            return
        lines += text.count("\n")


def _as_windows(error: UnicodeDecodeError) -> str:
    """The words around a byte that is not UTF-8, as the commonest other encoding has them."""
    start = error.object.rfind(b"\n", 0, error.start) + 1
    around = error.object[max(start, error.start - _SHOWN // 2) : error.start + _SHOWN // 2]
    try:
        text = around.splitlines()[0].decode("cp1252").strip()
    except (UnicodeDecodeError, IndexError):
        return ""
    if not text.isprintable():
        return ""
    return " " + _("As Windows-1252 it would read “%(text)s”.") % {"text": text}


def _refuse_windows_signs(file: IO[bytes]) -> None:
    file.seek(0)
    lines = 1
    while chunk := file.read(_CHUNK):
        if found := chunk.translate(None, bytes(set(range(256)) - set(_NOT_LATIN_1))):
            at = chunk.index(found[:1])
            raise FileRefused(
                _(
                    "Line %(line)d has the byte %(byte)s, which is no sign of Latin-1. Choose "
                    "Windows-1252, which has one there."
                )
                % {"line": lines + chunk[:at].count(b"\n"), "byte": f"0x{found[0]:02X}"}
            )
        lines += chunk.count(b"\n")


def _refuse_hidden_utf_8(file: IO[bytes], name: str) -> None:
    """A file that is UTF-8 from end to end, with signs of several bytes, is nothing else.

    Any 8-bit encoding would read each such sign as two or three others, and nobody would be told.
    """
    decoder, sign = codecs.getincrementaldecoder("utf-8")(errors="strict"), ""
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if not sign and not text.isascii():
                sign = next(letter for letter in text if not letter.isascii())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return
    if sign:
        raise FileRefused(
            _(
                "The file is UTF-8: as %(encoding)s its “%(sign)s” would become “%(wrong)s”. "
                "Choose UTF-8, or let the encoding be found out."
            )
            % {
                "encoding": label_of(name),
                "sign": sign,
                "wrong": sign.encode().decode(name, "replace"),
            }
        )
