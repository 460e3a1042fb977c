"""What a page may load and run: the content security policies, in every environment.

No page runs a script, or takes a style, that stands in its own text. Scripts and looks are static
files; what comes from the database can name neither.
"""

from django.utils.csp import CSP

# Whatever is no page of the admin: error pages, downloads, fragments in no HTML.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# The admin's own pages (backoffice.console.site).
ADMIN_CSP = {
    **SECURE_CSP,
    # Alpine, which Unfold is built on, makes functions of its attributes.
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    # The nonce is for the one style sheet that stands in the page: Unfold's colours and radius,
    # from the settings (unfold/layouts/skeleton.html). Style attributes of Unfold's templates are
    # overridden in backoffice/console/templates; what scripts set on an element is no inline style.
    "style-src": [CSP.SELF, CSP.NONCE],
    # Pictures of products are addresses at the merchant's suppliers, over https. They are told
    # nothing of the page that shows them: `Referrer-Policy: same-origin`, and no-referrer on each.
    # data: is for the arrows and ticks in Unfold's style sheet; a picture runs no script.
    "img-src": [CSP.SELF, "https:", "data:"],
    # HTMX and our scripts fetch from here and from nowhere else.
    "connect-src": [CSP.SELF],
}
