"""Which language somebody reads: their choice, or else what their browser asks for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from backoffice.audit.context import refine_context
from backoffice.audit.language import on_record

from .models import Profile, User

_A_YEAR = 365 * 24 * 60 * 60


def chosen_language(user: Any) -> str:
    """The language that a user has chosen; nothing if they leave it to their browser."""
    try:
        chosen = str(user.profile.language)
    except (AttributeError, ObjectDoesNotExist):  # nobody, or no profile yet
        return ""
    return chosen if chosen in dict(settings.LANGUAGES) else ""


@contextmanager
def in_language_of(user: Any) -> Iterator[None]:
    """Speak to a user where no browser of theirs asks: in an e-mail, or in work for them."""
    with translation.override(chosen_language(user) or settings.LANGUAGE_CODE):
        yield


class LanguageMiddleware:
    """Shows its pages to a user in the language of their choice, on whatever machine they are.

    Stands after AuthenticationMiddleware; LocaleMiddleware before it goes by the browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (chosen := chosen_language(request.user)):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen
        return self.get_response(request)


@require_POST
@login_required
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the choice of a user, and go back to the page that they were on."""
    chosen = request.POST.get("language", "")
    if chosen and chosen not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    profile, _made = Profile.objects.get_or_create(user=cast(User, request.user))
    if profile.language != chosen:
        refine_context(action=on_record(_("Language chosen")))
        profile.language = chosen
        profile.save(update_fields=["language"])
    back = request.POST.get("next") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = reverse("admin:index")
    response = HttpResponseRedirect(back)
    # The page for signing in, on this machine, does not know who comes.
    if chosen:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=_A_YEAR,
            httponly=True,
            samesite="Lax",
            secure=bool(settings.SESSION_COOKIE_SECURE),
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    return response
