from typing import Any

from django import forms
from django.contrib.auth.forms import UsernameField
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from .managers import normalise_email


class NormalisedEmailFormField(forms.EmailField):
    """An address that is normalised first and judged then: full-width letters are none by then."""

    widget = UnfoldAdminEmailInputWidget

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalise_email(value) if value else value


class SignInForm(AuthenticationForm):
    """E-mail address and password. A failure says the same whether or not the address is known."""

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
