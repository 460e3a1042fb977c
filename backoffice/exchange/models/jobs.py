import re
import uuid
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from backoffice.audit.models import ChangeSet
from backoffice.audit.trail import Trail

from .work import Work


def private_path(job: models.Model, name: str) -> str:
    """A folder that nobody can guess for each file; no URL serves it anyway."""
    safe = re.sub(r"[^\w.-]", "_", PurePath(name).name[-100:])
    return f"imports/{uuid.uuid4().hex}/{safe}"


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def visible_to(self, user: Any) -> "ImportJobQuerySet":
        """A job is its user's; who may view all jobs (auditors) sees all."""
        return self if user.has_perm("exchange.view_importjob") else self.filter(user=user)


class ImportJob(models.Model):
    """One file on its way into the catalogue, and what became of it.

    The file, its fingerprint and the counts stay; the rows are staged in tables of their own
    (schema `exchange`) until the job has ended.
    """

    class State(models.TextChoices):
        READING = "reading", _("being read")  # stored; a worker stages and checks its rows
        UPLOADED = (
            "uploaded",
            _("waits for its columns"),
        )  # stored and staged; columns still to be chosen
        CHECKED = (
            "checked",
            _("waits for your decision"),
        )  # every row classified; the preview stands
        APPLYING = "applying", _("being applied")  # handed to a worker, which writes it
        APPLIED = "applied", _("imported")  # written, in one transaction
        FAILED = "failed", _("could not be read")  # a worker could not go on; nothing was written
        DISCARDED = "discarded", _("discarded")  # given up; nothing was written

    class BlankCells(models.TextChoices):
        KEEP = "keep", _("keep what is there")
        CLEAR = "clear", _("clear the field")
        DEFAULT = "default", _("put the default there")

    class DateOrder(models.TextChoices):
        UNKNOWN = "", _("not needed, or to be asked")
        YEAR_FIRST = "ymd", _("year, month, day")
        DAY_FIRST = "dmy", _("day, month, year")
        MONTH_FIRST = "mdy", _("month, day, year")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="import_jobs",
        verbose_name=_("user"),
        help_text=_("Empty if the command line brought the file in."),
    )
    resource = models.CharField(_("what"), max_length=50)
    file = models.FileField(_("stored file"), upload_to=private_path, max_length=200)
    file_name = models.CharField(_("file"), max_length=255)
    size = models.BigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    encoding = models.CharField(_("encoding"), max_length=20)
    delimiter = models.CharField(_("delimiter"), max_length=1)
    header = models.JSONField(_("header"), default=list)
    header_line = models.PositiveIntegerField(_("header line"), default=1)
    has_header = models.BooleanField(_("the first row names the columns"), default=True)
    sheet = models.CharField(_("sheet"), max_length=100, blank=True)
    decimal_sign = models.CharField(_("decimal sign"), max_length=1, default=".")
    date_order = models.CharField(
        _("order of dates"), max_length=3, choices=DateOrder.choices, blank=True
    )
    # {"said": what the user chose, "first_rows": [[line, cells]], and what else was found}
    reading = models.JSONField(_("read as"), default=dict)
    # The name of the shop's format by which it was recognised, or "plain" if the user said that it
    # has none; `header` is what that makes of the file's own, `source_header`.
    source_format = models.CharField(_("format"), max_length=50, blank=True)
    source_header = models.JSONField(_("header of the file"), default=list)
    # What of such a file has no home here: [name, number of cells that hold something].
    left_out = models.JSONField(_("not imported"), default=list)
    # {target: index of the file's column}
    mapping = models.JSONField(_("mapping"), default=dict)
    # {target: value that every row gets}
    constants = models.JSONField(_("constants"), default=dict)
    # {target: [{"kind": "trim" | "upper" | ..., further facts}]}, in the order of their doing.
    transformations = models.JSONField(_("transformations"), default=dict)
    # Relations whose missing objects are made; None means all that the resource offers.
    creates = models.JSONField(_("makes what is missing"), null=True, default=None)
    blank_cells = models.CharField(
        _("blank cells"), max_length=7, choices=BlankCells.choices, default=BlankCells.KEEP
    )
    # {relation: unique field of the related model that the cells name, where not the usual one}
    lookups = models.JSONField(_("recognised by"), default=dict)
    # {target: index} that only the content suggests; nothing is mapped by it.
    guesses = models.JSONField(_("guessed"), default=dict)
    deactivate_missing = models.BooleanField(_("deactivate what is not in the file"), default=False)
    # {field: value} of the rows that the file is the full list of; all rows if empty.
    deactivate_scope = models.JSONField(_("full list of"), default=dict)
    overwrite_conflicts = models.BooleanField(_("conflicts overwritten"), default=False)
    # {row number: {"live": the version that was seen, "cells": {field: "theirs" or "file"}}}
    conflict_choices = models.JSONField(_("choices of conflicts"), default=dict)
    profile = models.ForeignKey(
        "exchange.ImportProfile",
        on_delete=models.SET_NULL,
        null=True,
        related_name="jobs",
        verbose_name=_("profile"),
    )
    feed = models.ForeignKey(
        "exchange.ImportFeed",
        on_delete=models.SET_NULL,
        null=True,
        related_name="jobs",
        verbose_name=_("feed"),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.UPLOADED
    )
    reason = models.TextField(_("reason"), blank=True)
    valid_rows_only = models.BooleanField(_("valid rows only"), default=False)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    new = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    invalid = models.PositiveIntegerField(_("invalid"), default=0)
    conflicts = models.PositiveIntegerField(_("conflicts"), default=0)
    deactivated = models.PositiveIntegerField(_("deactivated"), default=0)
    # {"fields": {name: changed cells}, "problems": {"field:code": rows}, "creates": {name: [text]}}
    summary = models.JSONField(_("summary"), default=dict)
    seconds = models.FloatField(_("seconds"), default=0)
    change_set = models.ForeignKey(
        ChangeSet,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="import_jobs",
        verbose_name=_("change set"),
    )
    errors_file = models.FileField(
        _("rows that failed"), upload_to=private_path, max_length=200, blank=True
    )
    created_at = models.DateTimeField(_("uploaded"), db_default=Now())
    applied_at = models.DateTimeField(_("applied"), null=True)

    objects = ImportJobQuerySet.as_manager()
    no_undo = "That the file was brought in stays true when what it changed is undone."

    # What happened to the file is on the record; how far the work got is not.
    history = Trail(
        excluded_fields=[
            "header", "header_line", "mapping", "summary", "seconds", "change_set", "errors_file",
            "has_header", "sheet", "reading", "decimal_sign", "date_order", "source_format",
            "source_header", "left_out",
            "constants", "transformations", "creates", "profile", "feed", "lookups", "guesses",
            "deactivate_scope", "conflict_choices",
        ],
        ignored_fields=[
            "rows", "new", "changed", "unchanged", "invalid", "conflicts", "deactivated", "file",
        ],
    )  # fmt: skip

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        default_permissions = ("view",)
        ordering = ("-id",)
        indexes = [models.Index(fields=["user", "-id"], name="exchange_importjob_user")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="applied") | (Q(applied_at__isnull=False) & ~Q(reason="")),
                name="exchange_importjob_applied_with_reason",
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    def stage(self, part: str) -> str:
        """The quoted name of one of the job's staging tables: raw, checked, plan, clean_<field>."""
        return f'exchange."{part}_{self.pk}"'

    @property
    def left(self) -> int:
        """How many rows are not written: the invalid ones, and conflicts unless overwritten."""
        return self.invalid + (0 if self.overwrite_conflicts else self.conflicts)


class ImportProgress(Work):
    """How far a worker is with a job: written on a connection of its own, so that it can be seen.

    The job's own row is locked by the transaction that does the work.
    """

    no_trail = "It tells how far work is; what the work changed is on the record."

    job = models.OneToOneField(
        ImportJob, on_delete=models.CASCADE, primary_key=True, related_name="progress"
    )

    class Meta:
        verbose_name = _("progress of an import")
        verbose_name_plural = _("progress of imports")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.job_id}: {self.step} {self.done}/{self.total}"
