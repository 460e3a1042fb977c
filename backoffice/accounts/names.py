"""Two letters for a person, whatever their name is made of."""

import unicodedata
from collections.abc import Iterator


def initials(first_name: str, last_name: str, email: str) -> str:
    """One or two capital letters or digits: of the names, else of the e-mail address, else "?"."""
    letters = "".join(next(_capitals(name), "") for name in (first_name, last_name))
    if not letters:
        letters = "".join(_capitals(email.rpartition("@")[0]))[:2]
    return letters or "?"


def _capitals(text: str) -> Iterator[str]:
    """The letters and digits of a text; emoji, blanks and signs stand for nobody."""
    for character in unicodedata.normalize("NFKC", text):
        if character.isalnum():
            # Some letters become two: "ß" turns into "SS".
            yield character.upper()[0]
