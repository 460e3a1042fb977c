"""Why a workbook or an archive is not opened, and what to do, in words."""

from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_WORDS = {
    "old_workbook": gettext_lazy(
        "This is an old Excel workbook (.xls), or one with a password. Open it, save it as .xlsx "
        "without a password, and upload that."
    ),
    "password": gettext_lazy(
        "The file is protected by a password. Save it without one, and upload that."
    ),
    "binary_workbook": gettext_lazy(
        "This is a binary workbook (.xlsb). Save it as .xlsx or as CSV (UTF-8)."
    ),
    "open_document": gettext_lazy(
        "This is an OpenDocument file (.ods). Save it as .xlsx or as CSV (UTF-8)."
    ),
    "numbers": gettext_lazy(
        "This is a file of Apple Numbers. Export it from there as CSV or as Excel (.xlsx)."
    ),
    "other_document": gettext_lazy(
        "This is a document, not a table. Save the table in it as .xlsx or as CSV (UTF-8)."
    ),
    "pdf": gettext_lazy(
        "This is a PDF, whose tables cannot be read without guessing. Ask for the same list as "
        "CSV or as .xlsx."
    ),
    "image": gettext_lazy("This is a picture, not a table. Ask for the list as CSV or as .xlsx."),
    "other_archive": gettext_lazy(
        "This is an archive that is not opened here. Unpack it, and upload the table in it."
    ),
    "database": gettext_lazy("This is a database file. Export the table in it as CSV (UTF-8)."),
    "broken": gettext_lazy(
        "The file is damaged or not what its first bytes say: it cannot be opened. Save it again "
        "as .xlsx or as CSV (UTF-8)."
    ),
    "method": gettext_lazy(
        "The archive is packed in a way that is not opened here. Unpack it, and upload the table."
    ),
    "entries": gettext_lazy(
        "The archive holds %(count)d files; at most %(limit)d are looked at. Upload the table "
        "itself, or raise EXCHANGE_ARCHIVE_MAX_FILES."
    ),
    "size": gettext_lazy(
        "Unpacked, the file is larger than %(limit)s. Split it, or raise EXCHANGE_MAX_BYTES."
    ),
    "ratio": gettext_lazy(
        "Unpacked, the file is %(ratio)d times as large; at most %(limit)d times is let through. "
        "Upload the table as CSV, or raise EXCHANGE_ARCHIVE_MAX_RATIO."
    ),
    "members": gettext_lazy(
        "The archive holds %(count)d files (%(names)s), not exactly one table (CSV or XLSX). "
        "Unpack it, and upload the table itself."
    ),
    "nested": gettext_lazy(
        "There is a file packed inside the file. Take it out, or save the table as CSV (UTF-8)."
    ),
    "macros": gettext_lazy(
        "The workbook has macros, which are not let in. Save it as .xlsx without macros, or as "
        "CSV (UTF-8)."
    ),
    "external_links": gettext_lazy(
        "The workbook has links to other workbooks, whose values may be old. Break the links "
        "(in Excel: Data, Edit links), or save the sheet as CSV (UTF-8)."
    ),
    "doctype": gettext_lazy(
        "The workbook has a document type (DOCTYPE) in it, which no spreadsheet program writes. "
        "Save it again as .xlsx or as CSV (UTF-8)."
    ),
    "dimension": gettext_lazy(
        "The sheet says that it has %(rows)d rows and %(columns)d columns. Delete the empty rows "
        "and columns around the table, or raise EXCHANGE_WORKER_BYTES."
    ),
    "formula": gettext_lazy(
        "Cell %(cell)s has a formula without a result. Open the workbook in a spreadsheet "
        "program, save it, and upload it again."
    ),
    "no_sheet": gettext_lazy(
        "The workbook has no sheet with cells. Save the table as CSV (UTF-8)."
    ),
    "sheet": gettext_lazy("The workbook has no sheet “%(name)s”. Choose one of: %(names)s."),
    "memory": gettext_lazy(
        "To open the file takes more memory than %(limit)s. Save the sheet as CSV (UTF-8), or "
        "raise EXCHANGE_WORKER_BYTES."
    ),
    "time": gettext_lazy(
        "To open the file takes longer than %(limit)d seconds. Save the sheet as CSV (UTF-8), or "
        "raise EXCHANGE_WORKER_SECONDS."
    ),
}


def in_words(code: str, **facts: Any) -> str:
    """The refusal of a code. Sizes are given in bytes, and shown as people count them."""
    for name in ("size", "limit"):
        if name in facts and code in {"size", "memory"}:
            facts[name] = filesizeformat(facts[name]).replace("\xa0", " ")
    if "names" in facts:
        facts["names"] = ", ".join(facts["names"]) or _("none")
    return str(_WORDS[code]) % facts
