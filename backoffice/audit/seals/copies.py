"""A copy of history in a file, held against what it is a copy of."""

from hashlib import sha256
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from .archives import same_rows_here
from .canonical import Catalogue, fix_output
from .exceptions import SealError


def compare(table: str, path: Path, rows: int) -> None:
    """Raises SealError unless the file has just these rows of the table, as they are now."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        fix_output(cursor)
        if same_rows_here(cursor, Catalogue.read(cursor), table, path) != rows:
            raise SealError(
                _("Nothing was taken away: %s does not hold what was to go.") % path.name
            )


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
