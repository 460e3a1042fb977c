"""What every page loads for the attachments of an object, whose tab may come later."""

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("console/attachments.css")


def script(request: HttpRequest) -> str:
    return static("console/attachments.js")
