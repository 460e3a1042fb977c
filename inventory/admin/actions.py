"""The bulk actions of the product list; each calls one service of inventory.services.catalogue."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.accounts.models import User
from backoffice.bulk import Outcome
from backoffice.console.bulk.action import BulkAction
from backoffice.console.bulk.forms import BulkForm
from backoffice.console.bulk.preview import Sample
from backoffice.console.displays import NOTHING, grouped, money
from backoffice.console.widgets import DecimalInput, DecimalNumber
from inventory.models import Product, ProductTag
from inventory.selectors import (
    SkipReason,
    activation_plan,
    category_plan,
    price_plan,
    tag_plan,
)
from inventory.services import catalogue


class ProductAction(BulkAction):
    def skip_label(self, reason: str) -> str:
        return str(SkipReason(reason).label)


class ActivateProducts(ProductAction):
    name = "activate_products"
    label = gettext_lazy("Activate")
    column = gettext_lazy("Status")

    def plan(self, rows: QuerySet[Product], asked: Mapping[str, Any]) -> QuerySet[Product]:
        return activation_plan(rows, active=True)

    def sample(self, row: Product, asked: Mapping[str, Any]) -> Sample:
        return Sample(name=str(row), old=_("inactive"), new=_("active"))

    def execute(
        self, rows: QuerySet[Product], asked: Mapping[str, Any], *, actor: User, reason: str
    ) -> Outcome:
        return catalogue.activate_products(products=rows, actor=actor, reason=reason)

    def done_message(self, number: int) -> str:
        return ngettext("%s activated.", "%s activated.", number) % grouped(number)


class DeactivateProducts(ProductAction):
    name = "deactivate_products"
    label = gettext_lazy("Deactivate")
    column = gettext_lazy("Status")

    def plan(self, rows: QuerySet[Product], asked: Mapping[str, Any]) -> QuerySet[Product]:
        return activation_plan(rows, active=False)

    def sample(self, row: Product, asked: Mapping[str, Any]) -> Sample:
        return Sample(name=str(row), old=_("active"), new=_("inactive"))

    def execute(
        self, rows: QuerySet[Product], asked: Mapping[str, Any], *, actor: User, reason: str
    ) -> Outcome:
        return catalogue.deactivate_products(products=rows, actor=actor, reason=reason)

    def done_message(self, number: int) -> str:
        return ngettext("%s deactivated.", "%s deactivated.", number) % grouped(number)


class CategoryForm(BulkForm):
    def add_fields(self, model_admin: ModelAdmin, request: HttpRequest) -> None:
        category = Product._meta.get_field("category")
        field = model_admin.formfield_for_foreignkey(category, request, required=True)
        self.fields["category"] = cast(forms.Field, field)


class SetCategory(ProductAction):
    name = "set_category"
    label = gettext_lazy("Set category")
    form_class = CategoryForm
    column = gettext_lazy("Category")

    def plan(self, rows: QuerySet[Product], asked: Mapping[str, Any]) -> QuerySet[Product]:
        return category_plan(rows.select_related("category"), category=asked["category"])

    def sample(self, row: Product, asked: Mapping[str, Any]) -> Sample:
        return Sample(name=str(row), old=row.category or NOTHING, new=asked["category"])

    def execute(
        self, rows: QuerySet[Product], asked: Mapping[str, Any], *, actor: User, reason: str
    ) -> Outcome:
        return catalogue.set_category(
            products=rows, category=asked["category"], actor=actor, reason=reason
        )

    def done_message(self, number: int) -> str:
        return ngettext("%s moved.", "%s moved.", number) % grouped(number)


class TagForm(BulkForm):
    def add_fields(self, model_admin: ModelAdmin, request: HttpRequest) -> None:
        tag = ProductTag._meta.get_field("tag")
        field = model_admin.formfield_for_foreignkey(
            tag, request, widget=AutocompleteSelect(tag, model_admin.admin_site)
        )
        self.fields["tag"] = cast(forms.Field, field)


class AddTag(ProductAction):
    name = "add_tag"
    label = gettext_lazy("Add tag")
    form_class = TagForm
    column = gettext_lazy("Tags")

    def plan(self, rows: QuerySet[Product], asked: Mapping[str, Any]) -> QuerySet[Product]:
        return tag_plan(rows.prefetch_related("tags"), tag=asked["tag"])

    def sample(self, row: Product, asked: Mapping[str, Any]) -> Sample:
        carried = sorted(each.name for each in row.tags.all())
        return Sample(
            name=str(row),
            old=", ".join(carried) or NOTHING,
            new=", ".join(sorted([*carried, asked["tag"].name])),
        )

    def execute(
        self, rows: QuerySet[Product], asked: Mapping[str, Any], *, actor: User, reason: str
    ) -> Outcome:
        return catalogue.add_tag(products=rows, tag=asked["tag"], actor=actor, reason=reason)

    def done_message(self, number: int) -> str:
        return ngettext("%s tagged.", "%s tagged.", number) % grouped(number)


class PercentForm(BulkForm):
    percent = DecimalNumber(
        label=gettext_lazy("Percent"),
        help_text=gettext_lazy(
            "5 raises every price by 5 percent, -10 lowers it by 10. Rounded to the cent."
        ),
        min_value=catalogue.LOWEST_PERCENT,
        max_value=catalogue.HIGHEST_PERCENT,
        decimal_places=2,
        localize=True,
        widget=DecimalInput(attrs={"autofocus": True}),
    )


class ChangePrices(ProductAction):
    name = "change_prices"
    label = gettext_lazy("Change price by percent")
    form_class = PercentForm
    column = gettext_lazy("Price")
    is_number = True

    def plan(self, rows: QuerySet[Product], asked: Mapping[str, Any]) -> QuerySet[Product]:
        return price_plan(rows, percent=asked["percent"])

    def sample(self, row: Any, asked: Mapping[str, Any]) -> Sample:
        return Sample(name=str(row), old=money(row.price), new=money(row.new_price))

    def execute(
        self, rows: QuerySet[Product], asked: Mapping[str, Any], *, actor: User, reason: str
    ) -> Outcome:
        return catalogue.change_prices_by_percent(
            products=rows, percent=asked["percent"], actor=actor, reason=reason
        )

    def done_message(self, number: int) -> str:
        return ngettext("%s price changed.", "%s prices changed.", number) % grouped(number)
