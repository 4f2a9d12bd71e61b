"""A plain text cut into words, and what stands between them."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from curator.text._words import COMMON, FIRST, PARTICLES

_WORD = re.compile(
    r"(?<![A-Za-z])(?:[A-Za-z] ){3,24}[A-Za-z](?![A-Za-z])"  # letters set apart
    r"|(?:[LlDdNnSsCcJjMmTtO]|[Qq][Uu])'(?=[A-Za-z])"  # elided
    r"|[^\W\d_]++(?:[-'](?=[^\W\d_])[^\W\d_]++)*+"
)
_ARTICLE = re.compile("(?:al|el|ar|as|ad|an|at|ed|es|az|ibn|ben|bin|bou|d|l)[-'][A-Z]")  # al-Rahman
_NO_LETTER = bytes(code for code in range(128) if not chr(code).isalpha())
_NO_CAPITAL = bytes(code for code in range(128) if not chr(code).isupper())
# Letters of Latin scripts beyond those of French: Polish, Turkish, Vietnamese, Portuguese, Nordic, Baltic ones.
_STRANGE = re.compile(
    "(?![\u00c0\u00c2\u00c4\u00c6-\u00cb\u00ce\u00cf\u00d4\u00d6\u00d7\u00d9\u00db\u00dc\u00e0\u00e2\u00e4\u00e6-\u00eb"
    "\u00ee\u00ef\u00f4\u00f6\u00f7\u00f9\u00fb\u00fc\u00ff\u0152\u0153\u0178])[\u00c0-\u024f\u1e00-\u1eff]"
)
LINE = re.compile(r"[^\n]+")
_ONE_LETTER = frozenset(("A", "L'", "D'", "N'", "S'", "Y"))
TIGHT = frozenset(("", " ", "  ", ". ", ".", "-", " - ", ".-", "'", "\t", "- ", " -"))
"""What may stand between the words of one name."""


@dataclass(slots=True)
class Word:
    """One word of a text: where it stands, how it is written, how it is compared."""

    start: int
    end: int
    text: str
    upper: str
    shape: str  # U capitals, C capital first, I one capital, l the rest
    bare: bool  # its line makes no use of case
    strange: bool = False  # it has Latin letters that French has not


class Cut:
    """The words of a plain text.

    Attributes:
        plain: the text.
        words: its words, in order.
    """

    def __init__(self, plain: str, read: str = "") -> None:
        """Cut a plain text; `read` is the same with its accents."""
        self.plain = plain
        self.words = _words_of(plain)
        if not read.isascii() and _STRANGE.search(read):
            for word in self.words:
                word.strange = _STRANGE.search(read, word.start, word.end) is not None

    def gap(self, place: int) -> str:
        """What stands between a word and the one before."""
        return self.plain[self.words[place - 1].end : self.words[place].start] if place else ""

    def joined(self, place: int) -> bool:
        """Whether a word may belong to the same name as the one before."""
        gap = self.gap(place)
        before, word = self.words[place - 1], self.words[place]
        if gap in TIGHT:
            return "." not in gap or len(before.text) <= 2
        turned = before.shape in "UC" and word.upper in FIRST and before.upper not in FIRST
        return gap in (", ", ",", " (", "\n") and turned and not (self._whole(place - 1, -1) or self._whole(place, 1))

    def _whole(self, place: int, step: int) -> bool:
        """Whether a word has the other half of its name on the far side: `Jean DURAND, Julie DUPONT` are two."""
        other = place + step
        if not 0 <= other < len(self.words) or self.gap(max(place, other)) not in (" ", "-"):
            return False
        word = self.words[other]
        return word.upper in FIRST if step < 0 else word.shape == "U" and len(word.text) > 2 and not word.bare

    def within(self, start: int, end: int) -> tuple[int, int]:
        """First and last word between two offsets, the last excluded."""
        first = bisect_left(self.words, start, key=lambda word: word.start)
        return first, bisect_left(self.words, end, lo=first, key=lambda word: word.start)


def _words_of(plain: str) -> list[Word]:
    """Cut a plain text into words."""
    words: list[Word] = []
    for line in LINE.finditer(plain):
        if line.start() == line.end():
            continue
        bare = _is_bare(line[0])
        for match in _WORD.finditer(plain, line.start(), line.end()):
            text = match[0]
            if " " in text:
                text = text.replace(" ", "")
            words.append(Word(match.start(), match.end(), text, text.upper(), _shape(text), bare))
    _mark_heads(plain, words)
    return words


def _mark_heads(plain: str, words: list[Word]) -> None:
    """Mark heads in capitals within a line as making no use of case: three words or more, a common one among them."""
    first = 0
    for place in range(len(words) + 1):
        word = words[place] if place < len(words) else None
        if word is not None and _in_head(word) and (place == first or _is_near(plain, words[place - 1], word=word)):
            continue
        if place - first > 2:
            head = words[first:place]
            told = [one for one in head if one.upper not in PARTICLES]
            if len(told) + len(head) > 5 and any(one.upper in COMMON for one in told):
                for one in head:
                    one.bare = True
        first = place if word is not None and _in_head(word) else place + 1


def _in_head(word: Word) -> bool:
    return word.shape == "U" or (word.text in _ONE_LETTER)


def _is_near(plain: str, before: Word, *, word: Word) -> bool:
    return word.start - before.end < 4 and not plain[before.end : word.start].strip(" ,'-\"")


def _is_bare(line: str) -> bool:
    """Whether a line makes no use of case: hardly any small letter, or hardly any capital."""
    head = line[:400]
    if head.isascii():
        marks = head.encode("ascii")
        letters, capitals = len(marks.translate(None, _NO_LETTER)), len(marks.translate(None, _NO_CAPITAL))
    else:
        letters, capitals = sum(map(str.isalpha, head)), sum(map(str.isupper, head))
    return capitals > 0.75 * letters or (capitals <= 1 and letters > 24) or (capitals == 0)


def _shape(text: str) -> str:
    if text[0].isupper() or _ARTICLE.match(text):
        return "I" if len(text) == 1 else "U" if text.isupper() else "C"
    return "l"
