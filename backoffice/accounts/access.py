"""Who may give whom what: nobody more than they hold, and somebody always holds the keys."""

from collections.abc import Collection

from django.contrib.auth.models import Group, Permission
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.db.transaction import TransactionManagementError

from .models import User
from .roles import RoleName

# Without these, those who hold the role of administrator could no longer mend anything.
KEY_RIGHTS = frozenset(
    {"accounts.view_user", "accounts.change_user", "accounts.view_role", "accounts.change_role"}
)

_LOCK = "accounts.access"
_CODE = ("content_type__app_label", "codename")


def lock_access() -> None:
    """Let access change one piece of work at a time, until the transaction ends.

    Two administrators who deactivate each other at the same moment would each still see the other
    one there. Raises TransactionManagementError outside a transaction, where it would hold nothing.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("lock_access() needs an open transaction.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])


def rights_of(user: User) -> frozenset[int]:
    """The keys of all permissions that a user has, or would have again if reactivated."""
    return frozenset(_permissions_of(user).values_list("pk", flat=True))


def grantable_permissions(actor: User) -> models.QuerySet[Permission]:
    """What `actor` may give to others: what they hold."""
    return _permissions_of(actor)


def grantable_roles(actor: User) -> models.QuerySet[Group]:
    """The roles that `actor` may give to others: those that hold nothing that `actor` does not."""
    if actor.is_superuser:
        return Group.objects.order_by("name")
    beyond = Group.permissions.through.objects.filter(group=OuterRef("pk")).exclude(
        permission__in=rights_of(actor)
    )
    return Group.objects.filter(~Exists(beyond)).order_by("name")


def may_manage_user(actor: User, user: User) -> bool:
    """That nothing is to be gained by `actor` from taking this account over."""
    if actor.is_superuser:
        return True
    return not user.is_superuser and rights_of(user) <= rights_of(actor)


def may_manage_role(actor: User, role: Group) -> bool:
    """That the role holds nothing that `actor` does not."""
    return grantable_roles(actor).filter(pk=role.pk).exists()


def holds_the_keys(
    *, is_active: bool, is_staff: bool, is_superuser: bool, roles: Collection[str]
) -> bool:
    """That somebody of this description can sign in and give others access."""
    return is_active and is_staff and (is_superuser or RoleName.ADMINISTRATOR.value in roles)


def keyholders() -> models.QuerySet[User]:
    """Everyone whom `holds_the_keys` describes."""
    return User.objects.filter(
        Q(is_superuser=True)
        | Exists(Group.objects.filter(user=OuterRef("pk"), name=RoleName.ADMINISTRATOR.value)),
        is_active=True,
        is_staff=True,
    )


def keys_are_held() -> bool:
    """That somebody holds the keys, and that these open: an administrator may give access."""
    holders = keyholders()
    if holders.filter(is_superuser=True).exists():
        return True
    rights = Permission.objects.filter(group__name=RoleName.ADMINISTRATOR.value)
    held = {f"{app}.{name}" for app, name in rights.values_list(*_CODE)}
    return held >= KEY_RIGHTS and holders.exists()


def is_last_keyholder(user: User) -> bool:
    """That without this user nobody could give anyone access. Call lock_access() before."""
    holders = set(keyholders().values_list("pk", flat=True)[:2])
    return holders == {user.pk}


def _permissions_of(user: User) -> models.QuerySet[Permission]:
    # Not user.get_all_permissions(): it knows none of those who are not active.
    permissions = Permission.objects.select_related("content_type")
    if user.is_superuser:
        return permissions
    return permissions.filter(Q(group__user=user.pk) | Q(user=user.pk)).distinct()
