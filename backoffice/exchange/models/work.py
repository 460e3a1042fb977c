from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Work(models.Model):
    """How far a worker is with something that was handed to it (see progress and liveness)."""

    step = models.CharField(_("step"), max_length=100, blank=True)
    done = models.BigIntegerField(_("done"), default=0)
    total = models.BigIntegerField(_("of"), default=0)
    started_at = models.DateTimeField(_("started"), db_default=Now())
    heartbeat_at = models.DateTimeField(_("last sign of life"), db_default=Now())
    cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    # The task that it was handed to, and how often that was done by itself after a death.
    task_id = models.CharField(_("task"), max_length=100, blank=True)
    restarts = models.PositiveSmallIntegerField(_("started again"), default=0)
    # The backend that works on it, so that it can be cancelled in the middle of a statement.
    backend_pid = models.IntegerField(_("database process"), null=True)
    # What happened to a worker that died, or why it could not go on.
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        abstract = True
