from datetime import timedelta
from typing import Any

import unfold.admin
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedCheckboxFilter
from unfold.decorators import display

from backoffice.accounts.access import is_last_keyholder, may_manage_user
from backoffice.accounts.models import Profile, User
from backoffice.accounts.names import initials
from backoffice.search_admin import SearchAdmin

from .access import AccessAdmin
from .forms import NewUserForm, PasswordForm, UserForm, last_keyholder_message
from .permissions import in_words

# What opens doors. On one's own page these are shown and cannot be changed.
ACCESS_FIELDS = ("is_active", "is_staff", "is_superuser", "roles", "further_permissions")


class ProfileInline(unfold.admin.StackedInline):
    """The profile stands and falls with its user, and is open to whom the user is."""

    model = Profile
    fields = (("job_title", "last_active_at"), "about", "language")
    readonly_fields = ("last_active_at",)
    can_delete = False
    max_num = 1
    show_title = False
    verbose_name_plural = _("profile")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_open(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and self._is_open(request, obj)

    def _is_open(self, request: HttpRequest, user: Any) -> bool:
        users = self.admin_site.get_model_admin(User)
        return bool(users.has_change_permission(request, user))


@admin.register(User)
class UserAdmin(SearchAdmin, AccessAdmin, DjangoUserAdmin):
    """People. Nobody changes who holds more than they do, gives what they do not hold, changes
    their own access, or takes the keys from the last who has them."""

    list_display = ("person", "role_labels", "status", "last_active")
    list_select_related = ("profile",)
    ordering = ("first_name", "last_name", "email")
    search_fields = ("first_name", "last_name", "email", "phone", "username")
    search_help_text = _("Name, e-mail address or phone")
    search_text = Concat(
        "first_name",
        Value(" "),
        "last_name",
        Value(" "),
        "email",
        Value(" "),
        "phone",
        output_field=models.TextField(),
    )
    search_codes = ("email",)
    list_before_template = "accounts/similar.html"
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("groups", RelatedCheckboxFilter),
        ("is_staff", BooleanRadioFilter),
    )

    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    add_form_template = None
    add_fieldsets = (
        (_("Person"), {"fields": (("first_name", "last_name"), ("email", "phone"))}),
        (_("Password"), {"fields": (("password1", "password2"),)}),
        (_("Access"), {"fields": ("is_staff", "is_superuser", "roles")}),
    )
    fieldsets = (
        (
            _("Person"),
            {
                "fields": (
                    ("first_name", "last_name"),
                    ("email", "phone"),
                    ("birth_date", "username"),
                )
            },
        ),
        (
            _("Access"),
            {"fields": ("is_active", "is_staff", "is_superuser", "roles", "password_link")},
        ),
        (_("Important dates"), {"classes": ["tab"], "fields": (("date_joined", "last_login"),)}),
        (_("Further permissions"), {"classes": ["tab"], "fields": ("further_permissions",)}),
    )
    readonly_fields = ("password_link", "date_joined", "last_login")
    filter_horizontal = ()
    history_related = ("memberships", "own_permissions", "profile")
    as_of_columns = ("email", "first_name", "last_name", "is_active", "is_staff")

    inlines = (ProfileInline,)
    before_deletion = _(
        "Better switch off “Active” on their page: that closes the account, and their name stays "
        "where they worked. Delete only what was never used."
    )

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = set()
        if not _actor(request).is_superuser:
            hidden.add("is_superuser")
        if obj and not self.has_change_permission(request, obj):
            hidden.add("password_link")
        fieldsets = _without(hidden, super().get_fieldsets(request, obj))
        if obj and obj.pk == request.user.pk:
            why = _("Your own access is for somebody else to change.")
            return [
                (name, {**options, "description": why} if "roles" in options["fields"] else options)
                for name, options in fieldsets
            ]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        if obj and obj.pk == request.user.pk:
            return (*fields, *ACCESS_FIELDS)
        if not _actor(request).is_superuser:
            return (*fields, "is_superuser")
        return fields

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        original = context.get("original")
        if original is not None and original.pk == request.user.pk:
            context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    # Queryset

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        users: models.QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related(
            models.Prefetch("groups", Group.objects.order_by("name"))
        ).fetch_mode(models.FETCH_PEERS)

    # Permissions

    def is_within_rights(self, request: HttpRequest, obj: Any) -> bool:
        return may_manage_user(_actor(request), obj)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        if lookup.startswith("is_superuser") and not _actor(request).is_superuser:
            return False
        return super().lookup_allowed(lookup, value, request)

    # Writes

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.save_access()

    def why_not_delete(self, request: HttpRequest, obj: Any) -> str:
        if obj.pk == request.user.pk:
            return gettext("You cannot delete yourself. Ask another administrator.")
        if is_last_keyholder(obj):
            return last_keyholder_message(obj)
        return ""

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        user = self.get_object(request, unquote(id))
        if user is not None and user.pk == request.user.pk:
            # One's own asks for the old one first: a screen left unlocked is not enough.
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)

    # Displays

    @display(description=_("person"), header=True, ordering="first_name")
    def person(self, user: User) -> list[str]:
        name = user.get_full_name()
        return [
            name or user.email,
            user.email if name else "",
            initials(user.first_name, user.last_name, user.email),
        ]

    @display(description=_("roles"), label=True)
    def role_labels(self, user: User) -> list[str]:
        return [str(group) for group in user.groups.all()]

    @display(description=_("roles"))
    def roles(self, user: User) -> str:
        """Where they cannot be changed; elsewhere a form field of this name stands in its place."""
        return ", ".join(self.role_labels(user)) or "—"

    @display(description=_("further permissions"))
    def further_permissions(self, user: User) -> str:
        return in_words(user.user_permissions.select_related("content_type"))

    @display(
        description=_("status"),
        ordering="is_active",
        label={"active": "success", "guest": "warning", "inactive": "danger"},
    )
    def status(self, user: User) -> tuple[str, str]:
        if not user.is_active:
            return "inactive", gettext("Deactivated")
        if not user.is_staff:
            return "guest", gettext("No back office")
        return "active", gettext("Active")

    @display(description=_("last active"), ordering="profile__last_active_at")
    def last_active(self, user: User) -> str:
        profile = getattr(user, "profile", None)
        if profile is None or profile.last_active_at is None:
            return gettext("Never")
        if timezone.now() - profile.last_active_at < timedelta(minutes=2):
            return gettext("Now")
        return gettext("%(time)s ago") % {"time": timesince(profile.last_active_at, depth=1)}

    @display(description=_("password"))
    def password_link(self, user: User) -> str:
        return format_html(
            '<a class="text-link" href="../password/">{}</a>', gettext("Set a new password")
        )


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
    return request.user


def _without(hidden: set[str], fieldsets: Any) -> list[Any]:
    """The fieldsets without some fields, and without those that are empty then."""
    kept = []
    for name, options in fieldsets:
        lines = []
        for line in options["fields"]:
            fields = tuple(
                f for f in ([line] if isinstance(line, str) else line) if f not in hidden
            )
            if fields:
                lines.append(fields if len(fields) > 1 else fields[0])
        if lines:
            kept.append((name, {**options, "fields": tuple(lines)}))
    return kept
