"""What was chosen for a supplier's file, kept under a name, and used again for the next one.

Columns are kept by the names of their headers, so a file may have them in another order.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from .choices import Choices, checked_choices
from .compiling import open_columns
from .exceptions import MappingRefused, ProfileRefused
from .mapping import propose_mapping
from .models import ImportJob, ImportProfile
from .read_as import ReadAs
from .reading.headers import normalised
from .resources import Resource, get_resource


def header_sha256(header: Sequence[str]) -> str:
    """What files of the same columns in the same order have in common.

    The column of reasons, which the rows that failed come back with, does not count.
    """
    names = [normalised(name) for name in header]
    if len(names) > 1 and names[-1] == normalised(_("Error")):
        names.pop()
    return sha256("\n".join(names).encode()).hexdigest()


def matching_profile(job: ImportJob) -> ImportProfile | None:
    """Of the profiles of files with this header that the user may choose, the last used or made."""
    found = ImportProfile.objects.filter(
        resource=job.resource, header_sha256=header_sha256(_header(job))
    )
    if job.user is not None:
        found = found.usable_by(job.user, job.resource)
    else:
        found = found.filter(is_shared=True)
    return found.order_by(Coalesce("used_at", "created_at").desc(), "-pk").first()


def named_profile(name: str, resource: str, user: Any) -> ImportProfile:
    """The profile of this name that a user may choose. Raises ProfileRefused."""
    profiles = ImportProfile.objects.filter(resource=resource)
    if user is not None:
        profiles = profiles.usable_by(user, resource)
    found = profiles.filter(name__iexact=name).first()
    if found is None:
        names = ", ".join(profiles.values_list("name", flat=True)) or "—"
        raise ProfileRefused(
            _("There is no profile “%(name)s”. Choose one of: %(known)s.")
            % {"name": name, "known": names}
        )
    return found


def use_profile(job: ImportJob, resource: Resource, profile: ImportProfile) -> bool:
    """Put a profile's choices on a job that is read; the caller saves it.

    Columns that the file does not have, and fields that its user must not see, are left out.
    Returns whether the profile fits: if not, the job stays as it is.
    """
    kept = profile.choices
    index = {normalised(name): number for number, name in reversed([*enumerate(job.header)])}
    open_targets = {
        target for c in open_columns(resource, job.user).values() for target in c.targets
    }
    may_feed = {*open_targets, *(["version"] if "version" in kept["columns"] else [])}
    choices = Choices(
        mapping={
            target: index[normalised(name)]
            for target, name in kept["columns"].items()
            if target in may_feed and normalised(name) in index
        },
        constants={t: v for t, v in kept["constants"].items() if t in open_targets},
        transformations=kept["transformations"],
        creates=kept["creates"],
        lookups={n: by for n, by in kept["lookups"].items() if n in open_targets},
        blank_cells=kept["blank_cells"],
        deactivate_missing=kept["deactivate_missing"],
        deactivate_scope=kept["deactivate_scope"],
    )
    try:
        checked_choices(resource, choices, job.header, job.user).put_on(job)
    except MappingRefused:
        return False
    job.profile, job.guesses = profile, {}
    return True


def forget_profile(job: ImportJob, resource: Resource) -> None:
    """Put on a job what it would have without a profile; the caller saves it."""
    Choices(mapping=propose_mapping(resource, job.header, job.user)).put_on(job)
    job.profile = None


@transaction.atomic
def keep_profile(*, job: ImportJob, name: str, is_shared: bool, user: Any) -> ImportProfile:
    """Keep a job's choices under a name; a profile of that name is brought up to date.

    Raises ProfileRefused for a name that is blank or somebody else's.
    """
    if not name.strip():
        raise ProfileRefused(_("Name the profile, such as the supplier whose files it is for."))
    said = ReadAs.of(job).choices()
    kept = {
        **said,
        "columns": {target: job.header[index] for target, index in job.mapping.items()},
        **{n: getattr(job, n) for n in Choices.__dataclass_fields__ if n != "mapping"},
    }
    resource = get_resource(job.resource)
    profile = ImportProfile.objects.filter(
        resource=resource.name, name__iexact=name.strip()
    ).first()
    if profile is None:
        profile = ImportProfile(resource=resource.name, user=user)
    elif profile.user_id != user.pk and not (
        profile.is_shared and user.has_perm("exchange.change_importprofile")
    ):
        # Feeds import by it, with rights that are perhaps not this user's.
        raise ProfileRefused(_("Somebody else has a profile of this name. Choose another name."))
    profile.name, profile.is_shared = name.strip(), is_shared
    profile.header_sha256, profile.choices = header_sha256(_header(job)), kept
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError as error:
        raise ProfileRefused(_("There is a profile of this name already.")) from error
    job.profile = profile
    job.save(update_fields=["profile"])
    return profile


def remember_use(profile: ImportProfile) -> None:
    """So that, of several that fit, the last used is proposed."""
    ImportProfile.objects.filter(pk=profile.pk).update(used_at=Now())


def _header(job: ImportJob) -> Sequence[str]:
    return list(job.source_header or job.header)
