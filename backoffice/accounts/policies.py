"""What the record asks of people and roles: whoever gives access, or takes it, says why."""

from django.contrib.auth.models import Permission
from django.utils.text import capfirst

from backoffice.audit.naming import name_by
from backoffice.audit.reasons import require_reason

from .models import Membership, RolePermission, User, UserPermission

# "View cost", where Django says "Catalogue | product | Can view cost".
name_by(
    Permission,
    lambda permission: capfirst(
        permission.name.removeprefix("Can ").replace("historical ", "history of ")
    ),
)

require_reason(User, "is_active", "is_staff", "is_superuser")
require_reason(Membership, "user", "group", added=True, deleted=True)
require_reason(UserPermission, "user", "permission", added=True, deleted=True)
require_reason(RolePermission, "group", "permission", added=True, deleted=True)
