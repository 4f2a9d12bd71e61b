"""Names by what stands in or behind them: letters that French has not, particles of names alone, an age."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.text._cut import Cut, Word
from curator.text._lists import listed
from curator.text._words import AMBIGUOUS_FIRST, LAST, TITLES, TOWNS, is_common

_LINKS = frozenset(listed("BEN BENT BIN BINT IBN ABU ABOU OULD AIT VON VAN DER DEN DOS DAS DA DEL MAC OGLU EL AL"))
_ARTICLED = re.compile(r"(?:Abd|Abou|Abu|Ben|Bou|Bint|Ibn|El|Al|Ould|Ait)(?:[a-z]{2,4})?-[A-Z][a-z]{2}")  # Abdel-Kader
_AGE = re.compile(r" ?,? ?(?:agee? de )?(?<!\d)[1-9]\d? ans\b")
_LONGEST_NAME = 6


def is_half(word: Word) -> bool:
    """Whether a word can be half of a name in capitals or with a capital first."""
    return (
        word.shape in "UCI"
        and not is_common(word.upper)
        and word.upper not in TITLES
        and (word.upper not in TOWNS or word.upper in LAST or word.shape == "U")
        and not word.bare
    )


def find_of_elsewhere(cut: Cut) -> Iterator[tuple[int, int]]:
    """First and last word of each name with letters that French has not, or held together by a particle of names."""
    for index, word in enumerate(cut.words):
        if word.shape not in "CU" or word.bare:
            continue
        if word.strange or _ARTICLED.match(word.text) or _is_link(cut, index):
            first, last = _reach(cut, index)
            if last > first:
                yield first, last


def _is_link(cut: Cut, index: int) -> bool:
    words = cut.words
    return (
        words[index].upper in _LINKS
        and 0 < index < len(words) - 1
        and is_half(words[index - 1])
        and is_half(words[index + 1])
        and cut.gap(index) == cut.gap(index + 1) == " "
    )


def _reach(cut: Cut, index: int) -> tuple[int, int]:
    """How far the name around a word goes, particles at its end left out."""
    words, first, last = cut.words, index, index + 1
    while last < len(words) and last - first < _LONGEST_NAME and cut.joined(last) and _goes_on(words[last]):
        last += 1
    while first and last - first < _LONGEST_NAME and cut.joined(first) and _goes_on(words[first - 1]):
        first -= 1
    while words[last - 1].upper in _LINKS:
        last -= 1
    return first, last


def _goes_on(word: Word) -> bool:
    also_name = word.shape == "C" and word.upper in AMBIGUOUS_FIRST  # Mai, Marine
    return is_half(word) or word.upper in _LINKS or also_name


def find_of_age(cut: Cut) -> Iterator[tuple[int, int]]:
    """First and last word of each name before an age: `le petit Ilyes, 8 ans`."""
    words = cut.words
    for match in _AGE.finditer(cut.plain):
        first, last = cut.within(max(0, match.start() - 60), match.start())
        if first == last or cut.plain[words[last - 1].end : match.start()].strip(" "):
            continue
        start = last
        while start > first and is_half(words[start - 1]) and (start == last or cut.joined(start)):
            start -= 1
        if any(len(word.text) > 2 for word in words[start:last]):
            yield start, last
