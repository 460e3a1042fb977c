"""What a mistyped word may have been meant to be, as patterns that a trigram index serves.

One letter too many, too few or wrong, two that changed places, and umlauts written without dots.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Shorter words have too many neighbours; longer ones share enough letters to be found by those.
_SHORTEST, _LONGEST = 4, 24
# So many letters in a row are one entry of the index.
_TRIGRAM = 3
# What is no longer than this is part of too many words.
_SHORT = 4
_UMLAUTS = {"AE": "Ä", "OE": "Ö", "UE": "Ü", "SS": "ß", "A": "Ä", "O": "Ö", "U": "Ü"}
_MOST_UMLAUTS = 4
# What stands beside a word: "Cast-iron", "Vase, oat". The signs are listed, since of a class like
# [^[:alnum:]] the index would not know that a word begins or ends there.
_BESIDE = "[ ,;:./()'&+-]"


class Pattern(NamedTuple):
    text: str
    is_regex: bool = False  # otherwise it is for LIKE


def patterns_like(word: str) -> list[Pattern]:
    """Patterns of the texts, in upper case, that have this word but for one mistake."""
    letters = "".join(_upper(letter) for letter in word)
    found = [_part(letters)]
    if not letters.isalpha() or not _SHORTEST <= len(letters) <= _LONGEST:
        return found
    found += [_part(each) for each in _with_umlauts(letters)]
    found += [_indexed(mistake) for mistake in _one_mistake(letters)]
    return list(dict.fromkeys(found))


def those_among(patterns: Sequence[Pattern], words: str) -> list[Pattern]:
    """The patterns of these that fit these words, each with the letters that it fits by.

    All of them as they are if none fits: what was meant is a rarer word then.
    """
    parts = [p for p in patterns if not p.is_regex]
    likely = [
        re.sub(r"\\\\(.)|_", lambda found: found[1] or r"\S", re.escape(part.text[1:-1]))
        for part in parts
    ]
    # Each at every place: one may begin within another.
    found = {_part(match[1]) for match in re.finditer(f"(?=({'|'.join(likely)}))", words)}
    beside = len(_BESIDE)
    whole = [p.text[beside:-beside].replace(".", r"\S") for p in patterns if p.is_regex]
    if whole:
        cores = "|".join(whole)
        matches = re.finditer(f"(?={_BESIDE}({cores}){_BESIDE})", words)
        found |= {_whole(re.escape(match[1])) for match in matches}
    return sorted(found) or list(patterns)


def _part(letters: str) -> Pattern:
    return Pattern(f"%{_escaped(letters)}%")


def _whole(word: str) -> Pattern:
    return Pattern(f"{_BESIDE}{word}{_BESIDE}", is_regex=True)


def _upper(letter: str) -> str:
    """As PostgreSQL does it: one letter stays one."""
    upper = letter.upper()
    return upper if len(upper) == 1 else letter


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _with_umlauts(word: str) -> Iterator[str]:
    """The word with each letter that may stand for an umlaut as one, in every combination."""
    parts: list[list[str]] = []
    place = chosen = 0
    while place < len(word):
        two, one = word[place : place + 2], word[place]
        plain = two if two in _UMLAUTS else one
        may_be = plain in _UMLAUTS and chosen < _MOST_UMLAUTS
        parts.append([plain, _UMLAUTS[plain]] if may_be else [plain])
        chosen += may_be
        place += len(plain)
    for combination in itertools.product(*parts):
        if (variant := "".join(combination)) != word:
            yield variant


def _one_mistake(word: str) -> Iterator[str]:
    """What was meant, with _ for a letter that the word does not tell."""
    for place in range(len(word)):
        before, after = word[:place], word[place + 1 :]
        yield before + after  # one too many
        if (before and after) or len(word) <= _SHORT:
            yield f"{before}_{after}"  # a wrong one; at the ends the former finds it as well
        if before:
            yield f"{before}_{word[place:]}"  # one too few
        if after:
            yield before + after[0] + word[place] + after[1:]  # two that changed places


def _indexed(mistake: str) -> Pattern:
    """A pattern of it that the index narrows down: where few letters stand together, of the whole
    word, since the index knows where words begin and end."""
    if len(mistake) > _SHORT and any(len(part) >= _TRIGRAM for part in mistake.split("_")):
        return Pattern(f"%{mistake}%")
    return _whole(mistake.replace("_", "."))
