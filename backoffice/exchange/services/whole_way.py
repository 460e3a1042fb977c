"""A file brought in without a page."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from backoffice.exchange.exceptions import MappingRefused
from backoffice.exchange.mapping import check_mapping
from backoffice.exchange.models import ImportJob
from backoffice.exchange.profiles import named_profile
from backoffice.exchange.read_as import FIND_OUT, ReadAs
from backoffice.exchange.resources import get_resource

from .ending import apply_import
from .reading import start_import


def import_file(
    *,
    resource: str,
    path: Path,
    user: Any = None,
    reason: str = "",
    apply: bool = True,
    valid_rows_only: bool = False,
    read_as: ReadAs = FIND_OUT,
    profile: str = "",
) -> ImportJob:
    """Bring a file in without a page: store, map by header, check, and apply if asked to.

    `profile` is the name of one whose choices are used. Raises what the steps raise;
    MappingRefused if no column is the key.
    """
    named = named_profile(profile, resource, user) if profile else None
    if named:
        kept = ReadAs.from_choices(named.choices).choices()
        read_as = ReadAs.from_choices({**kept, **read_as.choices()})
    with path.open("rb") as file:
        job = start_import(
            resource=resource,
            file=file,
            file_name=path.name,
            user=user,
            read_as=read_as,
            profile=named,
        )
    if named and job.profile != named:
        raise MappingRefused([_("The file has not the columns of this profile.")])
    check_mapping(get_resource(resource), job.mapping, job.header, user)
    if apply:
        job = apply_import(job=job, reason=reason, valid_rows_only=valid_rows_only)
    return job
