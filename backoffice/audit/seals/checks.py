"""System checks: the record can be sealed, somebody outside is told, and what is kept is known."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

from . import keys, publishing
from .exceptions import SealError
from .retention import retention


@register(Tags.models)
def what_is_kept_for_a_time_is_known(**_: Any) -> list[CheckMessage]:
    """AUDIT_RETENTION names models that have a history."""
    try:
        retention()
    except SealError as error:
        return [checks.Error(str(error), id="audit.E006")]
    return []


@register(Tags.security, deploy=True)
def seals_can_be_made(**_: Any) -> list[CheckMessage]:
    """A key to sign with, or at least one to verify by: only one server needs the private one."""
    if not settings.AUDIT_SIGNING_KEY and not settings.AUDIT_PUBLIC_KEYS:
        return [
            checks.Warning(
                "Nothing proves that the record is what it was: there is no key to seal it with.",
                hint=(
                    "Make one with `manage.py audit_make_key FILE`. Set AUDIT_SIGNING_KEY=FILE "
                    "where audit_seal runs, AUDIT_PUBLIC_KEYS=FILE.pub everywhere else."
                ),
                id="audit.W001",
            )
        ]
    try:
        keys.public_keys()
    except SealError as error:
        return [checks.Warning(str(error), id="audit.W001")]
    return []


@register(Tags.security, deploy=True)
def seals_are_published(**_: Any) -> list[CheckMessage]:
    """Whoever holds the key and the database can make new seals, unless the old ones are known."""
    if not settings.AUDIT_PUBLISH:
        return [
            checks.Warning(
                "Seals are published nowhere: whoever holds the key and the database could "
                "replace them all.",
                hint=(
                    "Set AUDIT_PUBLISH to places that they cannot change: file:///folder/file, "
                    "mailto:address, https://server/path, separated by commas."
                ),
                id="audit.W002",
            )
        ]
    try:
        for url in settings.AUDIT_PUBLISH:
            publishing.destination_of(url)
    except SealError as error:
        return [checks.Warning(str(error), id="audit.W002")]
    return []
