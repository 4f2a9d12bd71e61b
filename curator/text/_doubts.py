"""Which sentences a model must read: those with a word that may be a name and that no rule has explained.

A model costs far more than the rules. Where every word with a capital is a common one, or lies in a mention that the
rules found, it has nothing to add; in lines that make no use of case, where every word is common or lies in a mention.
A text with doubts in most of its sentences is read whole: a model judges better with what stands around.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from curator.text._cut import Cut, Word
from curator.text._spans import Span
from curator.text._words import LABELS_OF_NAMES, PARTICLES, ROLES, TITLES, is_common

_SENTENCE = re.compile(r"[^\n]+?(?:(?<=[a-z0-9)]{2})[.!?;]+(?= +[A-Z])|(?=\n)|\Z)")


def doubtful(cut: Cut, firm: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Places of the sentences to read, neighbours together; `firm` are disjoint claims in order."""
    ends = [span.end for span in firm]
    words = iter(cut.words)
    word = next(words, None)
    last: tuple[int, int] | None = None
    for sentence in _SENTENCE.finditer(cut.plain):
        asked = False
        while word is not None and word.start < sentence.end():
            asked = asked or (_may_name(word) and not _inside(word, firm, ends=ends))
            word = next(words, None)
        if not asked:
            continue
        if last is not None and last[1] >= sentence.start() - 1:
            last = (last[0], sentence.end())
            continue
        if last is not None:
            yield last
        last = sentence.span()
    if last is not None:
        yield last


def _may_name(word: Word) -> bool:
    if (word.shape == "l" and not word.bare) or len(word.text) < 2:
        return False
    upper = word.upper
    return not (is_common(upper) or upper in PARTICLES or upper in TITLES or upper in ROLES or upper in LABELS_OF_NAMES)


def _inside(word: Word, firm: Sequence[Span], *, ends: Sequence[int]) -> bool:
    place = bisect_right(ends, word.start)
    return place < len(firm) and firm[place].start <= word.start and word.end <= firm[place].end
