"""What every page loads for notes, whose form may come later."""

from django.http import HttpRequest
from django.templatetags.static import static


def people_script(request: HttpRequest) -> str:
    return static("audit/people.js")
