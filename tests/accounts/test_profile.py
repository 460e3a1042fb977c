"""Each user has one profile, which knows when they were last here."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.accounts.models import Profile, User
from backoffice.accounts.names import initials
from backoffice.audit.models import ChangeSet


@pytest.mark.parametrize(
    "make",
    [
        lambda: User.objects.create_user("a@example.com"),
        lambda: User.objects.create_superuser("a@example.com"),
        lambda: User.objects.create(email="a@example.com"),
        lambda: User(email="a@example.com").save(),
        lambda: User.objects.get_or_create(email="a@example.com"),
    ],
)
def test_a_user_gets_a_profile(db: None, make: Any) -> None:
    make()
    user = User.objects.get()
    user.save()
    assert Profile.objects.get().user == user


def test_a_fixture_brings_its_own_profile(db: None) -> None:
    user = User.objects.create_user("a@example.com")
    user.profile.job_title = "Buyer"
    user.profile.save()
    fixture = serializers.serialize("json", [user, user.profile])
    user.delete()
    for row in serializers.deserialize("json", fixture):
        row.save()
    assert Profile.objects.get().job_title == "Buyer"


def test_who_has_no_profile_gets_one_when_they_come(db: None) -> None:
    [user] = User.objects.bulk_create([User(email="a@example.com", is_staff=True)])
    assert not Profile.objects.exists()
    client = Client()
    client.force_login(user)
    client.get("/admin/")
    profile = Profile.objects.get()
    assert profile.user == user
    assert profile.last_active_at is not None
    client.get("/admin/")
    assert Profile.objects.count() == 1


def test_being_here_is_noted_and_is_no_change(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    sets, rows = ChangeSet.objects.count(), Profile.history.count()
    client.get("/admin/")
    assert timezone.now() - _last_active(administrator) < timedelta(seconds=10)
    assert (ChangeSet.objects.count(), Profile.history.count()) == (sets, rows)


def test_it_is_noted_at_most_once_a_minute(administrator: User) -> None:
    client = Client()
    client.force_login(administrator)
    client.get("/admin/")
    noted = _last_active(administrator)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get("/admin/")
    assert not [query for query in queries if 'UPDATE "accounts_profile"' in query["sql"]]
    # Another process has another cache; the condition in the statement holds for it too.
    cache.clear()
    client.get("/admin/")
    assert _last_active(administrator) == noted
    # A minute later.
    Profile.objects.update(last_active_at=noted - timedelta(seconds=61))
    cache.clear()
    client.get("/admin/")
    assert _last_active(administrator) > noted


def test_each_has_a_minute_of_their_own(administrator: User, auditor: User) -> None:
    for user in (administrator, auditor):
        client = Client()
        client.force_login(user)
        client.get("/admin/")
        assert _last_active(user)


def test_strangers_leave_no_trace(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        Client().get("/admin/login/")
    assert not [query for query in queries if "accounts_profile" in query["sql"]]


@pytest.mark.parametrize(
    ("first", "last", "email", "expected"),
    [
        ("Anna", "Smith", "", "AS"),
        ("anna", "von smith", "", "AV"),
        ("Cher", "", "c@example.com", "C"),
        ("", "Smith", "", "S"),
        ("  ", "\t", "bob@example.com", "BO"),
        (" anna", " smith", "", "AS"),
        ("", "", "bob.jones@example.com", "BO"),
        ("", "", "a@example.com", "A"),
        ("", "", "+_@example.com", "?"),
        ("", "", "", "?"),
        ("🦊", "Smith", "", "S"),
        ("👩‍🔧", "🇩🇪", "fox@example.com", "FO"),
        ("'Ōno", "ßeta", "", "ŌS"),
        ("O\u0308zil", "李", "", "Ö李"),
        ("𝒜da", "ﬁnn", "", "AF"),  # letters beyond the first 65,536, and two in one
        ("3M", "", "", "3"),
    ],
)
def test_initials(first: str, last: str, email: str, expected: str) -> None:
    assert initials(first, last, email) == expected


def _last_active(user: User) -> Any:
    return Profile.objects.get(user=user).last_active_at
