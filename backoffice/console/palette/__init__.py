"""The command palette: what it can find and do. Each app adds its own with a line or two."""

from .registry import register, register_action

__all__ = ["register", "register_action"]
