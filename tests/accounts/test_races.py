"""What must hold while several people work at once, on committed data."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from backoffice.accounts import middleware
from backoffice.accounts.access import keyholders
from backoffice.accounts.admin import access as admin_access
from backoffice.accounts.middleware import note_presence
from backoffice.accounts.models import Profile, User
from tests.accounts.conftest import form_data, page_of, signed_in
from tests.personas import Persona, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 10


def at_once(*jobs: Callable[[], Any]) -> None:
    """Run the jobs in a thread each, on connections of their own, as close together as can be."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(run, jobs))


@pytest.fixture
def two_administrators() -> tuple[User, User]:
    first = make_user(Persona.ADMINISTRATOR)
    second = User.objects.create_user("second@stockbook.test", is_staff=True)
    second.groups.set(first.groups.all())
    return first, second


def deactivate_each_other(first: User, second: User) -> int:
    """How many administrators are left."""
    User.objects.update(is_active=True)
    jobs = []
    for actor, other in ((first, second), (second, first)):
        client = signed_in(actor)
        data = form_data(client, page_of(other)) | {"change_reason": "x"}
        data.pop("is_active")

        def job(client: Any = client, page: str = page_of(other), data: Any = data) -> None:
            client.post(page, data)

        jobs.append(job)
    at_once(*jobs)
    return keyholders().count()


def test_two_administrators_do_not_deactivate_each_other(
    two_administrators: tuple[User, User],
) -> None:
    assert {deactivate_each_other(*two_administrators) for _ in range(ROUNDS)} == {1}


def test_without_the_lock_they_would(
    two_administrators: tuple[User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the test above can fail."""
    monkeypatch.setattr(admin_access, "lock_access", lambda: None)
    rounds = range(3 * ROUNDS)
    assert any(deactivate_each_other(*two_administrators) == 0 for _ in rounds)


def note_presence_at_once(user: User) -> int:
    """How often it was written."""
    writes: list[int] = []

    def note() -> None:
        with connection.execute_wrapper(_count_updates(writes)):
            note_presence(user)

    at_once(*[note] * 6)
    return sum(writes)


def test_presence_is_written_once_however_many_processes_see_the_user() -> None:
    user = make_user(Persona.WAREHOUSE)
    assert note_presence_at_once(user) == 1
    seen = Profile.objects.get(user=user).last_active_at
    assert seen is not None
    assert seen <= timezone.now()


def test_without_the_minute_each_would_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "INTERVAL", timedelta(0))
    assert note_presence_at_once(make_user(Persona.WAREHOUSE)) > 1


def test_one_profile_is_made_however_many_processes_miss_it() -> None:
    [user] = User.objects.bulk_create([User(email="none@example.com")])
    note_presence_at_once(user)
    assert Profile.objects.filter(user=user).count() == 1


def _count_updates(writes: list[int]) -> Any:
    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if 'UPDATE "accounts_profile"' in sql:
            writes.append(context["cursor"].rowcount)
        return result

    return wrapper
