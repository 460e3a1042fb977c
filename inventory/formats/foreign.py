"""Files of something else than products, as they are brought to products by mistake."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from backoffice.exchange.formats import ForeignFile


def _quantities(told_by: Sequence[str]) -> str:
    return _(
        "This is a Shopify inventory file: it holds quantities (%(columns)s), which Stockbook does "
        "not keep yet. For the products themselves, export Products from Shopify."
    ) % {"columns": ", ".join(told_by)}


def _orders(told_by: Sequence[str]) -> str:
    return _(
        "This looks like a list of orders (%(columns)s), not of products. Choose a file of "
        "products. If it is one, name the column of their codes SKU."
    ) % {"columns": ", ".join(told_by[:4])}


def _people(told_by: Sequence[str]) -> str:
    return _(
        "This looks like a list of customers or suppliers (%(columns)s), not of products. Choose "
        "a file of products. If it is one, name the column of their codes SKU."
    ) % {"columns": ", ".join(told_by[:4])}


# The names are compared without spaces and punctuation.
_INVENTORY = ("handle", "title", "option1name", "option1value", "sku")
_NO_INVENTORY = frozenset({"price", "variantprice", "variantsku", "bodyhtml", "description"})
_ORDERS = frozenset({
    "orderid", "ordernumber", "orderdate", "lineitemname", "lineitemquantity", "lineitemsku",
    "lineitemprice", "financialstatus", "fulfillmentstatus", "shippeddate", "requireddate",
})  # fmt: skip
_PEOPLE = frozenset({
    "email", "emailaddress", "firstname", "lastname", "contactname", "companyname", "company",
    "customerid", "supplierid", "phone", "phonenumber", "fax", "address", "address1", "street",
    "city", "postalcode", "zip", "zipcode", "postcode", "country", "countrycode",
})  # fmt: skip

FOREIGN_FILES = (
    ForeignFile(
        words=frozenset({*_INVENTORY}),
        enough=len(_INVENTORY),
        refusal=_quantities,
        lacks=_NO_INVENTORY,
        always=True,
    ),
    ForeignFile(words=_ORDERS, enough=1, refusal=_orders),
    ForeignFile(words=_PEOPLE, enough=4, refusal=_people),
)
