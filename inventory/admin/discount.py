from django.contrib import admin
from django.db.models import F
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from backoffice.console.admin import ModelAdmin
from backoffice.console.displays import money, number_column
from inventory.models import Discount

from .components import badges


@admin.register(Discount)
class DiscountAdmin(ModelAdmin):
    exchange_resource = "discounts"
    list_display = ["name", "reduction", "state", "starts_at", "ends_at"]
    ordering = ["name", "id"]
    search_fields = ["name"]
    search_text = F("name")
    list_cells = {"name": "name", "reduction": "value"}
    empty_state = (
        gettext_lazy("No discounts yet"),
        gettext_lazy("Add one here, then choose it on the products that it is for."),
    )

    list_filter = [("kind", ChoicesDropdownFilter), ("is_active", BooleanRadioFilter)]

    readonly_fields = ["created_at", "updated_at", "version"]
    fieldsets = [
        (None, {"fields": ["name", ("kind", "value"), "is_active"]}),
        (gettext_lazy("When"), {"fields": [("starts_at", "ends_at")]}),
        (gettext_lazy("Record"), {"fields": [("created_at", "updated_at"), "version"]}),
    ]

    actions = ["export_selected"]

    @number_column(gettext_lazy("reduction"))
    def reduction(self, discount: Discount) -> SafeString | str:
        if discount.kind == Discount.Kind.AMOUNT:
            return money(discount.value)
        return format_html(
            '<span class="money">{} %</span>', number_format(discount.value.normalize(), None)
        )

    @display(description=gettext_lazy("state"))
    def state(self, discount: Discount) -> SafeString:
        if discount.is_running():
            return badges([(_("running"), "success")])
        if not discount.is_active:
            return badges([(_("switched off"), "neutral")])
        return badges([(_("not now"), "warning")])
