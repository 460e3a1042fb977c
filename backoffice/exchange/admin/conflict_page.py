"""The choices of single conflicts, sent from the rows of a preview."""

import re
from collections.abc import Mapping

from django.http import QueryDict

from backoffice.exchange.merging import FILE, THEIRS
from backoffice.exchange.models import ImportJob

_CELL = re.compile(r"cell_([0-9]{1,9})_(\w+)", re.ASCII)


def chosen_in(sent: QueryDict) -> Mapping[int, Mapping[str, str]]:
    """{row number: {field: choice}} of the cells on the page, and of the button that was pressed.

    A button chooses for all cells of the page, or of one row, whatever stands in them.
    """
    row, _colon, for_row = sent.get("row", "").partition(":")
    found: dict[int, dict[str, str]] = {}
    for name, said in sent.items():
        if cell := _CELL.fullmatch(name):
            number, field = int(cell[1]), cell[2]
            pressed = for_row if row == cell[1] else sent.get("all", "")
            choice = pressed if pressed in {THEIRS, FILE} else str(said)
            found.setdefault(number, {})[field] = choice
    return found


def has_new_choices(sent: QueryDict, job: ImportJob) -> bool:
    """Whether a cell of the page was chosen otherwise than the preview has it."""
    return any(
        choice != job.conflict_choices.get(str(number), {}).get("cells", {}).get(field, "")
        for number, cells in chosen_in(sent).items()
        for field, choice in cells.items()
    )
