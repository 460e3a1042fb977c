"""A sheet as lines of JSON: which one, and its rows as a person reads them."""

import json
import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Any
from xml.etree import ElementTree as ET

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from .cells import Format, formats_of, shown
from .examination import Examined, Refused, number_of_column, pieces

_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A cell's opening tag and what follows it: its attributes, whether it has a formula, its value.
_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^>]*?)(/?)>"
    rb"(?:\s*<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)(\s*(?:<(?:\w+:)?v\s*/>|"
    rb"<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>)?)?"
    rb"(?:\s*<(?:\w+:)?v>([^<]*)</)?"
)
_ATTRIBUTE = re.compile(rb"([a-z]+)\s*=\s*[\"']([^\"']*)[\"']")
_PLACE = re.compile(rb"([A-Z]{1,3})([0-9]{1,7})")
_MOST_ODD_CELLS = 5_000_000


def write_sheet(file: IO[bytes], found: Examined, out: IO[bytes], wanted: str) -> None:
    """Say which sheets there are, and write the rows of one: the wanted, or the first with any.

    Raises Refused.
    """
    try:
        file.seek(0)
        workbook = CalamineWorkbook.from_filelike(file)
        sheets = [
            sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet
        ]
        names = [sheet.name for sheet in sheets]
        if not names:
            raise Refused("no_sheet")
        if wanted and wanted not in names:
            raise Refused("sheet", name=wanted, names=names)
        # A hidden sheet is not what its sender looks at; it can be chosen by name.
        open_ones = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible] or names
        for name in [wanted] if wanted else open_ones:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is not None:
                break
        else:
            name, sheet = open_ones[0], workbook.get_sheet_by_name(open_ones[0])
    except PasswordError as error:
        raise Refused("password") from error
    except CalamineError as error:
        raise Refused("broken") from error
    odd = _odd_cells(found.archive, name)
    _line(out, {"kind": "workbook", "sheets": names, "sheet": name})
    count, decimals = 0, False
    if sheet.start is not None:
        for number, cells, has_decimals in _rows(sheet, odd):
            _line(out, [number, cells])
            count, decimals = count + 1, decimals or has_decimals
    _line(out, {"rows": count, "decimals": decimals})


def _line(out: IO[bytes], what: Any) -> None:
    out.write(json.dumps(what, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _rows(
    sheet: CalamineSheet, odd: dict[int, dict[int, str | Format]]
) -> Iterator[tuple[int, list[str], bool]]:
    """(number, cells from column A on, whether one is a number with decimals), unless blank."""
    assert sheet.start is not None  # noqa: S101 - the caller's promise, for mypy
    before = [""] * sheet.start[1]
    for number, values in enumerate(sheet.iter_rows(), start=1):
        here = odd.get(number)
        if here is None:
            cells = [value if type(value) is str else shown(value) for value in values]
        else:
            cells = []
            for index, value in enumerate(values, start=len(before)):
                said = here.get(index)
                if isinstance(said, Format):
                    cells.append(said.shown(value))
                else:
                    cells.append(said if said is not None else shown(value))
        if any(cells):
            decimals = any(type(value) is float and value % 1 for value in values)
            yield number, before + cells, decimals


def _odd_cells(archive: zipfile.ZipFile, sheet: str) -> dict[int, dict[int, str | Format]]:
    """Cells that calamine does not give as they are seen: {row: {column: text or format}}.

    Errors (it has them blank) and numbers whose format shows them with zeros before them or as
    percent. A formula without a result would be blank too, so such a workbook is refused.
    """
    formats = formats_of(_part(archive, "xl/styles.xml"))
    styles = {number: how for number, how in formats.items() if how is not None}
    found: dict[int, dict[int, str | Format]] = {}
    count = 0
    for piece in pieces(archive, _part_of_sheet(archive, sheet)):
        if not styles and b"<f" not in piece and b":f" not in piece and b'"e"' not in piece:
            continue
        for cell in _CELL.finditer(piece):
            attributes, _closed, unanswered, value = cell.groups()
            is_error = b't="e"' in attributes or b"t='e'" in attributes
            if not is_error and unanswered is None and not (styles and b"s=" in attributes):
                continue
            of_cell = dict(_ATTRIBUTE.findall(attributes))
            place = _PLACE.fullmatch(of_cell.get(b"r", b""))
            if unanswered is not None and of_cell.get(b"t") != b"str":
                raise Refused("formula", cell=of_cell.get(b"r", b"?").decode("ascii", "replace"))
            how = styles.get(int(of_cell[b"s"])) if of_cell.get(b"s", b"").isdigit() else None
            what = (value or b"#N/A").decode("utf-8", "replace") if is_error else how
            if what is None:
                continue
            if place is None:
                raise Refused("broken")
            count += 1
            if count > _MOST_ODD_CELLS:
                raise Refused("memory")
            column, row = number_of_column(place[1]) - 1, int(place[2])
            found.setdefault(row, {})[column] = what
    return found


def _part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive's part that holds the sheet of this name."""
    base = _workbook_part(archive)
    folder, _slash, name = base.rpartition("/")
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in _part(archive, f"{folder}/_rels/{name}.rels") or ()
    }
    book = _part(archive, base)
    for element in () if book is None else book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            target = targets.get(element.get(_RELATED), "")
            path = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
            path = posixpath.normpath(path)
            if path in archive.namelist():
                return path
    raise Refused("broken")


def _workbook_part(archive: zipfile.ZipFile) -> str:
    for relation in _part(archive, "_rels/.rels") or ():
        if (relation.get("Type") or "").endswith("/officeDocument"):
            return (relation.get("Target") or "").lstrip("/")
    return "xl/workbook.xml"


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element | None:
    """A part as a tree; it has no document type, which the examination saw to."""
    if name not in archive.namelist():
        return None
    try:
        return ET.fromstring(b"".join(pieces(archive, name)))  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise Refused("broken") from error
