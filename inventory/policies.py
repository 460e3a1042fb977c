"""Which changes of the catalogue need a reason, and which of its fields only some may see."""

from backoffice.audit.reasons import require_reason
from backoffice.audit.secrecy import secret_fields
from inventory.models import Discount, Product

# Money: what is asked for a product, and what it costs.
require_reason(Product, "price", "compare_at_price", "cost")
require_reason(Discount)

secret_fields(Product, {"cost": "inventory.view_cost"})
