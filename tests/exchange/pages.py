"""How the tests walk through the pages of an import."""

import io
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from backoffice.exchange.models import ExportJob, ImportJob
from tests.console.pages import page

UPLOAD = "/admin/inventory/product/import/"


def upload(client: Client, content: str | bytes, name: str = "march.csv", **more: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data), **more})


def text_of(response: Any) -> str:
    """What a reader sees of a page, in one line."""
    body = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def the_page(client: Client, job: ImportJob, **query: Any) -> Any:
    response = client.get(page("exchange_importjob_change", job.pk), query)
    assert response.status_code == 200
    return response


EXPORT = "/admin/inventory/product/export/"


def export_form(response: Any) -> dict[str, Any]:
    """What the page of an export would send if nothing more on it were touched."""
    context = response.context
    form, selection = context["form"], context["selection"]
    sent = {"query": selection.query, "keys": context["keys"], "do": "export"}
    for name in form.fields:
        value = form[name].value()
        if value is not None and value is not False:
            sent[name] = "on" if value is True else str(value)
    return sent


def sheet_rows(content: bytes, sheet: int = 0) -> list[list[Any]]:
    """The cells of a workbook as a spreadsheet program has them."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_index(sheet).to_python(skip_empty_area=False)


def sheet_text(content: bytes) -> str:
    return "\n".join(",".join(str(cell) for cell in row) for row in sheet_rows(content))


def asked_for(client: Client, query: dict[str, Any] | None = None, **more: str) -> ExportJob:
    """The job of an export that is too large for a request."""
    response = client.post(EXPORT, export_form(client.get(EXPORT, query or {})) | more)
    job = ExportJob.objects.latest("pk")
    assert response["Location"] == page("exchange_exportjob_change", job.pk)
    return job


def exported_skus(client: Client, job: ExportJob) -> list[str]:
    response: Any = client.get(page("exchange_exportjob_file", job.pk))
    assert response.status_code == 200
    lines = response.getvalue().decode("utf-8-sig").splitlines()
    return [line.partition(",")[0] for line in lines[1:]]
