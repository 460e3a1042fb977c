"""What the page of an import says of how its file was read, and asks about it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.exchange.models import ImportJob
from backoffice.exchange.reading import WORKBOOK, label_of
from backoffice.exchange.reading_form import DELIMITERS, ReadAsForm


@dataclass(frozen=True)
class FirstRow:
    """A row at the top of the file: above the table, its header, or data."""

    line: int
    cells: list[str]
    kind: str


def reading_context(
    job: ImportJob, form: ReadAsForm | None, *, is_open: bool, may_see_file: bool
) -> dict[str, Any]:
    """How the file was read, its first rows, what is to be answered, and the form for it."""
    questions = _questions(job) if is_open else []
    return {
        "read_as": _in_short(job),
        "reading_form": (form or ReadAsForm(job=job)) if is_open and may_see_file else None,
        "reading_questions": questions,
        "reading_notes": _notes(job),
        "reading_rows": list(_first_rows(job)) if may_see_file else [],
        "is_reading_open": bool(questions) or bool(form and form.errors),
    }


def _in_short(job: ImportJob) -> list[str]:
    if job.encoding == WORKBOOK:
        facts = [_("Excel workbook"), _("sheet “%(name)s”") % {"name": job.sheet}]
    else:
        facts = [label_of(job.encoding), str(DELIMITERS.get(job.delimiter, job.delimiter))]
    if not job.has_header:
        facts.append(_("no header"))
    if job.decimal_sign == "," and "numerals" in job.reading:
        facts.append(_("decimal comma"))
    if job.date_order:
        facts.append(str(job.get_date_order_display()))
    return facts


def _questions(job: ImportJob) -> list[str]:
    """What nothing in the file tells: until it is said, the cells concerned are invalid."""
    numerals, dates = job.reading.get("numerals", {}), job.reading.get("dates", {})
    asked = []
    if numerals.get("how") == "asked":
        asked.append(
            ngettext(
                "%(count)d number can be read in two ways (1,234 may be a thousand or one and a "
                "bit), and nothing in the file tells which. Say which decimal sign it has.",
                "%(count)d numbers can be read in two ways (1,234 may be a thousand or one and a "
                "bit), and nothing in the file tells which. Say which decimal sign it has.",
                numerals["unclear"],
            )
            % {"count": numerals["unclear"]}
        )
    if numerals.get("how") == "mixed":
        asked.append(
            _(
                "Some numbers have a decimal comma (%(comma)d) and some a decimal point "
                "(%(point)d). Those that could be either are invalid until you say which it is."
            )
            % numerals
        )
    if dates.get("how") == "asked":
        asked.append(
            ngettext(
                "%(count)d date can be read in two ways (03/04 may be in March or in April). Say "
                "which order the dates have.",
                "%(count)d dates can be read in two ways (03/04 may be in March or in April). Say "
                "which order the dates have.",
                dates["unclear"],
            )
            % {"count": dates["unclear"]}
        )
    return asked


def _notes(job: ImportJob) -> list[str]:
    notes = []
    header = job.source_header or job.header
    numbered = [name for i, name in enumerate(header, start=1) if name.endswith(f" ({i})")]
    repeated = numbered if job.has_header else []
    if repeated:
        notes.append(
            _(
                "Columns of one name are told apart by their number, and none of them is imported "
                "unless you choose it: %(names)s."
            )
            % {"names": ", ".join(repeated)}
        )
    above = job.header_line - job.has_header
    if above > 0:
        notes.append(
            ngettext(
                "%(count)d line above the table is not read.",
                "%(count)d lines above the table are not read.",
                above,
            )
            % {"count": above}
        )
    if not job.has_header:
        notes.append(_("The first row is taken for data: the file has no header."))
    if len(sheets := job.reading.get("sheets", [])) > 1:
        notes.append(_("Sheets: %(names)s. One is read.") % {"names": ", ".join(sheets)})
    return notes


def _first_rows(job: ImportJob) -> Any:
    for line, cells in job.reading.get("first_rows", []):
        is_header = job.has_header and line == job.header_line
        is_above = line <= job.header_line and not is_header
        kind = "header" if is_header else "above" if is_above else "data"
        yield FirstRow(line, cells, kind)
