from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from backoffice.audit.undo.writing import rule_of
from backoffice.exceptions import DomainError


class PreviewOutdated(DomainError):
    """What would change is not what was seen. Nothing is written."""

    def __init__(self) -> None:
        super().__init__(
            _("What would change is not what you saw last. Look at it again, then apply.")
        )


class JobRefused(DomainError):
    """A job that cannot be carried out, begun again or cancelled; the message says why."""


class RefusedByDatabase(DomainError):
    """A rule that no plan foresaw, such as one that looks at several rows. Nothing is written."""

    def __init__(self, model: Any, error: DatabaseError) -> None:
        name = rule_of(error)
        rule = next((each for each in model._meta.constraints if each.name == name), None)
        self.rule = str(rule.violation_error_message) if rule else name
        super().__init__(
            _("Nothing was changed, for a rule forbids it: %(rule)s") % {"rule": self.rule}
        )
