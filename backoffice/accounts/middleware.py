from collections.abc import Callable
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from .models import Profile, User

INTERVAL = timedelta(minutes=1)


class LastActiveMiddleware:
    """Notes when a user was last here, at most once a minute each."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Not before the view: most requests for files never ask who the user is.
        if (
            request.session.accessed
            and request.user.is_authenticated
            # The cache spares the statement; its condition holds where there are more processes.
            and cache.add(f"last-active:{request.user.pk}", True, INTERVAL.total_seconds())
        ):
            note_presence(request.user)
        return response


def note_presence(user: User) -> None:
    """Write that the user is here now, unless that was written within the last minute."""
    is_old = Q(last_active_at=None) | Q(last_active_at__lt=Now() - INTERVAL)
    if Profile.objects.filter(is_old, user=user).update(last_active_at=Now()):
        return
    # Users that came by bulk_create, a fixture or SQL have no profile yet.
    Profile.objects.get_or_create(user=user, defaults={"last_active_at": Now()})
