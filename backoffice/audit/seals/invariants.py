"""What must always hold of the seals."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy

from backoffice.audit.invariants import invariant, rows_without_a_change_set
from backoffice.audit.models import Seal

from .exceptions import SealError
from .publishing import checkpoints_at_hand
from .verifying import Verification


@invariant(
    "I10", gettext_lazy("every history row belongs to a change set; sealed change sets verify")
)
def record_that_does_not_verify() -> Iterator[str]:
    """The triggers and the live rows are I7 and I8."""
    for orphans in rows_without_a_change_set():
        yield orphans.message
    if not Seal.objects.exists():
        return
    try:
        verification = Verification(checkpoints=[*checkpoints_at_hand()])
        for finding in verification.findings(sealed_alone=True):
            yield finding.message
    except SealError as error:  # what cannot be verified does not hold
        yield str(error)
