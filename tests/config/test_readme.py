"""What README.md promises about settings and sign-ins is what the code does."""

import re

from django.conf import settings

from config import sample_shop

README = (settings.BASE_DIR / "README.md").read_text()


def test_the_readme_lists_every_variable_that_the_settings_read() -> None:
    read = {
        name
        for path in (settings.BASE_DIR / "config" / "settings").glob("*.py")
        for name in re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', path.read_text())
    }
    table = README[README.index("## Configuration") : README.index("## Production")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    assert len(read) > 15
    assert listed == read | {"DJANGO_SETTINGS_MODULE"}


def test_the_readme_gives_the_sign_ins_of_the_demo() -> None:
    assert f"`{sample_shop.PASSWORD}`" in README
    for person in sample_shop.PEOPLE:
        assert f"| {person.email} | {person.role.value} |" in README
