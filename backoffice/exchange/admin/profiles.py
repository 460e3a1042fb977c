from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.audit.admin import HistoryAdmin
from backoffice.exchange.models import ImportProfile
from backoffice.exchange.resources import get_resource
from backoffice.exchange.transforming import KINDS


@admin.register(ImportProfile)
class ImportProfileAdmin(HistoryAdmin, SimpleHistoryAdmin, ModelAdmin):
    """What was chosen for suppliers' files: looked at, renamed, shared and deleted here.

    A profile is made, and brought up to date, on the page of an import.
    """

    list_display = ["name", "what", "user", "is_shared", "used_at", "created_at"]
    list_filter = ["is_shared"]
    list_select_related = ["user"]
    search_fields = ["name"]
    list_fullwidth = True
    empty_state = (
        gettext_lazy("No profiles yet"),
        gettext_lazy("Import a file, choose its columns, and save the choices as a profile."),
    )

    fields = ["name", "is_shared", "what", "user", "columns", "more", "used_at", "created_at"]
    readonly_fields = ["what", "user", "columns", "more", "used_at", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportProfile]:
        """The shared ones and one's own; who keeps people's access sees all."""
        profiles: QuerySet[ImportProfile] = super().get_queryset(request)
        if request.user.has_perm("exchange.view_importjob"):
            return profiles
        return profiles.filter(Q(is_shared=True) | Q(user=request.user.pk))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, profile: ImportProfile | None) -> bool:
        """Somebody else's own profile is theirs alone."""
        return profile is None or profile.is_shared or profile.user_id == request.user.pk

    # Displays

    @display(description=gettext_lazy("what"), ordering="resource")
    def what(self, profile: ImportProfile) -> str:
        options = get_resource(profile.resource).model()._meta
        return str(capfirst(options.verbose_name_plural))

    @display(description=gettext_lazy("columns"))
    def columns(self, profile: ImportProfile) -> str:
        columns = sorted(profile.choices.get("columns", {}).items(), key=lambda item: item[1])
        return format_html_join("", "{} → {}<br>", ((header, target) for target, header in columns))

    @display(description=gettext_lazy("and"))
    def more(self, profile: ImportProfile) -> str:
        choices = profile.choices
        lines = [
            *(
                _("every row gets %(field)s: %(value)s") % {"field": target, "value": value}
                for target, value in choices.get("constants", {}).items()
            ),
            *(
                f"{target}: {KINDS[step['kind']].label} {step['first']} {step['second']}".strip()
                for target, steps in choices.get("transformations", {}).items()
                for step in steps
                if step["kind"] in KINDS
            ),
        ]
        if choices.get("deactivate_missing"):
            scope = ", ".join(choices.get("deactivate_scope", {}).values())
            lines.append(
                _("deactivates what is not in the file (%(of)s)") % {"of": scope or _("of all")}
            )
        return format_html("{}", format_html_join("", "{}<br>", ((line,) for line in lines))) or "—"
