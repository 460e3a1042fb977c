"""The pages on which people and their roles are kept."""

from .roles import RoleAdmin
from .users import UserAdmin

__all__ = ["RoleAdmin", "UserAdmin"]
