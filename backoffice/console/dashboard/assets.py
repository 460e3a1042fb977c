"""What UNFOLD["STYLES"] and UNFOLD["SCRIPTS"] name."""

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("console/dashboard.css")


def script(request: HttpRequest) -> str:
    return static("console/dashboard.js")
