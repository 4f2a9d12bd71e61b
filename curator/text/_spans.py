"""Spans of a text, and their union: what any recogniser claims is masked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curator.text._kinds import PRECEDENCE, Kind

_VAGUE = frozenset({Kind.number, Kind.place, Kind.organisation, Kind.other})


@dataclass(frozen=True, slots=True)
class Span:
    """A mention in a text.

    Attributes:
        start, end: offsets in the text as given (Unicode code points, end excluded).
        kind: what it is.
        certain: whether its check digits or its shape leave no doubt; only a tie-breaker.
    """

    start: int
    end: int
    kind: Kind
    certain: bool = False


def union(spans: Iterable[Span]) -> list[Span]:
    """Disjoint spans in order that cover all that the given ones cover.

    Spans that overlap become one, with the kind of the best claim: precise before vague (a number, a place), certain
    before likely, longer before shorter. A date or a person inside an address is part of the address.
    """
    merged: list[Span] = []
    group: list[Span] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if group and span.start >= end:
            merged.append(_one(group, end))
            group = []
            end = span.end
        group.append(span)
        end = max(end, span.end)
    if group:
        merged.append(_one(group, end))
    return merged


def _one(group: list[Span], end: int) -> Span:
    if len(group) == 1:
        return group[0]
    best = min(group, key=_rank)
    return Span(group[0].start, end, best.kind, best.certain)


def _rank(span: Span) -> tuple[bool, bool, int, int]:
    return span.kind in _VAGUE, not span.certain, span.start - span.end, PRECEDENCE[span.kind]
