"""What the page of an import says of the software that the file is from."""

from typing import Any

from backoffice.exchange.formats import PLAIN
from backoffice.exchange.models import ImportJob
from backoffice.exchange.reading.headers import normalised
from backoffice.exchange.resources import Resource
from backoffice.exchange.translating import recognised


def format_context(job: ImportJob, resource: Resource) -> dict[str, Any]:
    """The format by which a file was read, or could be, and what of it has no home."""
    known = recognised(resource.formats, job.source_header)
    is_read_so = known is not None and job.source_format == known.name
    return {
        "source_format": known,
        "is_read_by_format": is_read_so,
        "other_format": PLAIN if is_read_so else known.name if known else "",
        "is_own_export": known is None and _is_own_export(job, resource),
        "homeless": job.left_out,
    }


def _is_own_export(job: ImportJob, resource: Resource) -> bool:
    """Whether every column is called as an export calls it, the key and the version among them."""
    own = {normalised(name) for name in (*resource.fields, "version")}
    names = {normalised(name) for name in job.header}
    return resource.key() in job.mapping and "version" in names and names <= own
