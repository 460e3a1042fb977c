"""The rows of a preview that an address asks for, and the ways on from there."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy

from backoffice.exchange.deactivating import missing_rows
from backoffice.exchange.models import ImportJob
from backoffice.exchange.preview import PreviewRow, preview_rows
from backoffice.exchange.resources import Resource
from backoffice.exchange.searching import find_rows
from backoffice.exchange.staleness import SHOWN, stale_rows

PAGE = 50
STATUSES = {
    "new": gettext_lazy("new"),
    "changed": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "invalid": gettext_lazy("invalid"),
    "conflict": gettext_lazy("conflict"),
    "missing": gettext_lazy("not in the file"),
}
_LONGEST_SEARCH = 200


def place_in(query: QueryDict) -> dict[str, str]:
    """What of an address says where in the preview one is; nonsense says nothing."""
    place: dict[str, str] = {}
    if (status := str(query.get("status", ""))) in STATUSES:
        place["status"] = status
    if text := query.get("q", "").replace("\0", "").strip()[:_LONGEST_SEARCH]:
        place["q"] = text
    if query.get("columns") == "changed":
        place["columns"] = "changed"
    for name in ("after", "before"):
        number = query.get(name, "")
        if number.isascii() and number.isdecimal() and len(number) < 10:
            place[name] = number
    return place


def rows_context(
    request: HttpRequest, job: ImportJob, resource: Resource, hidden: Collection[str]
) -> dict[str, Any]:
    place = place_in(request.GET)
    status, text = place.get("status", ""), place.get("q", "")
    after, before = int(place.get("after", 0)), int(place.get("before", 0))
    reached = None
    found_keys: list[PreviewRow] = []
    if status == "missing" and job.deactivated:
        rows = missing_rows(
            job, resource, after=after, before=before, limit=PAGE + 1, hidden=hidden
        )
    elif status == "missing":
        rows = []
    elif text:
        found = find_rows(
            job, resource, text, status=status, after=after, limit=PAGE, hidden=hidden
        )
        numbers = {*found.keys, *found.rows}
        by_number = {
            row.number: row
            for row in preview_rows(
                job, resource, numbers=numbers, limit=len(numbers), hidden=hidden
            )
        }
        found_keys = [by_number[n] for n in found.keys]
        rows = [by_number[n] for n in found.rows if n not in set(found.keys)]
        reached = found.reached
    else:
        rows = preview_rows(
            job, resource, status=status, after=after, before=before, limit=PAGE + 1, hidden=hidden
        )
    next_row = previous = None
    if text and status != "missing":
        next_row = reached
    else:
        is_more = len(rows) > PAGE
        rows = (rows[1:] if before else rows[:PAGE]) if is_more else rows
        next_row = rows[-1].number if rows and (is_more or before) else None
        has_previous = is_more if before else after > 0
        previous = (rows[0].number if rows else after + 1) if has_previous else None
    rows = [*found_keys, *rows]

    def address(**changed: Any) -> str:
        kept = {n: v for n, v in place.items() if n not in ("after", "before")}
        parts = {n: v for n, v in {**kept, **changed}.items() if v}
        return f"?{urlencode(parts)}#rows"

    only_changed = place.get("columns") == "changed"
    stale = stale_rows(job, resource)
    return {
        "status": status,
        "status_label": STATUSES.get(status, ""),
        "search": text,
        "place": urlencode(place),
        "rows": rows,
        "shown": _shown_columns(job, resource, rows, only_changed=only_changed),
        "disputed_rows": any(row.disputes for row in rows),
        "only_changed": only_changed,
        "next_row": next_row,
        "is_first_page": not after and not before,
        "searched_to": reached if reached is not None and len(rows) < PAGE else None,
        "first_address": address(),
        "next_address": address(after=next_row) if next_row else "",
        "previous_address": address(before=previous) if previous else "",
        "columns_address": address(columns="" if only_changed else "changed"),
        "all_address": address(status="", q=""),
        "stale": stale[:SHOWN],
        "is_more_stale": len(stale) > SHOWN,
    }


def _shown_columns(
    job: ImportJob, resource: Resource, rows: list[PreviewRow], *, only_changed: bool
) -> list[str]:
    """The names of the columns to show: all, or the key and what changes or is wrong."""
    names = [cell.name for cell in rows[0].cells] if rows else []
    if not only_changed:
        return names
    wanted = {resource.key(), *job.summary.get("fields", {})} | {
        cell.name for row in rows for cell in row.cells if cell.is_changed or cell.is_wrong
    }
    return [name for name in names if name in wanted]
