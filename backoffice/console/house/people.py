"""People and roles, in the palette."""

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from backoffice.accounts.models import Role, User
from backoffice.console import palette
from backoffice.console.palette.registry import Action

palette.register(
    User, icon="person", title=lambda user: user.get_full_name() or user.email,
    note=lambda user: user.email,
)  # fmt: skip
palette.register(Role, icon="badge", text=F("name"))
palette.register_action(
    Action(
        name="password",
        label=_("Change my password"),
        icon="key",
        address="admin:password_change",
        allowed=lambda request: request.user.is_active,
        words=_("secret sign-in account"),
    )
)
