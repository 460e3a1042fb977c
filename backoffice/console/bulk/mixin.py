from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage

from .checks import check_bulk_fields
from .edit_form import editable_in_bulk
from .editing import BulkEdit


class BulkEditMixin(admin.ModelAdmin):
    """Bulk edit for every list; `bulk_fields` names what is offered.

    Without it, that is every field of the form that many rows may share: neither unique nor
    read-only. `()` offers nothing.
    """

    bulk_fields: Sequence[str] | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.actions is not None and editable_in_bulk(self):
            self.actions = [BulkEdit(self), *self.actions]

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(**kwargs), *check_bulk_fields(self)]
