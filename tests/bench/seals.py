"""What sealing and verifying cost, and that one altered row among a million is named."""

import resource
import time
from collections.abc import Callable

from django.db import connection

from backoffice.audit.seals.sealing import seal_new_entries
from backoffice.audit.seals.verifying import Verification

OBJECTS = 100_000
SINGLE = 20_000  # entries of one row each, as people make them by hand


def measure_seals(say: Callable[[str], None], rows: int) -> None:
    objects = min(OBJECTS, rows // 10)
    single = min(SINGLE, rows // 50)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inventory_product (sku, name, price, description) "
            "SELECT 'S-' || i, 'Product ' || i, i %% 90, repeat('Description ', 10) "
            "FROM generate_series(1, %s) i",
            [objects],
        )
        for number in range(1, rows // objects):
            cursor.execute("UPDATE inventory_product SET price = price + %s", [number])
            if number % 3 == 0:
                cursor.execute("VACUUM inventory_product")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT min(id) FROM inventory_product")
        (first,) = cursor.fetchone()
        cursor.execute(
            f"DO $$ BEGIN FOR i IN {first}..{first + single - 1} LOOP "
            "UPDATE inventory_product SET brand = 'b' WHERE id = i; COMMIT; "
            "END LOOP; END $$"
        )
        cursor.execute("VACUUM ANALYZE")
    started = time.perf_counter()
    sealed = seal_new_entries()
    seconds = time.perf_counter() - started
    say(f"\n{rows + single:,} history rows under {sealed.entries:,} entries")
    say(f"{'  sealing':<44}{seconds:8.1f} s {(rows + single) / seconds:12,.0f} rows/s")
    connection.cursor().execute("VACUUM ANALYZE")

    assert _verified(say, "verifying") == []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE inventory_historicalproduct SET price = price + 0.01 "
            "WHERE history_id = (SELECT max(history_id) / 2 FROM inventory_historicalproduct)"
        )
        cursor.execute("SET session_replication_role = origin")
    for message in _verified(say, "verifying, one row altered"):
        say(f"    {message}")


def _verified(say: Callable[[str], None], what: str) -> list[str]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verification = Verification()
    started = time.perf_counter()
    messages = [finding.message for finding in verification.findings()]
    seconds = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    say(
        f"{'  ' + what:<44}{seconds:8.1f} s {verification.rows / seconds:12,.0f} rows/s"
        f"  {grown:,.0f} MiB more in Python"
    )
    return messages
