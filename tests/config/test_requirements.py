"""The requirements are pinned by hash, and fit any package index."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

FILES = sorted((settings.BASE_DIR / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_its_hash(path: Path) -> None:
    text = path.read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) > 10
    for entry in entries:
        assert re.match(r"[a-z0-9-]+(\[[a-z,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_requirement_names_a_package_index(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index-url" not in text
    assert "--extra-index-url" not in text
    assert "--find-links" not in text


def test_what_the_project_declares_is_what_is_pinned() -> None:
    declared = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    runtime = {_name(line) for line in declared["project"]["dependencies"]}
    development = {_name(line) for line in declared["dependency-groups"]["dev"]}
    base, complete = (
        {_name(line) for line in path.read_text().splitlines() if line[:1].isalnum()}
        for path in FILES
    )
    assert runtime <= base
    assert runtime | development <= complete
    assert base <= complete


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found
    return found[0].lower()
