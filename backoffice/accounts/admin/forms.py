"""The forms of people and roles. Each knows who fills it in, and offers what they may give."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from backoffice.accounts import access
from backoffice.accounts.forms import NormalisedEmailFormField
from backoffice.accounts.models import Membership, Role, RolePermission, User, UserPermission
from backoffice.accounts.roles import RoleName
from backoffice.audit.forms import ReasonField
from backoffice.audit.reasons import needs_reason

from .permissions import PermissionsField, of_this_project


class RolesField(forms.ModelMultipleChoiceField):
    widget = UnfoldAdminCheckboxSelectMultipleWidget
    default_error_messages = {
        "invalid_choice": _(
            "You cannot give this role: it holds permissions that you do not have."
        ),
    }


class StateField(forms.CharField):
    """Sent back as it was shown; shown as it is now."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ReasonForm(forms.Form):
    """Asks why, and insists on an answer where it matters."""

    change_reason = ReasonField(
        label=_("Reason for this change"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("Goes on the record, for whoever asks later. Needed when access changes."),
    )

    # Which state of the person or role the page shows, and what to say if it is not today's.
    state_seen = StateField()
    stale: ClassVar[str] = ""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.stale:
            self.add_error(None, self.stale)
        return cleaned

    def require_reason(self) -> None:
        if not self.cleaned_data.get("change_reason") and "change_reason" not in self.errors:
            self.add_error("change_reason", _("Say why access changes; it goes on the record."))


class AccessForm(ReasonForm):
    """The part of a user's form that decides what they may do.

    Fields that the page does not offer (one's own access, or `is_superuser` to those who are not)
    are not in the form, so nothing that is posted for them counts.
    """

    actor: ClassVar[User]  # set by the ModelAdmin for each request
    instance: User

    roles = RolesField(label=_("Roles"), queryset=Group.objects.none(), required=False)
    further_permissions = PermissionsField(
        label=_("Further permissions"),
        queryset=None,
        required=False,
        help_text=_("Rights of this person beyond their roles; rarely needed."),
    )

    def offer_what_the_actor_may_give(self) -> None:
        user = self.instance
        if "roles" in self.fields:
            offered = access.grantable_roles(self.actor)
            _choice(self, "roles").queryset = offered
            self.fields["roles"].help_text = _what_is_missing(offered)
            if user.pk:
                self.initial["roles"] = list(user.groups.values_list("pk", flat=True))
        if "further_permissions" in self.fields:
            offered_permissions = of_this_project(access.grantable_permissions(self.actor))
            _choice(self, "further_permissions").queryset = offered_permissions
            if user.pk:
                # Only those on offer, or the others would count as taken away.
                self.initial["further_permissions"] = list(
                    user.user_permissions.filter(
                        pk__in=offered_permissions.values("pk")
                    ).values_list("pk", flat=True)
                )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        touched = {"roles", "further_permissions", "is_superuser", "is_active", "is_staff"}
        changed = touched & set(self.changed_data)
        if not self.instance.pk:
            changed -= {"is_active", "is_staff"}  # a new user's are no change
        if any(
            (
                needs_reason(User, self.changed_data if self.instance.pk else changed),
                "roles" in changed and needs_reason(Membership, added=True, deleted=True),
                "further_permissions" in changed
                and needs_reason(UserPermission, added=True, deleted=True),
            )
        ):
            self.require_reason()
        if changed:
            self._keep_a_keyholder()
        return cleaned

    def _keep_a_keyholder(self) -> None:
        user = self.instance
        if not user.pk or "roles" in self.errors or not access.is_last_keyholder(user):
            return
        if access.holds_the_keys(
            is_active=self.cleaned_data.get("is_active", user.is_active),
            is_staff=self.cleaned_data.get("is_staff", user.is_staff),
            is_superuser=self.cleaned_data.get("is_superuser", user.is_superuser),
            roles=[role.name for role in self.cleaned_data.get("roles", user.groups.all())],
        ):
            return
        self.add_error(
            next(
                name
                for name in ("is_active", "is_staff", "is_superuser", "roles")
                if name in self.changed_data
            ),
            last_keyholder_message(user),
        )

    def save_access(self) -> None:
        """Write the roles and permissions that were chosen, where the form had a choice."""
        user = self.instance
        if "roles" in self.fields:
            user.groups.set(self.cleaned_data["roles"])
        field = self.fields.get("further_permissions")
        if isinstance(field, PermissionsField):
            user.user_permissions.set(
                field.chosen(user.user_permissions.all(), self.cleaned_data["further_permissions"])
            )


LABELS = {"is_staff": _("Back office")}
HELP_TEXTS = {
    "is_active": _("Off closes the account: sessions end at once, and what was done stays."),
    "is_staff": _("May sign in here. What they may do then is up to their roles."),
    "is_superuser": _("Holds every permission without having a role."),
    "username": _("For other systems; nobody signs in with it here."),
}


class UserForm(AccessForm, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User
        field_classes = {"email": NormalisedEmailFormField}
        labels = LABELS
        help_texts = HELP_TEXTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_what_the_actor_may_give()


class NewUserForm(AccessForm, UserCreationForm):
    usable_password = None  # there is no other way to sign in
    # Not on this page, so not in its form either.
    further_permissions = None  # type: ignore[assignment]

    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": NormalisedEmailFormField}
        labels = LABELS
        help_texts = HELP_TEXTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].required = True
        self.initial.setdefault("is_staff", True)
        self.offer_what_the_actor_may_give()


class PasswordForm(AdminPasswordChangeForm):
    """A new password for somebody else; there is no other way to sign in, so it cannot be none."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True


class RoleForm(ReasonForm, forms.ModelForm):
    actor: ClassVar[User]  # set by the ModelAdmin for each request

    rights = PermissionsField(label=_("Permissions"), queryset=None, required=False)

    class Meta:
        model = Role
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = of_this_project(access.grantable_permissions(self.actor))
        _choice(self, "rights").queryset = offered
        if self.instance.pk:
            self.initial["rights"] = list(
                self.instance.permissions.filter(pk__in=offered.values("pk")).values_list(
                    "pk", flat=True
                )
            )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "rights" in self.changed_data:
            if needs_reason(RolePermission, added=True, deleted=True):
                self.require_reason()
            self._keep_the_keys()
        return cleaned

    def _keep_the_keys(self) -> None:
        if self.instance.name != RoleName.ADMINISTRATOR.value or self.errors:
            return
        rights = {
            f"{right.content_type.app_label}.{right.codename}"
            for right in self.cleaned_data["rights"]
        }
        if not rights >= access.KEY_RIGHTS:
            self.add_error(
                "rights",
                _(
                    "Administrators must be able to view and change users and roles, or nobody "
                    "could give anyone access any more. Tick these four again."
                ),
            )

    def save_rights(self) -> None:
        field = self.fields["rights"]
        assert isinstance(field, PermissionsField)  # noqa: S101 - for mypy
        role = self.instance
        role.permissions.set(field.chosen(role.permissions.all(), self.cleaned_data["rights"]))


def _choice(form: forms.BaseForm, name: str) -> forms.ModelMultipleChoiceField:
    field = form.fields[name]
    assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - for mypy
    return field


def last_keyholder_message(user: User) -> str:
    return gettext(
        "%(name)s is the last active administrator: without them nobody could give anyone access. "
        "Make someone else an administrator first."
    ) % {"name": user}


def _what_is_missing(offered: Any) -> str:
    beyond = Group.objects.exclude(pk__in=offered.values("pk")).order_by("name")
    names = ", ".join(beyond.values_list("name", flat=True))
    if not names:
        return gettext("What this person may do is the sum of their roles.")
    return gettext(
        "What this person may do is the sum of their roles. You cannot give these, since they hold "
        "permissions that you do not have: %(names)s."
    ) % {"names": names}
