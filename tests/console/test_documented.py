"""What docs/console.md shows on a model of ten lines is what one gets."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_the_example_of_the_documentation_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.console.documented"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DOCUMENTED_DATABASE": connection.settings_dict["NAME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "works\n", done.stderr
