"""The menu at the end of each row: the pages of one object that its form is one click further."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from backoffice.audit.admin.recorded import RecordedAdmin


class RowMenuMixin(RecordedAdmin):
    """Adds the history of a row and its deletion, for those who may, to Unfold's `actions_row`."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = response.context_data if isinstance(response, TemplateResponse) else None
        if context and "actions_row" in context:
            context["actions_row"] = [*context["actions_row"], *self._row_menu(request)]
        return response

    def _row_menu(self, request: HttpRequest) -> list[dict[str, Any]]:
        entries = [
            (_("History"), "history", "history", self.has_view_history_permission(request)),
            (_("Delete"), "delete", "delete", self.has_delete_permission(request)),
        ]
        prefix = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"
        return [
            {
                "title": title,
                "icon": icon,
                "raw_path": f"{prefix}_{page}",
                "display_in_dropdown": True,
            }
            for title, icon, page, may in entries
            if may
        ]
