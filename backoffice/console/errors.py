from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of a failure, with the number under which the log has its cause.

    Without the request in its context: whatever a context processor asks may be what fails.
    """
    context = {"request_id": getattr(request, "id", "")}
    return HttpResponseServerError(loader.get_template("500.html").render(context))
