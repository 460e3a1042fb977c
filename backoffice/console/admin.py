"""What every ModelAdmin of Stockbook is built on."""

from typing import TYPE_CHECKING, Any

import unfold.admin
from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from simple_history.admin import SimpleHistoryAdmin

from backoffice.audit.admin import HistoryAdmin
from backoffice.audit.admin.undo_now import undo_button
from backoffice.audit.reasons import bulk_needs_reason
from backoffice.audit.undo.services import change_set_of_this_transaction
from backoffice.exchange.admin import ExchangeAdmin

from .attachments import wiring  # noqa: F401 - puts them on every form
from .bulk.mixin import BulkEditMixin
from .bulk.pages import BulkJobAdmin
from .fieldsets import without
from .forms import FormsMixin, InlineMixin
from .lists.mixin import ListMixin
from .reasons import ReasonMixin
from .secrecy import SecretFieldsMixin
from .through import BareLinkMixin, ConsoleChecks
from .widgets import DECIMALS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

__all__ = ["BulkJobAdmin", "ModelAdmin", "StackedInline", "TabularInline"]

# Deleting collects every row and all that hangs on it, and lists them for the user to read.
MOST_DELETED_AT_ONCE = 1000


class ModelAdmin(
    HistoryAdmin,
    ExchangeAdmin,
    FormsMixin,
    ReasonMixin,
    BulkEditMixin,
    ListMixin,
    SecretFieldsMixin,
    BareLinkMixin,
    SimpleHistoryAdmin,
    unfold.admin.ModelAdmin,
):
    """Unfold's look, simple-history's pages, and the record told who does what and why.

    `empty_state` is what an empty list says: a title, and what to do first.
    """

    checks_class = ConsoleChecks
    formfield_overrides = DECIMALS

    list_per_page = 50
    list_max_show_all = 200
    list_fullwidth = True
    list_filter_submit = True
    show_full_result_count = False
    empty_value_display = "—"
    empty_state: "tuple[StrOrPromise, StrOrPromise] | None" = None

    warn_unsaved_form = True
    change_form_show_cancel_button = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        # A relation that a page forgot to join is fetched once for all rows, not once for each.
        return super().get_queryset(request).fetch_mode(models.FETCH_PEERS)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what an empty list offers to those who may: the way to import."""
        changelist: Any = super().get_changelist_instance(request)
        may_import = self.has_import_permission(request)
        changelist.import_link = self.record_url("import") if may_import else ""
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the database fills in has nothing to show before it has."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None:
            return fieldsets
        return without(fieldsets, {field.name for field in self.opts.fields if not field.editable})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django takes an action that the user may not use for none at all; here it is refused."""
        wanted = request.POST.get("action", "")
        known = {action.name for action in self._get_base_actions()}
        if wanted in known and wanted not in self.get_actions(request):
            raise PermissionDenied
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def response_action(
        self, request: HttpRequest, queryset: QuerySet, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        if request.POST.get("action") == delete_selected.__name__:
            across = request.POST.get("select_across") == "1"
            if across and queryset[: MOST_DELETED_AT_ONCE + 1].count() > MOST_DELETED_AT_ONCE:
                self.message_user(
                    request,
                    _("At most %d can be deleted at once. Filter the list, or select fewer.")
                    % MOST_DELETED_AT_ONCE,
                    messages.ERROR,
                )
                return None
            if "post" in request.POST and self._reason_is_missing(request, bulk=True):
                return None
        response: HttpResponse | None = super().response_action(request, queryset, *args, **kwargs)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data.setdefault(
                "reason_required", self.deletion_needs_reason() or bulk_needs_reason()
            )
        return response

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            change_set = change_set_of_this_transaction()
        if undo := undo_button(request, change_set, back=request.get_full_path()):
            messages.info(request, format_html("{} {}", _("Was it a mistake?"), undo))

    # Django's own log would tell a second, poorer story than the record: of the admin's forms only.
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None


class TabularInline(InlineMixin, BareLinkMixin, unfold.admin.TabularInline):
    """Rows of another model on the form, in a table."""

    formfield_overrides = DECIMALS
    extra = 0
    empty_value_display = "—"


class StackedInline(InlineMixin, BareLinkMixin, unfold.admin.StackedInline):
    """Rows of another model on the form, below each other."""

    formfield_overrides = DECIMALS
    extra = 0
    empty_value_display = "—"
