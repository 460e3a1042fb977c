"""Changes of many rows at once: planned, locked in the order of their keys, written set-based.

A plan annotates each row with `skip`: why it is left alone, "" if it changes. The preview counts
it and the service carries it out, so both say the same. A plan looks at its own row and at what
is linked with it, never at its neighbours.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Case, Count, F, Func, QuerySet, Value, When
from django.db.models.functions import Round
from django.utils.translation import gettext as _

from backoffice.audit.context import AuditContext, Source, audit_context, current_context
from backoffice.audit.reasons import ReasonMissing, bulk_needs_reason, said
from backoffice.audit.replanning import plan_anew
from backoffice.progress import report

# So many rows one statement writes: in between it is told how far the work is.
BLOCK = 20_000
# For as few as this any plan will do, and to make a new one takes longer.
MANY = 1_000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many rows were changed, and how many were left alone for which reason."""

    done: int
    skipped: Mapping[str, int] = field(default_factory=dict)


def skipping(*cases: When) -> Case:
    """The `skip` of a plan: the first case that holds says why."""
    return Case(*cases, default=Value(""), output_field=models.CharField())


def counted(planned: QuerySet[Any]) -> dict[str, int]:
    """How many rows a plan leaves alone, by reason; "" has those that change."""
    return dict(planned.values_list("skip").annotate(number=Count("pk")).order_by())


def raised_by_percent(number: Any, percent: Any, places: int) -> Any:
    """The number changed by percent and rounded, a half upwards.

    What stands at the cent stays at the cent; what goes below, as the price of a screw does, keeps
    all its decimals.
    """
    wide = models.DecimalField(max_digits=30, decimal_places=10)
    return rounded(number, number * Value((100 + percent) / 100, output_field=wide), places)


def rounded(number: Any, exact: Any, places: int) -> Any:
    """`exact`, with as many decimals as `number` has need of."""
    result = models.DecimalField(max_digits=30, decimal_places=places)
    if places <= 2:
        return Round(exact, precision=places, output_field=result)
    at_the_cent = models.lookups.Exact(number, Round(number, precision=2))
    return Case(
        When(at_the_cent, then=Round(exact, precision=2)),
        default=Round(exact, precision=places),
        output_field=result,
    )


def lock_in_order(rows: QuerySet[Any]) -> list[Any]:
    """Lock rows in the order of their keys until the transaction ends; returns the keys.

    Whoever writes many rows locks them in this order, so two of them wait for each other and
    never stand in each other's way crosswise.
    """
    found = rows.model._base_manager.filter(pk__in=rows.order_by().values("pk"))
    return list(found.order_by("pk").select_for_update().values_list("pk", flat=True))


def with_keys(model: type[models.Model], keys: Sequence[Any]) -> QuerySet[Any]:
    """The rows of these keys, which go over as one array and not as a parameter each."""
    kind = model._meta.pk.rel_db_type(connection)
    among = Func(
        F("pk"),
        Value([*keys]),
        arg_joiner=" = ANY(",
        template=f"(%(expressions)s::{kind}[]))",
        output_field=models.BooleanField(),
    )
    return model._default_manager.filter(among).order_by()


@transaction.atomic
def carry_out(
    *,
    rows: QuerySet[Any],
    plan: Callable[[QuerySet[Any]], QuerySet[Any]],
    write: Callable[[QuerySet[Any]], object],
    actor: Any,
    reason: str,
    action: Callable[[int], str],
) -> Outcome:
    """Lock, plan, write. `write` gets the planned rows that change, many at a time.

    All of it is one change set, in the words of `action`. Raises ReasonMissing where the reason
    is blank.
    """
    reason = said(reason)
    if bulk_needs_reason() and not reason:
        raise ReasonMissing
    report(_("Finding the rows"))
    # By their keys from here on: a change may take a row out of the filter that found it.
    keys = lock_in_order(rows)
    skipped = Counter(counted(plan(with_keys(rows.model, keys))))
    changing = skipped.pop("", 0)
    if changing:
        with _on_the_record(actor=actor, reason=reason, action=action(changing)):
            if changing > MANY:
                plan_anew()
            for number, block in enumerate(batched(keys, BLOCK, strict=False)):
                _tell(number * BLOCK, of=len(keys))
                write(plan(with_keys(rows.model, block)).filter(skip=""))
        report(_("Finishing"))
    return Outcome(done=changing, skipped=dict(sorted(skipped.items())))


def _tell(done: int, *, of: int) -> None:
    report(_("Writing"), total=of, probe=lambda _cursor: done)


def _on_the_record(*, actor: Any, reason: str, action: str) -> AbstractContextManager[AuditContext]:
    facts = {"actor": actor, "reason": reason, "action": action}
    if current_context() is None:  # nobody opened one: someone at a Python prompt
        facts["source"] = Source.SHELL
    return audit_context(**facts)
