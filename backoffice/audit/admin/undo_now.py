"""Undo right after the deed: the button in the message that says what was done."""

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import PERMISSION, undo_change_set
from backoffice.audit.undo.wording import plan_in_words
from backoffice.exceptions import DomainError

from .undo import require_right, tell

# The form of every page that posts what such a button asks for; see unfold/helpers/messages.html.
FORM = "undo-now"


def undo_button(request: HttpRequest, change_set: ChangeSet, *, back: str) -> SafeString | str:
    """Puts all of a change set back as far as it still stands; "" for who may not undo."""
    if not request.user.has_perm(PERMISSION):
        return ""
    address = reverse("admin:audit_changeset_undo_now", args=[change_set.pk])
    return format_html(
        '<button class="console-message-button" form="{}" formaction="{}">{}</button>',
        FORM,
        f"{address}?{urlencode({'next': back})}",
        _("Undo"),
    )


def undo_now_view(
    model_admin: ModelAdmin, request: HttpRequest, change_set_id: int
) -> HttpResponse:
    """Undo without a preview what the user has just seen happen."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    require_right(request)
    change_set = ChangeSet.objects.filter(pk=change_set_id).first()
    if change_set is None:
        raise Http404
    try:
        result = undo_change_set(
            change_set=change_set, actor=request.user, reason=_("Undone right after it was done")
        )
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        tell(request, plan_in_words(result.plan), result.change_set, left=result.plan.left)
    back = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))
