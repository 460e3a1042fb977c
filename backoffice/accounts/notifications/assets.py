"""What every page loads for the bell in its header."""

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("accounts/notifications.css")
