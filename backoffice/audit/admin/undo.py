"""The pages that put things back: a preview of what goes back and what is kept, then a POST."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.audit.access import AdminLinks, may_read_history
from backoffice.audit.exceptions import NotOnRecord, PlanOutdated
from backoffice.audit.forms import ReasonField
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.large import UndoRequest, hand_over, is_for_workers
from backoffice.audit.undo.names import NamedRow, named_rows, names_of
from backoffice.audit.undo.plan import Tally, UndoPlan
from backoffice.audit.undo.services import (
    PERMISSION,
    ObjectKey,
    UndoResult,
    deletion_of,
    plan_undo,
    undone_by,
)
from backoffice.audit.undo.tables import model_named
from backoffice.audit.undo.wording import ACTS, acts_in_words, grouped, kept_in_words, plan_in_words
from backoffice.audit.wording import source_in_words
from backoffice.exceptions import DomainError

ROWS_SHOWN = 10
ROWS_PER_PAGE = 50
LONGEST_REASON = 500


class UndoForm(forms.Form):
    """Why. What is confirmed is what was previewed."""

    reason = ReasonField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Goes on the record, for whoever asks later."),
        max_length=LONGEST_REASON,
        error_messages={"required": gettext_lazy("Say why: this change needs a reason.")},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )


@dataclass(frozen=True, kw_only=True)
class ShownRow:
    named: NamedRow
    act: str
    url: str
    newer_url: str


@dataclass(frozen=True, kw_only=True)
class ShownList:
    """A page of rows of one model: those that are undone, or those that are kept."""

    rows: list[ShownRow]
    total: int
    next: int | None
    kept: bool


@dataclass(frozen=True, kw_only=True)
class ShownTable:
    label: str
    title: str
    undone: str
    kept: str
    lists: list[ShownList]


def restore_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """From an object that is gone to the undo of its part of the deletion."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    only = object_asked_for(request)
    if only is None:
        raise Http404
    require_right(request, only.model)
    try:
        change_set = deletion_of(only.model, only.key)
    except (NotOnRecord, ValueError):
        raise Http404 from None
    address = reverse("admin:audit_changeset_undo", args=[change_set.pk])
    return HttpResponseRedirect(f"{address}?{request.GET.urlencode()}")


def undo_view(model_admin: ModelAdmin, request: HttpRequest, change_set_id: int) -> HttpResponse:
    """Preview on GET; on POST do it, or come back with the new preview if data changed since.

    What takes too long for a request is handed to a worker, with what was previewed.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    require_right(request)
    change_set = ChangeSet.objects.filter(pk=change_set_id).first()
    if change_set is None:
        raise Http404
    only = object_asked_for(request)
    if only is not None:
        require_right(request, only.model)
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = UndoRequest(
            actor=request.user,
            change_set=change_set,
            reason=form.cleaned_data["reason"],
            only=only,
            # Without one, nothing was previewed that this could be.
            previewed=request.POST.get("previewed") or "none",
        )
        if address := hand_over(asked):
            return HttpResponseRedirect(address)
        try:
            result = asked.carry_out()
        except PlanOutdated as outdated:
            messages.warning(request, str(outdated))
        except NotOnRecord:
            raise Http404 from None
        except DomainError as refusal:
            messages.error(request, str(refusal))
        else:
            tell(request, plan_in_words(result.plan), result.change_set, left=result.plan.left)
            return HttpResponseRedirect(_after(request, result, only))
    try:
        plan = plan_undo(change_set, actor=request.user, only=only)
    except NotOnRecord:
        raise Http404 from None
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse("admin:audit_changeset_change", args=[change_set.pk]))
    return _preview_page(model_admin, request, plan, only, form)


def object_asked_for(request: HttpRequest) -> ObjectKey | None:
    """What "?object=app.model/key" names. Raises Http404 for what is not on the record."""
    label, _slash, key = request.GET.get("object", "").partition("/")
    if not label:
        return None
    model = model_named(label)
    if model is None or not key:
        raise Http404
    try:
        return ObjectKey(model=model, key=str(model._meta.pk.to_python(unquote(key))))
    except ValidationError:
        raise Http404 from None


def require_right(request: HttpRequest, model: type[models.Model] | None = None) -> None:
    if not request.user.has_perm(PERMISSION) or (model and not may_read_history(request, model)):
        raise PermissionDenied


def tell(request: HttpRequest, said: str, change_set: ChangeSet, *, left: int = 0) -> None:
    """What was done, with the way to the change set that did it for those who may look at it."""
    if request.user.has_perm("audit.view_changeset"):
        url = reverse("admin:audit_changeset_change", args=[change_set.pk])
        link = format_html('<a class="console-link" href="{}">{}</a>', url, change_set)
        said = format_html("{} {}", said, link)
    (messages.warning if left else messages.success)(request, said)


def _after(request: HttpRequest, result: UndoResult, only: ObjectKey | None) -> str:
    """Where to go on: to the object that came back, or to what the undo did."""
    if only is not None and may_read_history(request, only.model):
        options = only.model._meta
        name = f"admin:{options.app_label}_{options.model_name}_history"
        return reverse(name, args=[quote(only.key)])
    if request.user.has_perm("audit.view_changeset"):
        return reverse("admin:audit_changeset_change", args=[result.change_set.pk])
    return request.get_full_path()


def _preview_page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    plan: UndoPlan,
    only: ObjectKey | None,
    form: UndoForm,
) -> HttpResponse:
    readable = [tally for tally in plan.tallies if may_read_history(request, tally.model)]
    if not readable and not request.user.has_perm("audit.view_changeset"):
        raise PermissionDenied
    links = AdminLinks(request, model_admin.admin_site)
    one = request.GET.get("model", "")
    change_set = plan.change_set
    undone = plan.undone
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Undo of: %(action)s") % {"action": change_set},
        # The way back to the timeline, for those who may go there.
        "opts": model_admin.opts if request.user.has_perm("audit.view_changeset") else None,
        "change_set": change_set,
        "source": source_in_words(change_set.source),
        "original": change_set,
        "plan": plan,
        "only": _name_of(only),
        "part": only is not None,
        "tables": [
            _shown(request, plan, tally, links, single=bool(one))
            for tally in readable
            if one in ("", tally.model._meta.label_lower)
        ],
        "hidden": len(plan.tallies) - len(readable),
        "one": one,
        "is_large": is_for_workers(change_set),
        "undone_by": list(undone_by(change_set)[:5]),
        "form": form,
        "button": ngettext("Undo %s change", "Undo %s changes", undone) % grouped(undone),
        "back": _back(request, change_set, only),
        "address": request.get_full_path(),
        "query": f"object={request.GET['object']}&" if only else "",
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "audit/undo.html", context)


def _name_of(only: ObjectKey | None) -> str:
    """The object that alone is asked for, by the name that it had."""
    if only is None:
        return ""
    (name,) = names_of(only.model, {only.key}).values()
    return str(capfirst(name))


def _back(request: HttpRequest, change_set: ChangeSet, only: ObjectKey | None) -> str:
    if only is not None:
        options = only.model._meta
        return reverse(f"admin:{options.app_label}_{options.model_name}_history", args=[only.key])
    if request.user.has_perm("audit.view_changeset"):
        return reverse("admin:audit_changeset_change", args=[change_set.pk])
    return reverse("admin:index")


def _shown(
    request: HttpRequest, plan: UndoPlan, tally: Tally, links: AdminLinks, *, single: bool
) -> ShownTable:
    after = request.GET.get("after", "") if single else ""
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    wanted = request.GET.get("kept") if single else None
    lists = []
    for kept, total in ((True, tally.total_kept), (False, tally.undone)):
        if not total or (wanted in ("0", "1") and (wanted == "1") != kept):
            continue
        size = ROWS_PER_PAGE if single else ROWS_SHOWN
        rows = plan.rows(tally.model, kept=kept, after=start, size=size + 1)
        page = named_rows(
            tally.model, rows[:size], may_read=lambda model: may_read_history(request, model)
        )
        urls = links.objects(tally.model, (row.key for row in page))
        lists.append(
            ShownList(
                rows=[_shown_row(request, row, urls.get(row.key, "")) for row in page],
                total=total,
                next=rows[size - 1].number if len(rows) > size else None,
                kept=kept,
            )
        )
    return ShownTable(
        label=tally.model._meta.label_lower,
        title=capfirst(str(tally.model._meta.verbose_name_plural)),
        undone=", ".join(acts_in_words(tally.acts)),
        kept=kept_in_words(tally.kept),
        lists=lists,
    )


def _shown_row(request: HttpRequest, named: NamedRow, url: str) -> ShownRow:
    newer = named.row.newer
    visible = newer is not None and request.user.has_perm("audit.view_changeset")
    return ShownRow(
        named=named,
        act=str(ACTS[named.row.act]),
        url=url,
        newer_url=reverse("admin:audit_changeset_change", args=[newer.pk])
        if newer and visible
        else "",
    )
