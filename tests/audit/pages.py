"""Where the pages of the record are, and how their text is read."""

import re
from html import unescape
from typing import Any

from backoffice.audit.models import ChangeSet
from inventory.models import Product

LIST = "/admin/audit/changeset/"


def history_page(product: Product | int) -> str:
    key = product if isinstance(product, int) else product.pk
    return f"/admin/inventory/product/{key}/history/"


def detail(change_set: ChangeSet) -> str:
    return f"/admin/audit/changeset/{change_set.pk}/change/"


def words(response: Any) -> str:
    """The page's text on one line, without its tags."""
    text = re.sub(
        r"<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL
    )
    return " ".join(unescape(text).split())
