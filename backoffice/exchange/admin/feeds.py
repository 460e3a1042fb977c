from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice.audit.admin import HistoryAdmin
from backoffice.exchange.exceptions import FeedRefused
from backoffice.exchange.feed_files import check_location
from backoffice.exchange.models import ImportFeed, ImportProfile
from backoffice.exchange.resources import get_resource
from backoffice.exchange.scheduling import hand_over_feed


def _may_lend_rights(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("accounts.change_user"))


class FeedForm(forms.ModelForm):
    class Meta:
        model = ImportFeed
        fields = (
            "name", "profile", "location", "every", "is_active", "user", "reason",
            "valid_rows_only",
        )  # fmt: skip
        help_texts = {
            "profile": gettext_lazy(
                "How the file is read and mapped. Import a file of the supplier once by hand, and "
                "keep its columns as a profile."
            ),
            "location": gettext_lazy(
                "An address, such as https://supplier.example/prices.csv, or the name of a file in "
                "the folder for feeds, such as prices-*.csv, of which the newest is taken."
            ),
            "user": gettext_lazy("Whose rights it has, and who is told."),
            "reason": gettext_lazy("Goes on the record with every import of this feed."),
            "valid_rows_only": gettext_lazy(
                "Write the valid rows if others are invalid; otherwise nothing is written then."
            ),
        }

    def clean_location(self) -> str:
        location = str(self.cleaned_data["location"]).strip()
        try:
            check_location(location)
        except FeedRefused as error:
            raise forms.ValidationError(str(error)) from error
        return location

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        profile, user = cleaned.get("profile"), cleaned.get("user")
        if profile and user:
            options = get_resource(profile.resource).model()._meta
            if not user.has_perm(f"{options.app_label}.import_{options.model_name}"):
                self.add_error(
                    "user",
                    _("%(user)s may not import %(what)s. Choose somebody who may.")
                    % {"user": user, "what": options.verbose_name_plural},
                )
        return cleaned


@admin.register(ImportFeed)
class ImportFeedAdmin(HistoryAdmin, SimpleHistoryAdmin, ModelAdmin):
    """Suppliers' files that come in by themselves."""

    list_display = [
        "name", "what", "location", "every", "user", "is_active", "last_run_at", "next_run_at",
        "how_it_went",
    ]  # fmt: skip
    list_filter = ["is_active", "every"]
    list_select_related = ["profile", "user"]
    search_fields = ["name", "location"]
    list_fullwidth = True
    empty_state = (
        gettext_lazy("No feeds yet"),
        gettext_lazy("A feed fetches a supplier's file by itself and imports it by a profile."),
    )

    form = FeedForm
    fieldsets = [
        (None, {"fields": ["name", "profile", "location", "every", "is_active"]}),
        (gettext_lazy("Import"), {"fields": ["user", "reason", "valid_rows_only"]}),
        (
            gettext_lazy("How it goes"),
            {"fields": ["next_run_at", "last_run_at", "last_problem", "imports"]},
        ),
    ]
    readonly_fields = ["next_run_at", "last_run_at", "last_problem", "imports"]
    change_form_outer_before_template = "exchange/feed_run.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return fieldsets if obj else fieldsets[:2]

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """A feed acts as whoever sets it up; only who keeps people may lend it others' rights."""
        if db_field.name == "user" and not _may_lend_rights(request):
            users = db_field.remote_field.model._default_manager
            kwargs["queryset"] = users.filter(pk=request.user.pk)
            kwargs["initial"] = request.user.pk
        if db_field.name == "profile":
            profiles = ImportProfile.objects.filter(Q(is_shared=True) | Q(user=request.user.pk))
            kwargs["queryset"] = profiles
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What runs with somebody's rights is theirs to change, or that of who keeps people."""
        own = obj is None or _may_lend_rights(request) or obj.user_id == request.user.pk
        return own and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is None or _may_lend_rights(request) or obj.user_id == request.user.pk
        return own and bool(super().has_delete_permission(request, obj))

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:feed_id>/run/",
                self.admin_site.admin_view(self.run_view),
                name="exchange_importfeed_run",
            ),
            *super().get_urls(),
        ]

    def run_view(self, request: HttpRequest, feed_id: int) -> HttpResponse:
        """Have a worker fetch the file now; by POST."""
        if request.method != "POST":
            raise Http404
        feed = ImportFeed.objects.filter(pk=feed_id).first()
        if feed is None:
            raise Http404
        if not self.has_change_permission(request, feed):
            raise PermissionDenied
        hand_over_feed(feed)
        messages.info(
            request,
            _("A worker fetches the file now. The import appears in the list of imports."),
        )
        return HttpResponseRedirect(reverse("admin:exchange_importfeed_change", args=[feed.pk]))

    # Displays

    @display(description=gettext_lazy("what"), ordering="profile__resource")
    def what(self, feed: ImportFeed) -> str:
        options = get_resource(feed.profile.resource).model()._meta
        return str(options.verbose_name_plural).capitalize()

    @display(
        description=gettext_lazy("last time"),
        label={"problem": "danger", "good": "success", "never": "info"},
    )
    def how_it_went(self, feed: ImportFeed) -> tuple[str, str]:
        if feed.last_problem:
            return "problem", _("problem")
        return ("good", _("in order")) if feed.last_run_at else ("never", _("not run yet"))

    @display(description=gettext_lazy("imports"))
    def imports(self, feed: ImportFeed) -> str:
        return format_html(
            '<a class="console-link" href="{}?feed__id__exact={}">{}</a>',
            reverse("admin:exchange_importjob_changelist"),
            feed.pk,
            _("Its imports"),
        )
