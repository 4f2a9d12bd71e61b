"""Every mention of a text: rules first, then a model when there is one; what either claims is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curator.text._addresses import find_addresses
from curator.text._codes import find_codes
from curator.text._cut import Cut
from curator.text._dates import find_dates
from curator.text._echoes import find_echoes
from curator.text._kinds import Kind
from curator.text._model import EntityModel
from curator.text._numbers import find_numbers
from curator.text._persons import PersonFinder
from curator.text._spans import Span, union
from curator.text._view import View

RULES = "1"
"""Version of the rules: an evaluation of other rules tells nothing of these."""

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
        """The mentions of each text. Time grows with the length of the texts, whatever they hold."""
        pieces = [_pieces(text) for text in texts]
        views = [[View(text[start:end]) for start, end in places] for text, places in zip(texts, pieces, strict=True)]
        flat = [view for of_text in views for view in of_text]
        named = self._named([view.plain for view in flat])
        found = iter([_rules(view.plain, extra=extra) for view, extra in zip(flat, named, strict=True)])
        return [
            self._placed(of_text, places, found=[next(found) for _ in of_text])
            for of_text, places in zip(views, pieces, strict=True)
        ]

    def _named(self, plains: Sequence[str]) -> Sequence[Sequence[Span]]:
        return self.model.entities(plains) if self.model else [()] * len(plains)

    def _placed(
        self, views: Sequence[View], places: Sequence[tuple[int, int]], *, found: Sequence[Iterable[Span]]
    ) -> list[Span]:
        spans: list[Span] = []
        for view, (offset, _), of_view in zip(views, places, found, strict=True):
            for span in of_view:
                if span.kind in self.kinds and span.start < span.end:
                    start, end = view.place(span.start, span.end)
                    spans.append(Span(offset + start, offset + end, span.kind, span.certain))
        return union(_trimmed(spans))


def _rules(plain: str, *, extra: Sequence[Span]) -> list[Span]:
    """What the rules and the model say of a plain text, and the echoes of the persons of both."""
    spans = [*find_numbers(plain), *find_codes(plain), *find_dates(plain), *find_addresses(plain), *extra]
    cut = Cut(plain)
    emails = [span for span in spans if span.kind is Kind.email]
    persons = list(PersonFinder(cut).find())
    named = [span for span in (*persons, *extra) if span.kind is Kind.person]
    echoes = find_echoes(
        cut,
        names=(plain[span.start : span.end] for span in named),
        emails=(plain[span.start : span.end] for span in emails),
    )
    return [*spans, *persons, *echoes]


def _trimmed(spans: Iterable[Span]) -> list[Span]:
    """A number of no known kind gives way where a better claim overlaps it, and keeps what is left of it."""
    spans = list(spans)
    firm = union(span for span in spans if span.kind is not Kind.number)
    kept = [span for span in spans if span.kind is not Kind.number]
    place = 0
    for span in sorted((span for span in spans if span.kind is Kind.number), key=lambda span: span.start):
        while place < len(firm) and firm[place].end <= span.start:
            place += 1
        start, index = span.start, place
        while index < len(firm) and firm[index].start < span.end:
            if firm[index].start - start >= 4:
                kept.append(Span(start, firm[index].start, Kind.number))
            start, index = max(start, firm[index].end), index + 1
        if span.end - start >= 4:
            kept.append(Span(start, span.end, Kind.number, span.certain))
    return kept


def _pieces(text: str) -> list[tuple[int, int]]:
    """Places of at most `_PIECE` code points, cut where a line or at least a word ends."""
    places, start = [], 0
    while len(text) - start > _PIECE:
        end = text.rfind("\n", start + _PIECE // 2, start + _PIECE) + 1
        end = end or text.rfind(" ", start + _PIECE // 2, start + _PIECE) + 1 or start + _PIECE
        places.append((start, end))
        start = end
    return [*places, (start, len(text))]
