from collections.abc import Callable
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from .models import Profile

INTERVAL = timedelta(minutes=1)


class LastActiveMiddleware:
    """Notes when a user was last here, at most once a minute each."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Not before the view: most requests for files never ask who the user is.
        if request.session.accessed and request.user.is_authenticated:
            # The cache spares the statement; the condition holds where there are more processes.
            if cache.add(f"last-active:{request.user.pk}", True, INTERVAL.total_seconds()):
                Profile.objects.filter(
                    Q(last_active_at=None) | Q(last_active_at__lt=Now() - INTERVAL),
                    user=request.user,
                ).update(last_active_at=Now())
        return response
