"""What is new on the record comes under a seal: all of it, once, whatever runs at the same time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.audit.context import Source, audit_context
from backoffice.audit.models import ChangeSet, Seal, SealedEntry, SealedRows, SealForm
from backoffice.audit.seals import canonical, keys, merkle, sealing
from backoffice.audit.seals.chain import seal_hash
from backoffice.audit.seals.exceptions import KeyMissing, SealError
from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification
from inventory.models import Product

from .conftest import a_product


def found() -> list[str]:
    return [finding.message for finding in Verification().findings()]


def test_smoke(product: Product, change_set: ChangeSet) -> None:
    outcome = seal_new_entries()
    assert outcome.seals == 1
    assert found() == []
