from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from backoffice.audit.context import Source, audit_context, current_context
from backoffice.audit.trail import Trail
from backoffice.audit.triggers import UnskippableTrigger

from .managers import UserManager, normalise_email
from .names import initials
from .notifications.models import Notification, NotificationChoice

__all__ = [
    "Membership", "NormalisedEmailField", "Notification", "NotificationChoice", "Profile", "Role",
    "RolePermission", "User", "UserPermission",
]  # fmt: skip


def languages() -> list[tuple[str, str]]:
    """Those that there are translations for, each in its own words."""
    return list(settings.LANGUAGES)


class NormalisedEmailField(models.EmailField):
    """An address in its one form, in look-ups as well as in rows."""

    def to_python(self, value: Any) -> Any:
        return normalise_email(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(self.to_python(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class Normalise(models.Func):
    """A text in Unicode's compatibility form, by PostgreSQL."""

    template = "normalize(%(expressions)s, NFKC)"
    output_field = models.TextField()


# What the record says while Django replaces the hash of a password by a better one of the same.
_HASHED_ANEW = "Password hashed anew"

# Passwords are in no history; that one was changed is an event, whatever changed it.
_PASSWORD_ON_RECORD = UnskippableTrigger(
    name="password_on_record",
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition("OLD.password IS DISTINCT FROM NEW.password"),
    declare=[("_facts", "jsonb := NULLIF(current_setting('audit.context', true), '')")],
    func=f"""
        IF _facts->>'action' = '{_HASHED_ANEW}' THEN
            RETURN NULL;
        END IF;
        INSERT INTO audit_changeset (
            at, transaction_id, database_user, source, action, reason, actor_id, actor_name,
            request_id, client_address, reference, kind, facts
        ) VALUES (
            clock_timestamp(), pg_current_xact_id(), session_user,
            COALESCE(_facts->>'source', 'sql'),
            CASE WHEN (_facts->>'actor_id')::bigint = NEW.id THEN 'Own password changed'
                ELSE 'Password changed: ' || NEW.email END,
            COALESCE(_facts->>'reason', ''), (_facts->>'actor_id')::bigint,
            COALESCE(_facts->>'actor_name', ''), COALESCE(_facts->>'request_id', ''),
            _facts->>'client_address', 'accounts.user/' || NEW.id, 'password',
            jsonb_build_object('email', NEW.email)
        );
        RETURN NULL;
    """,
)


class User(AbstractUser):
    """Someone who works in the back office. Signs in by e-mail; a username is optional."""

    username = models.CharField(  # type: ignore[assignment]
        _("username"), max_length=150, null=True, blank=True, unique=True
    )
    email = NormalisedEmailField(_("e-mail address"), unique=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    groups = models.ManyToManyField(  # type: ignore[assignment]
        Group,
        through="Membership",
        verbose_name=_("roles"),
        blank=True,
        related_name="user_set",
        related_query_name="user",
        help_text=_("What this person may do is the sum of their roles."),
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment]
        Permission,
        through="UserPermission",
        verbose_name=_("further permissions"),
        blank=True,
        related_name="user_set",
        related_query_name="user",
        help_text=_("Rights of this person beyond their roles; rarely needed."),
    )

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()  # type: ignore[misc]
    history = Trail(excluded_fields=["password", "last_login"])

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("email",)
        triggers = [_PASSWORD_ON_RECORD]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower(Normalise("email"))),
                name="accounts_user_email_normalised",
                violation_error_message=_("This e-mail address is not in its one form."),
            ),
            models.UniqueConstraint(
                Lower("email"),
                name="accounts_user_email_unique",
                violation_error_message=_("Someone with this e-mail address exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        super().clean()
        self.username = self.username or None

    def check_password(self, raw_password: str | None) -> bool:
        """Whether it is this one. A hash that is out of date is replaced on the way."""
        source = {} if current_context() else {"source": Source.SHELL}
        with audit_context(action=_HASHED_ANEW, **source):
            return super().check_password(raw_password)

    @property
    def initials(self) -> str:
        """One or two letters that stand for the person where there is no picture."""
        return initials(self.first_name, self.last_name, self.email)


class Membership(models.Model):
    """That a user has a role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("role")
    )

    history = Trail()

    class Meta:
        verbose_name = _("role of a user")
        verbose_name_plural = _("roles of users")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["user", "group"], name="accounts_membership_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.group}"


class UserPermission(models.Model):
    """That a user has a permission besides those of their roles."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="own_permissions")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")

    history = Trail()

    class Meta:
        verbose_name = _("permission of a user")
        verbose_name_plural = _("permissions of users")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["user", "permission"], name="accounts_userpermission_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.permission}"


class Role(Group):
    """Django's Group under the name that people use, and on the record."""

    history = Trail()

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")


class RolePermission(Group.permissions.through):  # type: ignore[name-defined]
    """That a role has a permission; a proxy, so that Django's own table is on the record."""

    history = Trail()

    class Meta:
        proxy = True
        verbose_name = _("permission of a role")
        verbose_name_plural = _("permissions of roles")
        default_permissions = ("view",)


class Profile(models.Model):
    """What a user says of themselves, and when they were last here."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    job_title = models.CharField(_("job title"), max_length=100, blank=True)
    about = models.TextField(_("about"), blank=True)
    # Blank: as the browser says.
    language = models.CharField(_("language"), max_length=10, blank=True, choices=languages)
    last_active_at = models.DateTimeField(_("last active"), null=True, blank=True, editable=False)

    history = Trail(excluded_fields=["last_active_at"])

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.user)
