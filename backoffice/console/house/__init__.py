"""What people, files and the record give to the command palette and to the dashboard."""

from backoffice.console.dashboard.page import count_beforehand
from backoffice.exchange.housekeeping import every_round

from . import files, people, record

__all__ = ["files", "people", "record"]

every_round(count_beforehand)
