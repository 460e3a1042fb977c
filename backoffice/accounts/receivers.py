from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from backoffice.audit.context import current_context
from backoffice.audit.events import record_event
from backoffice.audit.language import on_record
from backoffice.audit.models import ChangeSet

from .lock_out import note_failure, seconds_locked, sign_in_facts
from .models import Profile, User


@receiver(post_save, sender=User, dispatch_uid="accounts.create_profile")
def create_profile(*, instance: User, created: bool, raw: bool, **_: Any) -> None:
    if created and not raw:
        Profile.objects.get_or_create(user=instance)


# Signing in and out is an event within a request; a session that a program makes is none.
@receiver(user_logged_in, dispatch_uid="accounts.record_sign_in")
def record_sign_in(*, user: User, **kwargs: Any) -> None:
    if current_context():
        record_event(
            kind=ChangeSet.Kind.SIGN_IN,
            action=on_record(_("Signed in")),
            facts=sign_in_facts(user.email),
            actor=user,
        )


@receiver(user_logged_out, dispatch_uid="accounts.record_sign_out")
def record_sign_out(*, user: User | None, **kwargs: Any) -> None:
    if current_context() and user is not None:
        record_event(kind=ChangeSet.Kind.SIGN_OUT, action=on_record(_("Signed out")), actor=user)


@receiver(user_login_failed, dispatch_uid="accounts.record_failed_sign_in")
def record_failed_sign_in(*, credentials: dict[str, Any], **kwargs: Any) -> None:
    email = str(credentials.get("username") or credentials.get("email") or "")
    if not seconds_locked(email):  # who is locked out already cannot fail once more
        note_failure(email)
