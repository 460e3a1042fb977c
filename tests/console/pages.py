"""How the tests talk to the pages of the admin."""

import html
import re
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.console.conflicts import Edition

PRODUCTS = "/admin/inventory/product/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


_BUTTON = re.compile(r' <button [^>]*formaction="([^"]*)"[^>]*>.*?</button>')


def said(response: Any) -> list[str]:
    """The messages that the request left for the user, without their buttons."""
    return [_BUTTON.sub("", str(each)) for each in get_messages(response.wsgi_request)]


def undo_offered(response: Any) -> str | None:
    """Where the Undo of the request's message is posted to."""
    for message in get_messages(response.wsgi_request):
        if found := _BUTTON.search(str(message)):
            return html.unescape(found[1])
    return None


def act(client: Client, action: str, rows: Any, *, query: str = "", **sent: Any) -> Any:
    """POST a bulk action on the product list, for these rows."""
    keys = [row.pk for row in rows]
    data = {"action": action, "index": "0", ACTION_CHECKBOX_NAME: keys, **sent}
    return client.post(PRODUCTS + query, data)


def seen(obj: Any, *links: str) -> str:
    """What a form says that is opened now: which state of the object it shows."""
    return str(Edition.of(type(obj)._base_manager.get(pk=obj.pk), links))


def product_form(product: Any = None, **fields: Any) -> dict[str, Any]:
    """What the product form sends, unchanged but for `fields`."""
    sent: dict[str, Any] = {
        "name": product.name if product else "New",
        "sku": product.sku if product else "NEW-1",
        "slug": product.slug if product else "",
        "price": product.price if product else "10.00",
        "tax_class": "standard",
        "weight_unit": "kg",
        "is_active": "on",
        "options": "{}",
        "images-TOTAL_FORMS": "0",
        "images-INITIAL_FORMS": "0",
        "variants-TOTAL_FORMS": "0",
        "variants-INITIAL_FORMS": "0",
    }
    if product:
        sent["_seen"] = seen(product, "tags")
    return {**sent, **fields}
