"""How PostgreSQL is to work on a whole file, until the transaction ends."""

from django.db import connection

_SETTINGS = {
    # Sorts and hashes of a hundred thousand rows stay in memory; larger ones go to disk.
    "work_mem": "64MB",
    # Rows of some hundred thousand are checked and compared by two processes; PostgreSQL takes no
    # second one for tables below 8 MB. More would take the cores from the pages.
    "max_parallel_workers_per_gather": "1",
    # Each statement runs once: compiling it costs more than it saves.
    "jit": "off",
    # For the staged tables, whose rows are much alike: a sample of 3,000 tells enough of them.
    "default_statistics_target": "10",
}


def tune_for_whole_tables() -> None:
    """Suit the rest of this transaction to statements over whole tables."""
    with connection.cursor() as cursor:
        # How foreign keys look rows up is planned once a connection: for tables that were small
        # then, by reading all of them.
        cursor.execute("DISCARD PLANS")
        cursor.execute(
            "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in _SETTINGS.items())
        )
