"""The language of the record: the same whoever is at work, so that all can search and read it."""

from typing import Any

from django.conf import settings
from django.utils import translation


def on_record(text: Any, facts: Any = None) -> str:
    """A lazily translated text, with its facts, in the words in which the record keeps it.

    Names of kinds and of fields among the facts are lazy too, or they would be in the language
    of whoever is at work.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return str(text if facts is None else text % facts)
