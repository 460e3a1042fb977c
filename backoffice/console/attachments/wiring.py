"""Puts attachments on every form and timeline, and under the rules of undo."""

from backoffice.audit.admin.beside import Beside, show_beside
from backoffice.audit.undo.guards import UndoGuard, guard_undo
from backoffice.console.models import Attachment

from .pages import attachments_tab
from .services import of_what_may_not_be_changed

show_beside(Beside(model=Attachment, attname="reference", tab=attachments_tab))
guard_undo(Attachment, UndoGuard(forbidden=of_what_may_not_be_changed))
