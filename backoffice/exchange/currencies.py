"""Amounts of a file in another currency than the shop's: which it is, and at which rate.

The rate is a step of the columns concerned, so it is seen there, kept in profiles, and exact.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from .checking import cell_text, mapped_columns
from .choices import Choices
from .models import ImportJob
from .numerals import currency_of, in_another_currency
from .quantities import DecimalColumn
from .resources import Resource

_WRONG = ":other_currency"


def other_currency(job: ImportJob, resource: Resource) -> str:
    """The one currency, besides the shop's, that a planned job's amounts are in; "" if none is."""
    columns = mapped_columns(job, resource)
    cells = [
        f"({cell_text(job, columns[name])})"
        for name in columns_concerned(job)
        if isinstance(columns.get(name), DecimalColumn)
    ]
    if not cells:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT {currency_of('v')} FROM {job.stage('raw')} r, "
            f"LATERAL (VALUES {', '.join(cells)}) cells (v) WHERE {in_another_currency('v')} "
            "LIMIT 10"
        )
        own = settings.CURRENCY
        found = {name for (name,) in cursor.fetchall() if name and name != own}
    return found.pop() if len(found) == 1 else ""


def columns_concerned(job: ImportJob) -> Sequence[str]:
    """The fields whose cells were refused for being in another currency."""
    return [
        problem.removesuffix(_WRONG)
        for problem in job.summary.get("problems", {})
        if problem.endswith(_WRONG)
    ]


def at_rate(job: ImportJob, rate: str) -> Choices:
    """The job's choices with its other currency converted at this rate."""
    step = {"kind": "convert", "first": job.summary.get("currency", ""), "second": rate}
    steps = {target: list(found) for target, found in job.transformations.items()}
    for target in columns_concerned(job):
        before = [s for s in steps.get(target, ()) if s["kind"] != "convert"]
        steps[target] = [step, *before]
    return replace(Choices.of(job), transformations=steps)


def rates_in_words(job: ImportJob) -> str:
    """The rates at which a job's amounts are converted, for the record."""
    rates = {
        (step["first"], step["second"]): None
        for steps in job.transformations.values()
        for step in steps
        if step["kind"] == "convert"
    }
    return ", ".join(
        _("1 %(currency)s = %(rate)s %(own)s")
        % {"currency": currency, "rate": rate, "own": settings.CURRENCY}
        for currency, rate in rates
    )
