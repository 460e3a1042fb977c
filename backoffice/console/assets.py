"""What UNFOLD["STYLES"] and UNFOLD["SCRIPTS"] name for every page."""

from django.http import HttpRequest
from django.templatetags.static import static


def access_stylesheet(request: HttpRequest) -> str:
    return static("console/access.css")


def access_script(request: HttpRequest) -> str:
    return static("console/access.js")
