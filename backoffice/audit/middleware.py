import logging
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .context import Source, audit_context
from .events import keeping_events, record_refusal

logger = logging.getLogger(__name__)


class AuditMiddleware:
    """Opens the context of a request: who, from where, through which page; keeps its events.

    Stands after AuthenticationMiddleware and outside of the request's transaction. The user is
    asked for only when something is written.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with (
            audit_context(
                source=Source.API if request.path.startswith("/api/") else Source.ADMIN,
                action=f"{request.method} {request.path}",
                actor=lambda: getattr(request, "user", None),
                # Named, or a context that is open around the server would shine through.
                actor_name="",
                reason="",
                reference="",
                request_id=getattr(request, "id", ""),
                client_address=client_address(request),
            ),
            keeping_events(),
        ):
            response = self.get_response(request)
            if response.status_code == HTTPStatus.FORBIDDEN and _is_signed_in(request):
                record_refusal(method=request.method or "", path=request.path)
            return response


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


@cache
def _warn_of_a_proxy() -> None:
    """Once in the life of a process: anybody can send the header."""
    logger.warning(
        "A request came with X-Forwarded-For, and TRUSTED_PROXIES is 0. If a proxy of yours stands "
        "in front, set it: until then everyone has the proxy's address on the record, and counts "
        "as one client where sign-ins fail."
    )


def client_address(request: HttpRequest) -> str:
    """The address of the client, from X-Forwarded-For only as far as our own proxies wrote it."""
    hops = settings.TRUSTED_PROXIES
    if not hops and "HTTP_X_FORWARDED_FOR" in request.META:
        _warn_of_a_proxy()
    forwarded = [
        part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part
    ]
    if hops and len(forwarded) >= hops:
        return str(forwarded[-hops])
    return str(request.META.get("REMOTE_ADDR", ""))
