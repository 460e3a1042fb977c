"""The project's pages, with a plain ProductAdmin where the project has none yet."""

from django.contrib import admin
from django.urls import path
from unfold.admin import ModelAdmin

from backoffice.audit.admin import HistoryAdmin
from inventory.models import Product


class ProductPage(HistoryAdmin, ModelAdmin):
    history_related = ("product_tags", "images")


site = type(admin.site)()
site._registry.update(admin.site._registry)
if not isinstance(site._registry.get(Product), HistoryAdmin):
    site._registry[Product] = ProductPage(Product, site)

urlpatterns = [path("admin/", site.urls)]
