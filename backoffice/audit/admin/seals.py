from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from backoffice.audit.models import Seal
from backoffice.audit.seals.checkpoints import note
from backoffice.audit.seals.state import state
from backoffice.audit.wording import moment_in_words


@admin.register(Seal)
class SealAdmin(ModelAdmin):
    """The state of the proof: what is sealed, published and verified. Nobody changes anything."""

    list_display = ("number", "when", "entries", "short_hash", "signed_with")
    list_display_links = None
    list_per_page = 50
    list_fullwidth = True
    list_disable_select_all = True
    list_before_template = "audit/seals.html"
    # Nothing can be selected, and counting the seals would take longer than showing them.
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)
    sortable_by = ()
    actions = None

    class Media:
        css = {"all": ("audit/audit.css",)}

    def get_urls(self) -> list[URLPattern]:
        """The list alone."""
        return [
            pattern for pattern in super().get_urls() if pattern.name == "audit_seal_changelist"
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        extra_context = {"title": _("Seals"), **(extra_context or {})}
        if self.has_view_permission(request):
            now = state()
            extra_context |= {"state": now, "note": note(now.last_seal) if now.last_seal else ""}
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    # The proof is looked at, and nothing else, whoever asks.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Seal | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Seal | None = None) -> bool:
        return False

    @display(description=gettext_lazy("Seal"))
    def number(self, seal: Seal) -> int:
        return seal.pk

    @display(description=gettext_lazy("When"))
    def when(self, seal: Seal) -> str:
        return moment_in_words(seal.at)

    @display(description=gettext_lazy("Entries"), formatting="price", wrapper_class="number-column")
    def entries(self, seal: Seal) -> str:
        return number_format(seal.count, force_grouping=True)

    @display(description=gettext_lazy("Hash"))
    def short_hash(self, seal: Seal) -> str:
        return f"{seal.hash[:16]}…"

    @display(description=gettext_lazy("Key"))
    def signed_with(self, seal: Seal) -> str:
        return seal.key_id
