"""Which sentences a model must read: those with a word that may be a name and that no rule has explained.

A model costs far more than the rules. Where every word with a capital is a common one, or lies in a mention that the
rules found, it has nothing to add; in lines that make no use of case, where every word is common or lies in a mention.
A text with doubts in most of its sentences is read whole: a model judges better with what stands around.

What the model then says is believed where a word of its claim may be a name. In scans a model takes torn words in small
letters, single letters and heads such as `Monsieur le Directeur` for names; nearly none of them is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from curator.text._cut import Cut, Word
from curator.text._kinds import Kind
from curator.text._spans import Span
from curator.text._words import (
    AMBIGUOUS_FIRST,
    COURTESIES,
    FIRST,
    LABELS_OF_NAMES,
    LAST_PARTS,
    PARTICLES,
    ROLES,
    TITLES,
    is_common,
)

_ARTICLES = frozenset(("LE", "LA", "L'", "DU", "AU"))
_SENTENCE = re.compile(r"[^\n]+?(?:(?<=[a-z0-9)]{2})[.!?;]+(?= +[A-Z])|(?=\n)|\Z)")


def doubtful(cut: Cut, firm: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Places of the sentences to read, neighbours together; `firm` are disjoint claims in order."""
    ends = [span.end for span in firm]
    words = iter(range(len(cut.words)))
    place = next(words, None)
    last: tuple[int, int] | None = None
    for sentence in _SENTENCE.finditer(cut.plain):
        asked = False
        while place is not None and cut.words[place].start < sentence.end():
            word = cut.words[place]
            asked = asked or ((_may_name(word) or _is_body(cut, place)) and not _inside(word, firm, ends=ends))
            place = next(words, None)
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


def believed(cut: Cut, claim: Span) -> bool:
    """Whether a model's claim holds a word that may be a name; of a place or body, any word with a capital may."""
    first, last = cut.within(claim.start, claim.end)
    words = cut.words[first:last]
    if claim.kind is Kind.other and len(words) == 1 and words[0].shape == "U":
        return words[0].upper in FIRST or words[0].upper in LAST_PARTS  # a head in capitals
    if any(_may_name(word) or _is_first_name(word) or _holds_capital(word) for word in words):
        return True
    if claim.kind is Kind.person:
        if sum(word.shape == "I" and cut.plain.startswith(".", word.end) for word in words) > 1:
            return True
        named = len(words) > 1 and words[0].upper in COURTESIES and _has_capital(words[1])
        return (named and words[1].upper not in ROLES) or _is_body(cut, last - 1)
    if len(words) > 1 and words[-1].upper in PARTICLES:
        return True  # gare de, before a name that is claimed apart
    if claim.kind is Kind.other:
        return any(_is_body(cut, place) for place in range(first, last))
    return any(_has_capital(word) for word in words)


def _is_body(cut: Cut, place: int) -> bool:
    """Whether a common word with a capital stands after an article: the Chambre, the Matin."""
    word, before = cut.words[place], cut.words[place - 1]
    led = before.upper in _ARTICLES or cut.gap(place) == "' "
    tight = place > 0 and before.shape == "l" and cut.gap(place).strip() in ("", "'", '"')
    return led and tight and word.shape == "C" and len(word.text) > 2


def _is_first_name(word: Word) -> bool:
    return word.upper in FIRST and word.upper not in AMBIGUOUS_FIRST and (word.shape in "CU" or word.bare)


def _holds_capital(word: Word) -> bool:
    """Whether a word goes on with a capital after its first letter: llle-et-Vilaine, Opera-Comique."""
    rest = word.text[1:]
    return bool(rest) and not rest.islower() and (word.shape == "l" or (word.shape == "C" and "-" in rest))


def _has_capital(word: Word) -> bool:
    return len(word.text) > 1 and (word.shape in "CU" or word.bare)


def _may_name(word: Word) -> bool:
    if (word.shape == "l" and not word.bare) or len(word.text) < 2:
        return False
    upper = word.upper
    return not (is_common(upper) or upper in PARTICLES or upper in TITLES or upper in ROLES or upper in LABELS_OF_NAMES)


def _inside(word: Word, firm: Sequence[Span], *, ends: Sequence[int]) -> bool:
    place = bisect_right(ends, word.start)
    return place < len(firm) and firm[place].start <= word.start and word.end <= firm[place].end
