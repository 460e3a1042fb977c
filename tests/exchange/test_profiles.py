"""A supplier's choices, kept under a name and used for the next file with the same headers."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from backoffice.accounts.models import User
from backoffice.exchange.exceptions import ProfileRefused
from backoffice.exchange.models import ImportJob, ImportProfile
from backoffice.exchange.profiles import header_sha256, keep_profile
from backoffice.exchange.services import do_without_profile
from inventory.models import Product

from .choosing import brought, step
from .files import apply, bring, counts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_work")]

FILE = "Ref,What,Amount,Colour\nA-1,Cup,2.50,red\n"
CHOICES: dict[str, Any] = {
    "mapping": {"sku": 0, "name": 1, "price": 2},
    "constants": {"brand": "Contoso"},
    "transformations": {"price": [step("multiply", "2")]},
    "blank_cells": "clear",
    "creates": ["tags"],
    "lookups": {"variant_of": "slug"},
    "deactivate_missing": True,
    "deactivate_scope": {"brand": "Contoso"},
}


def kept(user: User, name: str = "Contoso", *, shared: bool = True) -> ImportProfile:
    job = brought(FILE, user=user, **CHOICES)
    return keep_profile(job=job, name=name, is_shared=shared, user=user)


def test_the_next_file_with_these_headers_gets_all_its_choices(catalogue_manager: User) -> None:
    profile = kept(catalogue_manager)
    job = bring("REF, what ,amount,colour\nA-1,Cup,2.50,red\nA-2,Mug,3,\n", user=catalogue_manager)
    assert (job.profile, job.state) == (profile, ImportJob.State.CHECKED)
    assert {name: getattr(job, name) for name in CHOICES} == CHOICES
    apply(job)
    assert [(p.brand, p.price) for p in Product.objects.order_by("sku")] == [
        ("Contoso", 5),
        ("Contoso", 6),
    ]
    profile.refresh_from_db()
    assert profile.used_at is not None


def test_there_is_a_way_out(catalogue_manager: User) -> None:
    kept(catalogue_manager)
    job = do_without_profile(job=bring(FILE, user=catalogue_manager))
    assert (job.profile, job.state, job.mapping) == (None, ImportJob.State.UPLOADED, {})
    assert (job.constants, job.transformations, job.deactivate_missing) == ({}, {}, False)
    job = bring("sku,What,Amount,Colour\nA,Cup,2.50,red\n", user=catalogue_manager)
    assert job.profile is None


def test_the_rows_that_failed_come_back_under_the_same_profile(catalogue_manager: User) -> None:
    profile = kept(catalogue_manager)
    job = bring('Ref,What,Amount,Colour,Error\nA-1,Cup,2,red,"x"\n', user=catalogue_manager)
    assert job.profile == profile
    assert header_sha256(["a", "b"]) != header_sha256(["ab"])


def test_somebody_elses_profile_is_theirs_unless_shared(
    catalogue_manager: User, administrator: User
) -> None:
    profile = kept(catalogue_manager, shared=False)
    assert bring(FILE, user=administrator).profile is None
    assert bring(FILE).profile is None
    with pytest.raises(ProfileRefused, match="Somebody else has a profile of this name"):
        kept(administrator, "CONTOSO")
    ImportProfile.objects.filter(pk=profile.pk).update(is_shared=True)
    assert bring(FILE, user=administrator).profile == profile


def test_the_last_used_is_proposed_and_a_name_is_brought_up_to_date(
    catalogue_manager: User,
) -> None:
    first, second = kept(catalogue_manager, "one"), kept(catalogue_manager, "two")
    apply(bring(FILE, user=catalogue_manager))
    assert bring(FILE.replace("A-1", "A-2"), user=catalogue_manager).profile == second
    assert kept(catalogue_manager, "ONE") == first
    assert ImportProfile.objects.count() == 2
    with pytest.raises(ProfileRefused, match="Name the profile"):
        kept(catalogue_manager, "  ")


def test_a_field_that_is_hidden_from_the_user_is_left_out(
    catalogue_manager: User, administrator: User
) -> None:
    job = brought(FILE, mapping={"sku": 0, "name": 1, "cost": 2}, constants={"price": "1"})
    keep_profile(job=job, name="x", is_shared=True, user=administrator)
    catalogue_manager.groups.clear()
    job = bring(FILE, user=User.objects.get(pk=catalogue_manager.pk))
    assert job.profile is not None
    assert "cost" not in job.mapping


def test_the_command_takes_a_profile_by_name(administrator: User, tmp_path: Path) -> None:
    kept(administrator)
    path = tmp_path / "file.csv"
    path.write_text("Amount,Ref,What\n2.50,A-1,Cup\n")
    out = StringIO()
    call_command(
        "import_file", "products", str(path), "--profile", "contoso", "--apply",
        "--reason", "x", "--json", stdout=out,
    )  # fmt: skip
    assert json.loads(out.getvalue())["new"] == 1
    assert Product.objects.get().price == 5
    refusal = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "import_file", "products", str(path), "--profile", "nobody", "--json", stdout=refusal
        )
    assert json.loads(refusal.getvalue())["error"] == (
        "There is no profile “nobody”. Choose one of: Contoso."
    )


def test_a_profile_says_nothing_of_a_file_without_its_key(catalogue_manager: User) -> None:
    kept(catalogue_manager)
    assert counts(bring("sku,name,price\nA,a,1\n", user=catalogue_manager)) == (1, 0, 0, 0)
