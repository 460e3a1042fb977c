from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation


@pytest.fixture(autouse=True)
def _own_language_afterwards() -> Iterator[None]:
    """A request leaves its language with the thread, as the next one brings its own."""
    yield
    translation.activate(settings.LANGUAGE_CODE)
