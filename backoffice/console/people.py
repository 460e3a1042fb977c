"""Whose page it is."""

from django.http import HttpRequest


def role_names(request: HttpRequest) -> frozenset[str]:
    """The roles of who asks; one look for each request."""
    found: frozenset[str] | None = getattr(request, "role_names", None)
    if found is None:
        found = frozenset(request.user.groups.values_list("name", flat=True))
        request.role_names = found  # type: ignore[attr-defined]
    return found
