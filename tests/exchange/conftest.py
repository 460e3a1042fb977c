from collections.abc import Iterator

import pytest

from backoffice.audit.context import Source, audit_context


@pytest.fixture
def at_work() -> Iterator[None]:
    """A context as `manage.py` opens it, for tests that call several services in a row."""
    with audit_context(source=Source.COMMAND, action="test", reason="test"):
        yield
