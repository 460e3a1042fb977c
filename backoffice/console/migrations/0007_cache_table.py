from django.db import migrations


class Migration(migrations.Migration):
    """The table of the shared cache, where CACHE_URL names no other.

    As `createcachetable` makes it, but unlogged: to lose it in a crash costs nothing.
    """

    dependencies = [("console", "0006_attachment_roles")]

    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE console_cache (
                cache_key varchar(255) PRIMARY KEY,
                value text NOT NULL,
                expires timestamptz NOT NULL
            );
            CREATE INDEX console_cache_expires ON console_cache (expires);
            """,
            "DROP TABLE console_cache",
        ),
    ]
