from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from .lock_out import seconds_locked
from .models import User


class PasswordBackend(ModelBackend):
    """E-mail address and password. Every way in passes here, and so its lock-out."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The user, or None. Raises PermissionDenied, unasked for the password, if locked out."""
        email = username or kwargs.get("email") or ""
        if seconds_locked(email):
            raise PermissionDenied
        return super().authenticate(request, username=username, password=password, **kwargs)

    def get_user(self, user_id: Any) -> Any:
        """With the profile, which each page asks for its language."""
        user = User.objects.select_related("profile").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
