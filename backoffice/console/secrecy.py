"""What a user must not see is in no list, form or filter of the admin."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from backoffice.audit.secrecy import hidden_fields, is_hidden

from .fieldsets import without


class SecretFieldsMixin(admin.ModelAdmin):
    """Leaves out the fields that `secret_fields` hides from the user.

    `secret_displays` says of display methods which field they show: `{"cost_now": "cost"}`.
    """

    secret_displays: Mapping[str, str] = {}

    def hidden_fields(self, request: HttpRequest) -> frozenset[str]:
        return hidden_fields(self.model, request.user)

    def get_list_display(self, request: HttpRequest) -> Any:
        hidden = self.hidden_fields(request)
        return [
            name
            for name in super().get_list_display(request)
            if self.secret_displays.get(str(name), name) not in hidden
        ]

    def get_list_filter(self, request: HttpRequest) -> Any:
        def field(entry: Any) -> Any:
            return entry[0] if isinstance(entry, tuple | list) else entry

        return [
            entry
            for entry in super().get_list_filter(request)
            if not isinstance(field(entry), str)
            or not is_hidden(self.model, field(entry), request.user)
        ]

    def get_search_fields(self, request: HttpRequest) -> Any:
        return [
            name
            for name in super().get_search_fields(request)
            if not is_hidden(self.model, name.lstrip("^=@"), request.user)
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What no fieldset names is not in the form, so nothing that is posted for it counts."""
        return without(super().get_fieldsets(request, obj), self.hidden_fields(request))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filters in the address could find a hidden value by halves."""
        if is_hidden(self.model, lookup, request.user):
            return False
        return super().lookup_allowed(lookup, value, request)
