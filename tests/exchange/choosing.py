"""A file with what its user, or a profile, decides about it."""

from dataclasses import replace
from typing import Any

from backoffice.audit.context import Source, audit_context
from backoffice.exchange.choices import Choices
from backoffice.exchange.models import ImportJob
from backoffice.exchange.services import map_columns

from .files import bring


def choose(job: ImportJob, **chosen: Any) -> ImportJob:
    with audit_context(source=Source.COMMAND, action="test"):
        return map_columns(job=job, choices=replace(Choices.of(job), **chosen))


def brought(content: str, *, user: Any = None, **chosen: Any) -> ImportJob:
    return choose(bring(content, user=user), **chosen)


def step(kind: str, first: str = "", second: str = "") -> dict[str, str]:
    return {"kind": kind, "first": first, "second": second}
