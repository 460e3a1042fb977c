"""What a worker does for the record, where it holds the key."""

from django.tasks import task

from .seals.publishing import publish_newest
from .seals.sealing import seal_new_entries


@task()
def seal_record(*, thorough: bool = True) -> int:
    """Seal what is new on the record and publish the newest seal. Returns how many were made.

    Several at once do no harm: one seals, the others find it busy. What could not be published
    is noted on the page of the seals, and tried again by the next. Raises KeyMissing.
    """
    outcome = seal_new_entries(thorough=thorough)
    publish_newest(patient=True)
    return outcome.seals
