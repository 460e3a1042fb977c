"""Which columns feed which fields, and how; and the plan that follows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.exchange.choices import Choices, checked_choices
from backoffice.exchange.exceptions import PlanStale, WrongState
from backoffice.exchange.merging import FILE, THEIRS, disputes_of
from backoffice.exchange.models import ImportJob, ImportProfile
from backoffice.exchange.profiles import forget_profile, keep_profile
from backoffice.exchange.resources import get_resource
from backoffice.exchange.staging import is_staged

from .custody import locked, work_context
from .steps import look_at_content, plan, read_and_plan

State = ImportJob.State


@transaction.atomic
def map_columns(
    *,
    job: ImportJob,
    mapping: Mapping[str, int] | None = None,
    choices: Choices | None = None,
    later: bool = False,
) -> ImportJob:
    """Choose which columns feed which fields, and how, and plan anew.

    A mapping alone leaves the other choices as they are. With `later` the plan is left to
    read_import(). Raises MappingRefused, WrongState.
    """
    declared, job = get_resource(job.resource), locked(job)
    if choices is None:
        choices = replace(Choices.of(job), mapping=job.mapping if mapping is None else mapping)
    checked_choices(declared, choices, job.header, job.user).put_on(job)
    job.guesses = {}  # what was not taken of them is not wanted
    with work_context(
        job, declared, source=None, action=gettext_lazy("%(what)s: columns of %(file)s chosen")
    ):
        if later:
            job.state, job.summary = State.READING, {}
        else:
            plan(job, declared)
        job.save()
    return job


@transaction.atomic
def map_and_keep(
    *,
    job: ImportJob,
    choices: Choices,
    name: str,
    is_shared: bool,
    user: Any,
    later: bool = False,
) -> ImportProfile:
    """Plan with these choices, and keep them as a profile; both or neither.

    Raises what map_columns() raises, and ProfileRefused.
    """
    job = map_columns(job=job, choices=choices, later=later)
    declared = get_resource(job.resource)
    with work_context(
        job, declared, source=None, action=gettext_lazy("%(what)s: profile of %(file)s kept")
    ):
        return keep_profile(job=job, name=name, is_shared=is_shared, user=user)


@transaction.atomic
def do_without_profile(*, job: ImportJob, later: bool = False) -> ImportJob:
    """Go back to what the headers alone tell, and plan anew if that has the key."""
    declared, job = get_resource(job.resource), locked(job)
    forget_profile(job, declared)
    if is_staged(job):
        look_at_content(job, declared)
    job.state = State.UPLOADED
    with work_context(
        job, declared, source=None, action=gettext_lazy("%(what)s: columns of %(file)s chosen")
    ):
        if later:
            job.state, job.summary = State.READING, {}
        else:
            read_and_plan(job, declared)
        job.save()
    return job


@transaction.atomic
def choose_in_conflicts(
    *,
    job: ImportJob,
    chosen: Mapping[int, Mapping[str, str]],
    seen_plan: str,
    later: bool = False,
) -> ImportJob:
    """Say of single cells in conflict whether the file's value is written, and plan anew.

    `chosen` is {row number: {field: THEIRS, FILE or "" for neither}}; it holds for the state of
    the rows that the plan `seen_plan` shows. With `later` the plan is left to read_import().
    Raises PlanStale if that is no longer the plan, WrongState.
    """
    declared, job = get_resource(job.resource), locked(job)
    if job.state != State.CHECKED:
        raise WrongState(_("Choose the columns first; then look at the preview and apply."))
    if not is_staged(job) or seen_plan != job.summary["plan"]:
        raise PlanStale([])
    choices = dict(job.conflict_choices)
    for number, live, disputed in disputes_of(job, chosen):
        said = {n: chosen[number].get(n, "") for n in disputed}
        cells = {name: choice for name, choice in said.items() if choice in {THEIRS, FILE}}
        choices[str(number)] = {"live": live, "cells": cells}
    job.conflict_choices = {number: said for number, said in choices.items() if said["cells"]}
    action = gettext_lazy("%(what)s: conflicts of %(file)s decided")
    with work_context(job, declared, source=None, action=action):
        if later:
            job.state = State.READING
        else:
            plan(job, declared)
        job.save()
    return job


@transaction.atomic
def plan_again(*, job: ImportJob, being: State | None = None) -> ImportJob:
    """Look again at what the file would do to the data as they are now."""
    declared, job = get_resource(job.resource), locked(job, being=being)
    with work_context(
        job, declared, source=None, action=gettext_lazy("%(what)s: %(file)s checked again")
    ):
        plan(job, declared)
        job.save()
    return job
