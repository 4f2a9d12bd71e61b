"""Every mention of a text: rules first, then a model when there is one; what either claims is kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curator.text._addresses import find_addresses
from curator.text._codes import find_codes
from curator.text._cut import Cut
from curator.text._dates import find_dates
from curator.text._doubts import believed, doubtful
from curator.text._echoes import find_echoes
from curator.text._kinds import Kind
from curator.text._lists import groups
from curator.text._model import EntityModel
from curator.text._numbers import find_numbers
from curator.text._persons import PersonFinder
from curator.text._spans import Span, union
from curator.text._view import View

RULES = "3"
"""Version of the rules: an evaluation of other rules tells nothing of these."""

_MOST = 0.6  # share of a text in doubt from which it is read whole
_AT_ONCE = 300_000  # code points whose words are in memory together
_PIECE = 100_000  # code points read at once; a longer text is cut at a line or a blank


@dataclass(frozen=True, kw_only=True)
class Finder:
    """Finds what free text betrays.

    Attributes:
        kinds: the kinds to look for.
        model: a model of named entities, or None for the rules alone.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    model: EntityModel | None = None

    def find(self, text: str) -> list[Span]:
        """The disjoint mentions of one text, in order; offsets in code points of the text as given."""
        return self.find_all([text])[0]

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """The mentions of each text; time grows with their length, and memory with that of the longest."""
        return [spans for group in groups(texts, size=_AT_ONCE) for spans in self._find_group(group)]

    def _find_group(self, texts: Sequence[str]) -> list[list[Span]]:
        pieces = [_pieces(text) for text in texts]
        readings = [
            [_Reading(View(text[start:end])) for start, end in places]
            for text, places in zip(texts, pieces, strict=True)
        ]
        self._name([reading for of_text in readings for reading in of_text])
        return [self._placed(of_text, places) for of_text, places in zip(readings, pieces, strict=True)]

    def _name(self, readings: Sequence[_Reading]) -> None:
        """Let the model read the sentences that hold a doubt, all in one call."""
        if self.model is None:
            return
        places = [(reading, place) for reading in readings for place in reading.doubts()]
        named = self.model.entities([reading.view.read[start:end] for reading, (start, end) in places])
        for (reading, (offset, _)), spans in zip(places, named, strict=True):
            claims = (Span(offset + span.start, offset + span.end, span.kind) for span in spans)
            reading.named += [claim for claim in claims if believed(reading.cut, claim)]

    def _placed(self, readings: Sequence[_Reading], places: Sequence[tuple[int, int]]) -> list[Span]:
        spans: list[Span] = []
        for reading, (offset, _) in zip(readings, places, strict=True):
            for span in reading.spans():
                if span.kind in self.kinds and span.start < span.end:
                    start, end = reading.view.place(span.start, span.end)
                    spans.append(Span(offset + start, offset + end, span.kind, span.certain))
        return union(spans)


class _Reading:
    """What the rules say of one piece of text, then what the model does."""

    def __init__(self, view: View) -> None:
        plain = view.plain
        found = [*find_numbers(plain), *find_codes(plain), *find_dates(plain), *find_addresses(plain)]
        self.view, self.cut, self.named = view, Cut(plain, view.read), list[Span]()
        self._numbers = [span for span in found if span.kind is Kind.number]
        self._persons = list(PersonFinder(self.cut).find())
        self._firm = [*(span for span in found if span.kind is not Kind.number), *self._persons]

    def doubts(self) -> Iterable[tuple[int, int]]:
        """The places that a model should read."""
        places = list(doubtful(self.cut, union([*self._firm, *self._numbers])))
        length = len(self.view.plain)
        return places if sum(end - start for start, end in places) < _MOST * length else [(0, length)]

    def spans(self) -> list[Span]:
        """Every claim, and the echoes of the persons."""
        plain = self.view.plain
        persons = [*self._persons, *(span for span in self.named if span.kind is Kind.person)]
        echoes = find_echoes(
            self.cut,
            names=(plain[span.start : span.end] for span in persons),
            emails=(plain[span.start : span.end] for span in self._firm if span.kind is Kind.email),
        )
        return _with_vague(plain, [*self._firm, *echoes], vague=[*self._numbers, *self.named])


def _with_vague(plain: str, firm: list[Span], *, vague: Sequence[Span]) -> list[Span]:
    """Firm claims, and of the vague ones (the model's, numbers of no known kind) what firm ones of other kinds leave.

    All that any claim covers stays covered, but for single marks at the edge of a firm claim.
    """
    claims = union(firm)
    ends = [claim.end for claim in claims]
    kept = list(claims)
    for span in vague:
        start = span.start
        for place in range(bisect_right(ends, span.start), len(claims)):
            claim = claims[place]
            if claim.start >= span.end:
                break
            if claim.kind is not span.kind:
                kept += _left(plain, (start, claim.start), kind=span.kind)
                start = max(start, claim.end)
        kept += _left(plain, (start, span.end), kind=span.kind)
    return kept


def _left(plain: str, place: tuple[int, int], *, kind: Kind) -> Iterable[Span]:
    """What is left of a vague claim, without the blanks and marks around it."""
    start, end = place
    while start < end and not plain[start].isalnum():
        start += 1
    while end > start and not plain[end - 1].isalnum():
        end -= 1
    if end - start > (3 if kind is Kind.number else 0):
        yield Span(start, end, kind)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Places of at most `_PIECE` code points, cut where a line or at least a word ends."""
    places, start = [], 0
    while len(text) - start > _PIECE:
        end = text.rfind("\n", start + _PIECE // 2, start + _PIECE) + 1
        end = end or text.rfind(" ", start + _PIECE // 2, start + _PIECE) + 1 or start + _PIECE
        places.append((start, end))
        start = end
    return [*places, (start, len(text))]
