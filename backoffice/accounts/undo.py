"""What an undo may do to people and what they may do: no more than its author could by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from backoffice.audit.history import Kind
from backoffice.audit.undo.guards import UndoGuard, guard_undo
from backoffice.exceptions import DomainError

from .access import grantable_roles, keys_are_held, lock_access, rights_of
from .models import Membership, Profile, Role, RolePermission, User, UserPermission
from .roles import RoleName


class NobodyLeft(DomainError):
    """After this undo nobody could give anyone access any more."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Without what this would take back nobody could give anyone access. Make somebody "
                "else an administrator first."
            )
        )


@contextmanager
def _somebody_holds_the_keys() -> Iterator[None]:
    """One change of access at a time, and none that leaves nobody who can make another."""
    lock_access()
    held = keys_are_held()
    yield
    if held and not keys_are_held():
        raise NobodyLeft


def _beyond(actor: User) -> models.QuerySet[User]:
    """People who hold rights that the actor does not, and the actor, whom others decide about."""
    foreign = Permission.objects.exclude(pk__in=rights_of(actor))
    return User.objects.filter(
        Q(is_superuser=True)
        | Q(groups__permissions__in=foreign)
        | Q(user_permissions__in=foreign)
        | Q(pk=actor.pk)
    )


def _users(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    return _unless_superuser(rows, actor, lambda: Q(is_superuser=True) | Q(id__in=_ids(actor)))


def _of_users(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    return _unless_superuser(rows, actor, lambda: Q(user_id__in=_ids(actor)))


def _memberships(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    return _unless_superuser(
        rows,
        actor,
        lambda: Q(user_id__in=_ids(actor)) | Q(group_id__in=_roles_beyond(actor)),
    )


def _user_permissions(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    return _unless_superuser(
        rows,
        actor,
        lambda: Q(user_id__in=_ids(actor)) | ~Q(permission_id__in=rights_of(actor)),
    )


def _role_permissions(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    return _unless_superuser(
        rows,
        actor,
        lambda: ~Q(permission_id__in=rights_of(actor)) | Q(group_id__in=_roles_beyond(actor)),
    )


def _roles(rows: models.QuerySet, actor: Any) -> models.QuerySet:
    """Those that hold more than the actor does; and for everyone those that migrations name."""
    built_in = Q(name__in=RoleName.values) & ~Q(history_type=Kind.DELETED)
    if actor.is_superuser:
        return rows.filter(built_in)
    return rows.filter(built_in | Q(id__in=_roles_beyond(actor)))


def _roles_beyond(actor: User) -> Any:
    """Existing roles that hold more than the actor does.

    One that is gone holds nothing: it comes back with no more than the actor can give.
    """
    within = grantable_roles(actor).order_by().values("pk")
    return Role.objects.exclude(pk__in=within).order_by().values("pk")


def _ids(actor: User) -> Any:
    return _beyond(actor).values("pk")


def _unless_superuser(rows: models.QuerySet, actor: Any, forbidden: Any) -> models.QuerySet:
    return rows.none() if actor.is_superuser else rows.filter(forbidden())


for _model, _forbidden, _permission in (
    (User, _users, ""),
    (Profile, _of_users, "accounts.change_user"),
    (Membership, _memberships, "accounts.change_user"),
    (UserPermission, _user_permissions, "accounts.change_user"),
    (Role, _roles, ""),
    (RolePermission, _role_permissions, "accounts.change_role"),
):
    guard_undo(
        _model,
        UndoGuard(permission=_permission, forbidden=_forbidden, around=_somebody_holds_the_keys),
    )
