"""The pages about a file's columns, its profile and its currency."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from backoffice.exchange.background import do_without_profile, map_and_keep, map_columns
from backoffice.exchange.currencies import at_rate
from backoffice.exchange.exceptions import ExchangeError, ProfileRefused
from backoffice.exchange.mapping_form import MappingForm, ProfileForm
from backoffice.exchange.models import ImportJob
from backoffice.exchange.rate_form import RateForm
from backoffice.exchange.resources import get_resource


class MappingPages:
    """What is sent from the form of a file's columns; mixed into the admin of imports."""

    admin_site: Any
    _own_job: Callable[..., ImportJob]
    _page: Callable[..., HttpResponse]
    _back: Callable[..., HttpResponse]
    _try: Callable[..., bool]

    def mapping_urls(self) -> list[URLPattern]:
        views = {
            "map": self.map_view,
            "profile": self.profile_view,
            "forget": self.forget_view,
            "rate": self.rate_view,
        }
        return [
            path(
                f"<int:job_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"exchange_importjob_{name}",
            )
            for name, view in views.items()
        ]

    def map_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        form = MappingForm(request.POST, job=job, resource=get_resource(job.resource))
        if form.is_valid():
            try:
                map_columns(job=job, choices=form.choices())
            except ExchangeError as error:
                form.add_error(None, str(error))
            else:
                return self._back(job)
        return self._page(request, job, mapping_form=form)

    def profile_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Check with the choices of the form, and keep them as a profile."""
        job = self._own_job(request, job_id)
        if not request.user.has_perm("exchange.add_importprofile"):
            raise PermissionDenied
        form = MappingForm(request.POST, job=job, resource=get_resource(job.resource))
        name = ProfileForm(request.POST, job=job)
        if form.is_valid() and name.is_valid():
            try:
                profile = map_and_keep(
                    job=job,
                    choices=form.choices(),
                    name=name.cleaned_data["profile_name"],
                    is_shared=name.cleaned_data["profile_shared"],
                    user=request.user,
                )
            except ProfileRefused as error:
                name.add_error("profile_name", str(error))
            except ExchangeError as error:
                form.add_error(None, str(error))
            else:
                messages.success(
                    request,
                    _("The profile “%(name)s” was saved. Files with these headers will get it.")
                    % {"name": profile},
                )
                return self._back(job)
        return self._page(request, job, mapping_form=form, profile_form=name)

    def rate_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Convert the amounts that are in another currency, and check again."""
        job = self._own_job(request, job_id)
        form = RateForm(request.POST, job=job)
        if form.is_valid():
            try:
                map_columns(job=job, choices=at_rate(job, form.cleaned_data["rate"]))
            except ExchangeError as error:
                form.add_error("rate", str(error))
            else:
                return self._back(job)
        return self._page(request, job, rate_form=form)

    def forget_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        job = self._own_job(request, job_id)
        self._try(request, do_without_profile, job=job)
        return self._back(job)
