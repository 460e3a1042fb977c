"""What the record asks of people and roles: whoever gives access, or takes it, says why."""

from backoffice.audit.reasons import require_reason

from .models import Membership, RolePermission, User, UserPermission

require_reason(User, "is_active", "is_staff", "is_superuser")
require_reason(Membership, "user", "group", added=True, deleted=True)
require_reason(UserPermission, "user", "permission", added=True, deleted=True)
require_reason(RolePermission, "group", "permission", added=True, deleted=True)
