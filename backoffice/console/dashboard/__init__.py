"""The dashboard: cards that each app registers, and what they show to whom."""

from .cards import Attention, Line, Notice, Recent, Trend
from .registry import register

__all__ = ["Attention", "Line", "Notice", "Recent", "Trend", "register"]
