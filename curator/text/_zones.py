"""Where digits stand: numbers and dates are looked for there alone, which in prose is a small part of a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from curator.text._spans import Span

_AROUND = 80  # code points read on either side: more than any pattern looks back for a word that announces a number
_DIGITS = re.compile(rf"\d(?:\D{{0,{2 * _AROUND}}}+\d)*+")
_MOST = 0.7  # share of a text from which it is read whole


def near_digits(plain: str, find: Callable[[str], Iterable[Span]]) -> Iterator[Span]:
    """What a recogniser of things with digits finds in a plain text."""
    zones = list(_zones(plain))
    if sum(end - start for start, end in zones) > _MOST * len(plain):
        yield from find(plain)
        return
    for start, end in zones:
        for span in find(plain[start:end]):
            yield Span(start + span.start, start + span.end, span.kind, span.certain)


def _zones(plain: str) -> Iterator[tuple[int, int]]:
    """The digits with what stands around them, from blank to blank so that no word is cut."""
    last = 0
    for match in _DIGITS.finditer(plain):
        start, end = max(last, match.start() - _AROUND), min(len(plain), match.end() + _AROUND)
        while start > last and not plain[start - 1].isspace():
            start -= 1
        while end < len(plain) and not plain[end].isspace():
            end += 1
        yield start, end
        last = end
