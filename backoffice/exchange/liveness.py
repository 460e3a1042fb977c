"""Who is alive: an advisory lock that lives and dies with the transaction that does the work."""

from django.db import connection

from .models import ImportJob

_KEY = "hashtextextended('exchange.importjob/' || %s, 0)"


def hold(job: ImportJob | int) -> bool:
    """Become the one who works on a job until the transaction ends; False if somebody is."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({_KEY})", [_pk(job)])
        return bool(cursor.fetchone()[0])


def is_worked_on(job: ImportJob | int) -> bool:
    """Whether somebody else holds a job; asking takes it from nobody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            f"AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = {_KEY})",
            [_pk(job)],
        )
        return bool(cursor.fetchone()[0])


def _pk(job: ImportJob | int) -> str:
    return str(job if isinstance(job, int) else job.pk)
