"""Bulk actions with a preview: what will change, what is skipped and why, then the service.

The dialogue goes over one page, sent by POST each time: the form, the preview of what it would
do, and `apply`. What is applied is what was previewed; if the rows or the form have changed since,
the page comes back with the new preview. With `select_across` no keys are posted: the list's own
filters find the rows again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.audit.forms import ReasonField
from backoffice.audit.reasons import bulk_needs_reason
from backoffice.exceptions import DomainError

from .reasons import LONGEST_REASON, MISSING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SAMPLES = 5


class Outcome(Protocol):
    """What a service says of its work: how many it changed, how many it left alone and why."""

    @property
    def done(self) -> int: ...

    @property
    def skipped(self) -> Mapping[Any, int]: ...


class BulkForm(forms.Form):
    """What an action asks for besides its rows. Whatever else it asks, the reason comes last."""

    reason = ReasonField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Goes on the record, for whoever asks later."),
        max_length=LONGEST_REASON,
        error_messages={"required": MISSING},
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, model_admin: ModelAdmin, request: HttpRequest) -> None:
        super().__init__(data)
        self.add_fields(model_admin, request)
        self.fields["reason"] = self.fields.pop("reason")
        self.fields["reason"].required = bulk_needs_reason()

    def add_fields(self, model_admin: ModelAdmin, request: HttpRequest) -> None:
        """For fields that only the ModelAdmin can make, such as an autocomplete."""

    @property
    def asks_for_more(self) -> bool:
        """Whether what would change depends on what the user enters."""
        return len(self.fields) > 1

    def asked(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One row of the preview: what it is, what it has, what it will have."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class Preview:
    changing: int
    skipped: Mapping[str, int]  # by reason, in words
    samples: Sequence[Sample]
    fingerprint: str  # of the numbers and of what was asked


class BulkAction:
    """One bulk action of a list. Goes into `ModelAdmin.actions` as an instance.

    Subclasses say what it is called, which one permission it needs (`has_<permission>_permission`
    of the ModelAdmin), what it asks for, which rows it skips, and which service carries it out.
    """

    name: ClassVar[str]
    label: ClassVar["StrOrPromise"]
    permission: ClassVar[str] = "change"
    form_class: ClassVar[type[BulkForm]] = BulkForm
    column: ClassVar["StrOrPromise"]  # the header over the old and the new value

    template = "console/bulk_action.html"
    do_not_call_in_templates = True

    def __init__(self) -> None:
        # What Django's admin reads off a function.
        self.__name__ = self.name
        self.short_description = self.label
        self.allowed_permissions = [self.permission]

    # `asked` holds what the form asks for besides the reason.
    def plan(self, rows: QuerySet, asked: Mapping[str, Any]) -> QuerySet:
        """The rows annotated with `skip`: the reason why one is left alone, "" for the others."""
        raise NotImplementedError

    def skip_label(self, reason: str) -> str:
        """A reason for skipping in words."""
        raise NotImplementedError

    def sample(self, row: Any, asked: Mapping[str, Any]) -> Sample:
        raise NotImplementedError

    def execute(
        self, rows: QuerySet, asked: Mapping[str, Any], *, actor: Any, reason: str
    ) -> Outcome:
        """Call the service."""
        raise NotImplementedError

    def done_message(self, number: int) -> str:
        """What was done in words, such as "12 activated."."""
        raise NotImplementedError

    def __call__(
        self, model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet
    ) -> HttpResponse | None:
        if not getattr(model_admin, f"has_{self.permission}_permission")(request):
            raise PermissionDenied
        # By key: what filters, annotates or orders the list is of no concern to the plan.
        found = queryset.order_by().values("pk")
        rows = model_admin.model._default_manager.filter(pk__in=found).order_by()
        applying = "apply" in request.POST
        sent = applying or "preview" in request.POST
        form = self.form_class(
            request.POST if sent else None, model_admin=model_admin, request=request
        )
        # A preview needs no reason yet; what is asked for besides must stand.
        wrong = set(form.errors) - {"reason"}
        asked_for = not form.asks_for_more or (sent and not wrong)
        if sent and not applying:
            form.errors.pop("reason", None)
        preview = self._preview(rows, form.asked() if sent else {}) if asked_for else None
        if applying and preview and form.is_valid():
            if request.POST.get("previewed", "") == preview.fingerprint:
                try:
                    reason = form.cleaned_data["reason"]
                    outcome = self.execute(rows, form.asked(), actor=request.user, reason=reason)
                except DomainError as refusal:
                    form.add_error(None, str(refusal))
                else:
                    model_admin.message_user(
                        request,
                        self._in_words(outcome),
                        messages.SUCCESS if outcome.done else messages.WARNING,
                    )
                    return None
            else:
                messages.warning(
                    request,
                    _("What would change is not what you saw last. Look at it again, then apply."),
                )
        return self._page(model_admin, request, rows, form, preview)

    def _preview(self, rows: QuerySet, asked: Mapping[str, Any]) -> Preview:
        planned = self.plan(rows, asked)
        counted = dict(planned.values_list("skip").annotate(number=Count("pk")).order_by())
        # The same numbers of other rows, or of rows that changed, are not what was seen.
        which = rows.aggregate(Sum("pk"), Sum("version"), Max("updated_at"))
        told = f"{self.name} {sorted(counted.items())} {_stable(asked)} {which}"
        changing = counted.pop("", 0)
        return Preview(
            changing=changing,
            skipped={self.skip_label(skip): n for skip, n in sorted(counted.items())},
            samples=[
                self.sample(row, asked) for row in planned.filter(skip="").order_by("pk")[:SAMPLES]
            ],
            fingerprint=hashlib.sha256(told.encode()).hexdigest()[:32],
        )

    def _page(
        self,
        model_admin: ModelAdmin,
        request: HttpRequest,
        rows: QuerySet,
        form: BulkForm,
        preview: Preview | None,
    ) -> HttpResponse:
        across = request.POST.get("select_across") == "1"
        selected = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        number = rows.count()
        request.current_app = model_admin.admin_site.name
        return TemplateResponse(
            request,
            self.template,
            {
                **model_admin.admin_site.each_context(request),
                "title": self.label,
                "opts": model_admin.opts,
                "action": self,
                "form": form,
                "media": model_admin.media + form.media,
                "preview": preview,
                "selection": self._selection(model_admin.opts, number),
                "across": across,
                # The list counts as selected if one row is; which one does not matter then.
                "keys": selected[:1] if across else selected,
                "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
                "back": request.get_full_path(),
            },
        )

    def _selection(self, opts: Any, number: int) -> str:
        names = opts.verbose_name if number == 1 else opts.verbose_name_plural
        return f"{number_format(number, force_grouping=True)} {names}"

    def _in_words(self, outcome: Outcome) -> str:
        """ "12 activated. 3 skipped: already active." """
        said = [self.done_message(outcome.done)]
        skipped = {self.skip_label(reason): n for reason, n in outcome.skipped.items()}
        if skipped:
            total = sum(skipped.values())
            why = (
                next(iter(skipped))
                if len(skipped) == 1
                else ", ".join(f"{n} {label}" for label, n in skipped.items())
            )
            said.append(
                ngettext("%(number)d skipped: %(why)s.", "%(number)d skipped: %(why)s.", total)
                % {"number": total, "why": why}
            )
        return " ".join(said)


def _stable(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted(
        (name, str(value.pk if isinstance(value, models.Model) else value))
        for name, value in asked.items()
    )
