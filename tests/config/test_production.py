"""Production starts only with what it needs, and passes Django's deployment checks in silence."""

import os
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from backoffice.audit.seals.keys import public_pem

NEEDED = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
    "SECRET_KEY": "k3Qw9zR7mT1xV5bN8cL2pJ6hG4fD0sA-yUeIoPqWnZrXtCvBmKj",
    "ALLOWED_HOSTS": "shop.example.com",
}
PROOF = {
    "AUDIT_PUBLIC_KEYS": public_pem(Ed25519PrivateKey.generate().public_key()),
    "AUDIT_PUBLISH": "file:///mnt/elsewhere/checkpoints.log,mailto:auditor@example.com",
}


def manage(*words: str, settings_module: str, **environment: str) -> tuple[int, str]:
    """The exit code and all the output of manage.py in a process of its own."""
    # Set for the tests alone; the deployment checks rightly object to it.
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR,
        env={**inherited, "DJANGO_SETTINGS_MODULE": settings_module, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def in_production(*words: str, **environment: str) -> tuple[int, str]:
    return manage(*words, settings_module="config.settings.production", **environment)


@pytest.mark.parametrize("name", NEEDED)
def test_production_refuses_to_start_without_what_it_needs(name: str) -> None:
    # Blank, not absent: a developer's .env must not fill it in.
    code, said = in_production("check", **{**NEEDED, name: " "})
    assert code != 0
    assert f"  {name}: " in said
    assert not any(f"  {other}: " in said for other in NEEDED if other != name)


def test_production_names_everything_that_is_missing_at_once() -> None:
    code, said = in_production("check", **dict.fromkeys(NEEDED, ""))
    assert code != 0
    assert all(f"  {name}: " in said for name in NEEDED)


def test_the_deployment_checks_find_nothing() -> None:
    code, said = in_production("check", "--deploy", "--fail-level", "WARNING", **NEEDED, **PROOF)
    assert (code, said.strip()) == (0, "System check identified no issues (2 silenced).")


def test_the_deployment_checks_find_a_planted_fault() -> None:
    code, said = in_production(
        "check", "--deploy", "--fail-level", "WARNING", **{**NEEDED, **PROOF, "SECRET_KEY": "short"}
    )
    assert code != 0
    assert "security.W009" in said


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AUDIT_PUBLIC_KEYS", "", "audit.W001"),
        ("AUDIT_PUBLIC_KEYS", "/nowhere/seals.pub", "audit.W001"),
        ("AUDIT_PUBLISH", "", "audit.W002"),
        ("AUDIT_PUBLISH", "ftp://example.com/seals", "audit.W002"),
    ],
)
def test_the_deployment_checks_ask_for_what_proves_the_record(
    name: str, value: str, code: str
) -> None:
    _code, said = in_production("check", "--deploy", **{**NEEDED, **PROOF, name: value})
    assert [word for word in said.split() if "audit.W" in word] == [f"({code})"]


def test_the_demo_is_refused_in_production() -> None:
    code, said = in_production("demo", **NEEDED)
    assert code != 0
    assert "password is published" in said
    assert "Traceback" not in said


def test_every_change_of_a_model_has_its_migration() -> None:
    code, said = manage(
        "makemigrations",
        "--check",
        "--dry-run",
        settings_module="config.settings.development",
        DEBUG="0",
    )
    assert (code, said.strip()) == (0, "No changes detected")
