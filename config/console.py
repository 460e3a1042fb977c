"""What Unfold's settings point at: the parts of the console that know every app."""

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static


def shop_name(request: HttpRequest) -> str:
    return str(settings.SHOP_NAME)


def logo(request: HttpRequest) -> str:
    return static("console/logo.svg")


def favicon(request: HttpRequest) -> str:
    return static("console/logo.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


def environment(request: HttpRequest) -> list[str]:
    return [settings.ENVIRONMENT, "danger" if settings.ENVIRONMENT == "Production" else "info"]


def navigation(request: HttpRequest) -> list[dict[str, object]]:
    return []


def dashboard(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    return context
