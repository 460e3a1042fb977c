"""What the catalogue refuses."""

from decimal import Decimal

from django.utils.translation import gettext as _

from backoffice.exceptions import DomainError


class PercentOutOfRange(DomainError):
    """A change of prices that would make them negative, or is surely a slip of the keyboard."""

    def __init__(self, *, percent: Decimal, lowest: Decimal, highest: Decimal) -> None:
        self.percent = percent
        self.lowest = lowest
        self.highest = highest
        super().__init__(
            _("Prices change by %(lowest)s to %(highest)s percent at a time, not by %(percent)s.")
            % {"percent": percent, "lowest": lowest, "highest": highest}
        )
