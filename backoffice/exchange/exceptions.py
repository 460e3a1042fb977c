"""What can stand in the way of a file. Each carries its data; the message is for people."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.exceptions import DomainError


class ExchangeError(DomainError):
    """Base of all that a file, or what is asked for it, can be refused for."""


class FileRefused(ExchangeError):
    """The file as a whole cannot be read; the message says why and what to do."""


class ExportRefused(ExchangeError):
    """The rows cannot be written as a file of this kind; the message says why and what to do."""


class TemplateRefused(ExchangeError):
    """An export template cannot be kept, or not by this person."""


class UnknownResource(ExchangeError):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            _("There is no resource “%(name)s”. Choose one of: %(known)s.")
            % {"name": name, "known": ", ".join(known)}
        )


class MappingRefused(ExchangeError):
    """The columns chosen cannot be imported together."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


class ProfileRefused(ExchangeError):
    """There is no such profile, or it cannot be kept under that name."""


class WrongState(ExchangeError):
    """The import is past, or not yet at, the point that was asked for."""


class FeedRefused(ExchangeError):
    """The file of a feed cannot be fetched, or must not be."""


class Cancelled(ExchangeError):
    """Its user stopped the work on an import; nothing of it was written."""


class ReasonMissing(ExchangeError):
    def __init__(self) -> None:
        super().__init__(
            _("An import needs a reason. Say why, such as “Supplier's prices of March”.")
        )


class RowsInvalid(ExchangeError):
    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(
            ngettext(
                "%(count)d row is invalid, so nothing was written. Correct the file, or choose "
                "to import the valid rows only.",
                "%(count)d rows are invalid, so nothing was written. Correct the file, or choose "
                "to import the valid rows only.",
                count,
            )
            % {"count": count}
        )


class TooManyMissing(ExchangeError):
    """More than half of what is in use is not in the file, and nobody confirmed that."""

    def __init__(self, count: int, among: int) -> None:
        self.count, self.among = count, among
        super().__init__(
            _(
                "%(count)d of %(among)d are not in the file and would be deactivated. Confirm it "
                "if the file is the full list; otherwise choose what it is the full list of."
            )
            % {"count": count, "among": among}
        )


class PlanStale(ExchangeError):
    """Data changed since the preview, so that applying would not do what it showed."""

    def __init__(self, row_numbers: Sequence[int], what: str = "") -> None:
        self.row_numbers = list(row_numbers)
        rows = ", ".join(str(number) for number in self.row_numbers)
        text = _("The data changed since the preview, so nothing was written.")
        if rows:
            text += " " + _("Rows concerned: %(rows)s.") % {"rows": rows}
        if what:
            text += f" {what}"
        super().__init__(text + " " + _("Look at the new preview and apply again."))
