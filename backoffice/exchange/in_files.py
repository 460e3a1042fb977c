"""What files say is in one language: a file is read and written alike, whoever does it."""

from typing import Any

from django.conf import settings
from django.utils import translation


def in_files(text: Any) -> str:
    """A lazily translated text as files have it."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(text)
