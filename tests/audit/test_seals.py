"""What is new on the record comes under a seal: all of it, once, whatever runs at the same time."""

from backoffice.audit.models import ChangeSet
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product


def found() -> list[str]:
    return [finding.message for finding in Verification().findings()]


def test_smoke(product: Product, change_set: ChangeSet) -> None:
    outcome = seal_new_entries()
    assert outcome.seals == 1
    assert found() == []
