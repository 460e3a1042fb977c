"""What UNFOLD["STYLES"] and UNFOLD["SCRIPTS"] name."""

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("console/lists.css")


def cells_stylesheet(request: HttpRequest) -> str:
    return static("console/cells.css")


def script(request: HttpRequest) -> str:
    return static("console/lists.js")


def pictures_script(request: HttpRequest) -> str:
    return static("console/pictures.js")


def forms_script(request: HttpRequest) -> str:
    return static("console/forms.js")


def cells_script(request: HttpRequest) -> str:
    return static("console/cells.js")
