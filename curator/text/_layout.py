"""Names by their place on the page: cells under a head such as NOM, lines of nothing but a name, signatures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.text._cut import LINE, Cut, Word
from curator.text._words import (
    COMMON,
    FIRST,
    LABELS_OF_NAMES,
    LAST,
    LAST_PARTS,
    PARTICLES,
    SIGNATURES,
    TITLES,
    TOWNS,
    is_common,
)

_MARKS = ("|", "\t", ";")
_CAPITALS = re.compile(r"[A-Z]+")
_LONGEST_HEAD, _LONGEST_CELL = 40, 60


def find_in_tables(cut: Cut) -> Iterator[tuple[int, int]]:
    """First and last word of each cell under a head that announces names."""
    columns: frozenset[int] = frozenset()
    mark, width = "", 0
    for line in LINE.finditer(cut.plain):
        found = next((one for one in _MARKS if one in line[0]), "")
        if not found or found != mark:
            mark, columns = found, frozenset()
        if not found:
            continue
        cells = line[0].split(found)
        heads = _heads(cells)
        if heads and not (columns and len(cells) == width):
            width, columns = len(cells), heads
        elif columns:
            yield from _cells(cut, line.start(), cells=cells, columns=columns)


def find_other_scripts(cut: Cut) -> Iterator[tuple[int, int]]:
    """First and last word of each run of words in Arabic, Cyrillic or another script than ours.

    No rule and no French model can tell a name there, and in a French text it hardly is anything else: all is masked.
    """
    if cut.plain.isascii():
        return
    first = 0
    for place, word in enumerate([*cut.words, None]):
        if word is None or not _is_foreign(word.text) or (place > first and len(cut.gap(place).strip(" .,'-")) > 0):
            if place > first:
                yield first, place
            first = place if word is not None and _is_foreign(word.text) else place + 1


def _is_foreign(text: str) -> bool:
    return len(text) > 1 and not text.isascii() and all(mark > "\u036f" for mark in text if not mark.isascii())


def _heads(cells: list[str]) -> frozenset[int]:
    return frozenset(
        place
        for place, cell in enumerate(cells)
        if len(cell) < _LONGEST_HEAD
        and ":" not in cell
        and LABELS_OF_NAMES.intersection(_CAPITALS.findall(cell.upper()))
    )


def _cells(cut: Cut, start: int, *, cells: list[str], columns: frozenset[int]) -> Iterator[tuple[int, int]]:
    for place, cell in enumerate(cells):
        if place in columns and 1 < len(cell.strip()) < _LONGEST_CELL:
            first, last = cut.within(start, start + len(cell))
            while first < last and cut.words[first].upper in TITLES:
                first += 1
            if first < last and not all(_is_plain(word) for word in cut.words[first:last]):
                yield first, last
        start += len(cell) + 1


def _is_plain(word: Word) -> bool:
    return word.upper in COMMON and word.upper not in FIRST and word.upper not in LAST


def find_signatures(cut: Cut) -> Iterator[tuple[int, int]]:
    """First and last word of lines of nothing but a name: at the head or end of a text, or after a word of signing."""
    lines = [line for line in LINE.finditer(cut.plain) if line[0].strip()]
    armed = 0
    for rank, line in enumerate(lines):
        first, last = cut.within(line.start(), line.end())
        words = cut.words[first:last]
        outer = rank == 0 or (rank >= len(lines) - 4 and len(lines) > 1)
        if 0 < len(words) <= 6 and (armed or outer) and not any(mark.isdigit() for mark in line[0]):
            while first < last and _leads(cut.words[first]):
                first += 1
            if _signs(cut.words[first:last], strong=armed > 0):
                yield first, last
        armed = 3 if any(word.upper in SIGNATURES for word in words[-6:]) else max(0, armed - 1)


def _leads(word: Word) -> bool:
    return is_common(word.upper) or word.upper in TITLES or word.upper in PARTICLES


def _signs(words: list[Word], *, strong: bool) -> bool:
    """Whether these words can be a name alone on its line."""
    if any(is_common(word.upper) for word in words) or not any(len(word.upper) > 2 for word in words):
        return False
    if all(word.upper in TOWNS and word.upper not in LAST for word in words):
        return False
    if any(word.upper in FIRST or word.upper in LAST_PARTS for word in words):
        return True
    shaped = all(word.shape in "UCI" or word.upper in PARTICLES for word in words)
    return (shaped and (strong or len(words) > 1)) or (strong and len(words) < 4)
