"""Bulk actions with a preview: what will change, what is skipped and why, then the service.

The dialogue goes over one page, sent by POST each time: the form, the preview of what it would
do, and `apply`. What is applied is what was previewed; if the rows or the form have changed since,
the page comes back with the new preview. With `select_across` no keys are posted: the list's own
filters find the rows again.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import ngettext

from backoffice.audit.admin.undo_now import undo_button
from backoffice.audit.models import ChangeSet
from backoffice.audit.undo.services import change_set_of_this_transaction
from backoffice.bulk import Outcome, counted, lock_in_order, with_keys
from backoffice.exceptions import DomainError

from . import jobs
from .forms import REASON, BulkForm
from .preview import Preview, Sample, fingerprint, preview
from .refusals import PreviewOutdated, RefusedByDatabase

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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
    is_number: ClassVar[bool] = False  # whether these values belong to the right
    samples_shown: ClassVar[int] = 5

    template = "console/bulk/action.html"
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

    def samples(self, row: Any, asked: Mapping[str, Any]) -> Sequence[Sample]:
        """What changes of one row; for actions that change several fields."""
        return [self.sample(row, asked)]

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
        rows = self.rows(model_admin, queryset)
        applying = "apply" in request.POST
        sent = applying or "preview" in request.POST
        form = self.form_class(
            request.POST if sent else None, model_admin=model_admin, request=request
        )
        stands = sent and not form.asks_wrongly
        asked_for = stands or not form.asks_for_more
        if sent and not applying:
            form.errors.pop(REASON, None)
        seen = preview(self, rows, form.asked() if sent else {}) if asked_for else None
        if applying and seen and form.is_valid():
            try:
                return self._apply(model_admin, request, rows, form, seen)
            except PreviewOutdated as outdated:
                messages.warning(request, str(outdated))
                seen = preview(self, rows, form.asked())
            except DomainError as refusal:
                form.add_error(None, str(refusal))
        return self._page(model_admin, request, rows, form, seen)

    def rows(self, model_admin: ModelAdmin, found: QuerySet) -> QuerySet:
        """By key: what filters, annotates or orders the list is of no concern to the plan."""
        keys = found.order_by().values("pk")
        rows: QuerySet = model_admin.model._default_manager.filter(pk__in=keys)
        return rows.order_by()

    def _apply(
        self,
        model_admin: ModelAdmin,
        request: HttpRequest,
        rows: QuerySet,
        form: BulkForm,
        seen: Preview,
    ) -> HttpResponse | None:
        """Do what was seen, or have a worker do it. Raises PreviewOutdated if it was not seen."""
        if request.POST.get("previewed", "") != seen.fingerprint:
            raise PreviewOutdated
        if jobs.is_large(rows=seen.rows):
            job = jobs.hand_over(
                user=request.user,
                model=model_admin.model,
                action=self.name,
                selection=jobs.selection_of(request),
                sent=form.sent(),
                fingerprint=seen.fingerprint,
                reason=form.cleaned_data[REASON],
            )
            return HttpResponseRedirect(jobs.page_of(job))
        outcome, change_set = self.apply(
            rows,
            form.asked(),
            seen=seen.fingerprint,
            actor=request.user,
            reason=form.cleaned_data[REASON],
        )
        self._tell(request, outcome, change_set)
        return None

    @transaction.atomic
    def apply(
        self, rows: QuerySet, asked: Mapping[str, Any], *, seen: str, actor: Any, reason: str
    ) -> tuple[Outcome, ChangeSet | None]:
        """Do it, if it is still what was `seen`: a second click finds the rows changed.

        The rows are locked before they are compared, so nobody comes in between. Raises
        PreviewOutdated, RefusedByDatabase and what the service raises; nothing is written then.
        """
        held = with_keys(rows.model, lock_in_order(rows))
        counts = counted(self.plan(held, asked))
        if fingerprint(self, held, counts, asked) != seen:
            raise PreviewOutdated
        try:
            outcome = self.execute(held, asked, actor=actor, reason=reason)
        except OperationalError:
            raise  # a deadlock, a lost connection: not a rule
        except DatabaseError as error:
            raise RefusedByDatabase(rows.model, error) from error
        return outcome, change_set_of_this_transaction() if outcome.done else None

    def _tell(self, request: HttpRequest, outcome: Outcome, change_set: ChangeSet | None) -> None:
        said = self.in_words(outcome)
        if change_set is not None and (
            undo := undo_button(request, change_set, back=request.get_full_path())
        ):
            said = format_html("{} {}", said, undo)
        (messages.success if outcome.done else messages.warning)(request, said)

    def _page(
        self,
        model_admin: ModelAdmin,
        request: HttpRequest,
        rows: QuerySet,
        form: BulkForm,
        seen: Preview | None,
    ) -> HttpResponse:
        across = request.POST.get("select_across") == "1"
        selected = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        number = seen.rows if seen else rows.count()
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
                "preview": seen,
                "names_fields": bool(seen and any(each.field for each in seen.samples)),
                "is_large": jobs.is_large(rows=number),
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

    def in_words(self, outcome: Outcome) -> str:
        """ "12 activated. 3 skipped: already active." """
        said = [self.done_message(outcome.done)]
        skipped = {self.skip_label(reason): n for reason, n in outcome.skipped.items()}
        if skipped:
            total = sum(skipped.values())
            why = (
                next(iter(skipped))
                if len(skipped) == 1
                else ", ".join(
                    f"{number_format(n, force_grouping=True)} {label}"
                    for label, n in skipped.items()
                )
            )
            said.append(
                ngettext("%(number)s skipped: %(why)s.", "%(number)s skipped: %(why)s.", total)
                % {"number": number_format(total, force_grouping=True), "why": why}
            )
        return " ".join(said)
