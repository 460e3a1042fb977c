from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from backoffice.accounts.access import may_manage_role
from backoffice.accounts.models import Membership, Role, RolePermission
from backoffice.accounts.roles import RoleName
from backoffice.audit.selectors import Strand

from .access import AccessAdmin
from .forms import RoleForm
from .permissions import in_words

MOST_PEOPLE_SHOWN = 20

# Django's own page would change roles past all of this.
admin.site.unregister(Group)


@admin.register(Role)
class RoleAdmin(AccessAdmin):
    """Roles. Nobody changes one that holds more than they do, or puts into one what they lack."""

    list_display = ("name", "people_count", "permission_count")
    ordering = ("name",)
    search_fields = ("name",)

    form = RoleForm
    fieldsets = (
        (None, {"fields": ("name", "people")}),
        (_("Permissions"), {"fields": ("rights",)}),
    )
    readonly_fields = ("people",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name",)}), *self.fieldsets[1:])
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and _is_built_in(obj):
            # Migrations find them by name when they give them the rights over a new part.
            return ("name", *self.readonly_fields)
        return self.readonly_fields

    # Queryset

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Role]:
        roles: models.QuerySet[Role] = super().get_queryset(request)
        return roles.annotate(
            people_number=_number_of(Membership),
            permission_number=_number_of(Role.permissions.through),
        )

    def history_parts(self) -> Iterator[Strand]:
        # The relation leads to Django's own table; the proxy of it is what has a history.
        yield Strand(model=RolePermission, attname="group_id")

    # Permissions

    def is_within_rights(self, request: HttpRequest, obj: Any) -> bool:
        return may_manage_role(request.user, obj)  # type: ignore[arg-type]

    # Writes

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.save_rights()

    def why_not_delete(self, request: HttpRequest, obj: Any) -> str:
        number = Membership.objects.filter(group=obj).count()
        if number:
            return ngettext(
                "%(number)d person holds the role %(role)s. Give them another role first.",
                "%(number)d people hold the role %(role)s. Give them another role first.",
                number,
            ) % {"number": number, "role": obj}
        if _is_built_in(obj):
            return gettext(
                "The role %(role)s comes with Stockbook and stays. You can take its permissions "
                "away, or give it to nobody."
            ) % {"role": obj}
        return ""

    # Displays

    @display(description=_("people"), ordering="people_number")
    def people_count(self, role: Any) -> str:
        if not role.people_number:
            return "0"
        return format_html(
            '<a class="text-link" href="{}?groups__id__exact={}">{}</a>',
            reverse("admin:accounts_user_changelist"),
            role.pk,
            role.people_number,
        )

    @display(description=_("permissions"), ordering="permission_number")
    def permission_count(self, role: Any) -> int:
        number: int = role.permission_number
        return number

    @display(description=_("people"))
    def people(self, role: Role) -> str:
        memberships = Membership.objects.filter(group=role).select_related("user")
        shown = [
            (reverse("admin:accounts_user_change", args=[membership.user_id]), membership.user)
            for membership in memberships.order_by("user__first_name", "user__email")[
                :MOST_PEOPLE_SHOWN
            ]
        ]
        if not shown:
            return gettext("Nobody holds this role.")
        names = format_html_join(", ", '<a class="text-link" href="{}">{}</a>', shown)
        more = memberships.count() - len(shown)
        if more:
            return format_html("{} {}", names, ngettext("and %d more", "and %d more", more) % more)
        return names

    @display(description=_("permissions"))
    def rights(self, role: Role) -> str:
        return in_words(role.permissions.select_related("content_type"))


def _is_built_in(role: Group) -> bool:
    return role.name in RoleName.values


def _number_of(link: type[models.Model]) -> Subquery:
    """How many rows of a link table point at the role; two joins would multiply each other."""
    rows = link._default_manager.filter(group=OuterRef("pk")).order_by().values("group")
    return Subquery(rows.annotate(number=Count("pk")).values("number"))
