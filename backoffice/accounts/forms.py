from math import ceil
from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from .lock_out import note_failure, seconds_locked
from .managers import normalise_email


class NormalisedEmailFormField(forms.EmailField):
    """An address that is normalised first and judged then: full-width letters are none by then."""

    widget = UnfoldAdminEmailInputWidget

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalise_email(value) if value else value


class SignInForm(AuthenticationForm):
    """E-mail address and password. A failure says the same whether or not the address is known,
    and so does a lock-out after too many."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "This e-mail address and password do not open an account here. Check both; upper and "
            "lower case matter in the password only. If you have forgotten it or your account was "
            "closed, ask an administrator."
        ),
    }

    username = UsernameField(
        widget=forms.EmailInput(
            attrs={
                "placeholder": _("name@example.com"),
                # Browsers would refuse what we know how to read: full-width letters, "änna@...".
                "x-init": "$el.form.noValidate = true",
            }
        )
    )

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()  # type: ignore[no-any-return]
        except ValidationError:
            seconds = seconds_locked(self.cleaned_data.get("username", ""))
            if not seconds:
                raise
            minutes = ceil(seconds / 60)
            raise ValidationError(
                ngettext(
                    "Too many sign-ins have failed. Try again in %(minutes)d minute, or ask an "
                    "administrator for a new password.",
                    "Too many sign-ins have failed. Try again in %(minutes)d minutes, or ask an "
                    "administrator for a new password.",
                    minutes,
                ),
                code="locked_out",
                params={"minutes": minutes},
            ) from None

    def confirm_login_allowed(self, user: Any) -> None:
        """The password was right, but the back office is not for them: a failure like any other."""
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            note_failure(user.email)
            raise
