"""Other spellings of a person found once: the family name alone, initials, a slip of the pen, a log-in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from curator.text._cut import Cut, Word
from curator.text._kinds import Kind
from curator.text._lists import listed
from curator.text._spans import Span
from curator.text._words import COMMON, FIRST, LAST, PARTICLES, TITLES, TOWNS, is_common

_PIECE = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_INITIALS = re.compile(
    r"(?<![A-Za-z.])(?:([A-Z])(?:\. ?-?|-|)([A-Z])(?:\.|(?![A-Za-z]))|([a-z])\. ?([a-z])\.)(?![A-Za-z])"
)
_BROKEN = re.compile(r"(?<![A-Za-z])([A-Za-z]{1,30}) ?- ?\n ?([A-Za-z]{1,30})(?![A-Za-z])")
_LED = re.compile(r"[A-Z]+'?")
_SHORTEST, _LONGEST_LIST = 3, 4_000


def name_tokens(text: str) -> tuple[str, ...]:
    """The parts of a plain name that tell who it is, in capitals: no title, no particle, initials kept."""
    return tuple(
        piece
        for piece in _PIECE.findall(text.upper())
        if piece not in PARTICLES and piece not in TITLES and piece != "NEE"
    )


def find_echoes(cut: Cut, *, names: Iterable[str], emails: Iterable[str]) -> Iterator[Span]:
    """Every other mention of the persons of a text.

    Args:
        cut: the plain text, cut into words.
        names: the names found, as they stand there.
        emails: the e-mail addresses found; the part before the sign gives names away.
    """
    plain, words = cut.plain, cut.words
    names = list(names)[:_LONGEST_LIST]
    people = [tokens for name in names if (tokens := name_tokens(name))]
    known = {
        part for tokens in people for token in tokens for part in (token, token.rpartition("'")[2])
        if len(part) >= _SHORTEST and part not in _DULL
    }  # fmt: skip
    led = {pair for name in names for pair in pairwise(_LED.findall(name.upper())) if pair[0] in PARTICLES}
    local = {
        piece.upper()
        for email in list(emails)[:_LONGEST_LIST]
        for piece in re.split(r"[^A-Za-z]+", email.partition("@")[0])
        if len(piece) >= 4 and not is_common(piece.upper())
    }  # fmt: skip
    known |= local
    if not known:
        return
    near = _by_ends(token for token in known if len(token) >= 5)
    for place, word in enumerate(words):
        if _is_echo(word, known=known, near=near):
            yield Span(_start(cut, place, led=led), word.end, Kind.person)
    for match in _BROKEN.finditer(plain):
        if (match[1] + match[2]).upper() in known:
            yield Span(*match.span(), Kind.person)
    pairs = _initials(names)
    for match in _INITIALS.finditer(plain):
        if "".join(filter(None, match.groups())).upper() in pairs and (
            "." in match[0] or "-" in match[0] or match[0] not in _DULL
        ):
            yield Span(*match.span(), Kind.person)


def _initials(names: Iterable[str]) -> set[str]:
    """The pairs of initials of people with several names, in both orders, small words of the name included."""
    pairs = set()
    for name in names:
        pieces = [piece for piece in _PIECE.findall(name.upper()) if piece not in TITLES][:5]
        pairs |= {one[0] + other[0] for one in pieces for other in pieces if one is not other}
    return pairs


def _start(cut: Cut, place: int, *, led: set[tuple[str, str]]) -> int:
    """The start of a name with its small words (Le Hénaff) and the initial before them."""
    words = cut.words
    while place and cut.gap(place) in (" ", "", "-", ". ", "."):
        before = words[place - 1]
        initial = len(before.text) == 1 and before.upper != "M" and cut.plain.startswith(".", before.end)
        small = before.upper in PARTICLES and before.shape in "CU" and not before.bare
        if not (initial or small or (before.upper, words[place].upper) in led):
            break
        place -= 1
    return words[place].start


_DULL = frozenset(
    listed("""
PV PL VL CB CP RN RD AR NB NO BP CS ZA ZI CD ID IP LE LA ET DE DU EN AU UN OU
""")
) | {
    "SAINT",
}
_ADJECTIVES = frozenset(("GRAND", "PETIT"))


def _is_echo(word: Word, *, known: set[str], near: dict[str, list[str]]) -> bool:
    upper = word.upper
    if len(upper) < _SHORTEST:
        return False
    parts = upper.replace("'", "-").split("-")
    if upper in known or any(part in known and len(part) > 3 for part in parts):
        if word.shape == "l" and not word.bare:
            return (
                len(upper) > 3
                and upper not in COMMON
                and upper not in _ADJECTIVES
                and (upper in LAST or upper in FIRST)
            )
        return (
            (upper not in COMMON and upper not in _ADJECTIVES)
            or word.shape == "U"
            or (not word.bare and word.shape == "C")
        )
    if (
        len(upper) < 5
        or is_common(upper)
        or upper in FIRST
        or upper in LAST
        or upper in TOWNS
        or (word.shape == "l" and not word.bare)
    ):
        return False
    return any(one_slip(upper, name) for ends in ends_of(upper) for name in near.get(ends, ()))


def ends_of(word: str) -> tuple[str, str]:
    """The first two letters and the last two: a slip in a word of five letters or more leaves one of them alone."""
    return word[:2] + "-", "-" + word[-2:]


def _by_ends(names: Iterable[str]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for name in names:
        for ends in ends_of(name):
            near.setdefault(ends, []).append(name)
    return near


def one_slip(word: str, name: str) -> bool:
    """Whether a letter is missing, added or changed, or two stand in the wrong order."""
    if abs(len(word) - len(name)) > 1:
        return False
    head = 0
    while head < min(len(word), len(name)) and word[head] == name[head]:
        head += 1
    if len(word) == len(name):
        rest = word[head + 1 :] == name[head + 1 :]
        return rest or (word[head : head + 2] == name[head : head + 2][::-1] and word[head + 2 :] == name[head + 2 :])
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    return longer[head + 1 :] == shorter[head:]
