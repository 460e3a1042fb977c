from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .context import pass_context_on


def tell_the_database_who_is_at_work(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    if pass_context_on not in connection.execute_wrappers:
        # First, since `with connection.execute_wrapper(...)` takes off the last one at its end.
        connection.execute_wrappers.insert(0, pass_context_on)


# Connections that were made before this app was ready.
for _connection in connections.all(initialized_only=True):
    tell_the_database_who_is_at_work(connection=_connection)
