"""How much a masking finds, measured on texts whose mentions somebody marked.

    {"id": "7", "text": "M. Durand ...", "spans": [{"start": 3, "end": 9, "kind": "person"}]}

Recall is what protects: a mention is found when every letter and digit of it lies in masked places, whatever they
are called; `same` asks for the right kind as well. Precision is the share of masked places of a kind that touch a
mention of that kind (`precision`), or of any kind (`precision_any`): what a reader loses without need.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from curator.errors import SourceError
from curator.text._finder import Finder
from curator.text._kinds import Kind
from curator.text._spans import Span

_CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A text with the mentions that somebody marked."""

    text: str
    spans: tuple[Span, ...]


@dataclass(kw_only=True)
class Figures:
    """Counts for one kind.

    Attributes:
        mentions: mentions marked.
        found: of those, wholly masked.
        same: of those, under the right kind.
        masked: masked places of this kind.
        right: of those, touching a mention of this kind.
        touching: of those, touching a mention of any kind.
    """

    mentions: int = 0
    found: int = 0
    same: int = 0
    masked: int = 0
    right: int = 0
    touching: int = 0

    def to_json(self) -> dict[str, Any]:
        """Counts and shares; a share of nothing is null; `recall_low` is the lower end of Wilson's 95 % interval."""
        return {
            **vars(self),
            "recall": _share(self.found, self.mentions),
            "recall_low": _wilson_low(self.found, self.mentions),
            "recall_same": _share(self.same, self.mentions),
            "precision": _share(self.right, self.masked),
            "precision_any": _share(self.touching, self.masked),
        }


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was measured.

    Attributes:
        documents: texts read.
        kinds: figures of each kind that is marked or masked.
        missed: place in the file (from 1) and kind of each mention not wholly masked; no text.
    """

    documents: int
    kinds: Mapping[str, Figures]
    missed: tuple[tuple[int, str], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """The report as JSON."""
        total = Figures()
        for figures in self.kinds.values():
            for name, value in vars(figures).items():
                setattr(total, name, getattr(total, name) + value)
        return {
            "documents": self.documents,
            "all": total.to_json(),
            "kinds": {name: figures.to_json() for name, figures in sorted(self.kinds.items())},
        }


def read_labelled(path: Path) -> list[Labelled]:
    """Read a labelled file: one JSON object a line, with `text` and `spans` (start, end, kind; offsets in code points).

    Raises:
        SourceError: `source-missing`; `text-labels-invalid` for a line that is not one, with its number.
    """
    if not path.is_file():
        raise SourceError(
            "source-missing",
            asked=f"read the labelled texts of {path.name}",
            found="no such file",
            expected="a file of JSON lines",
            todo="correct the path",
        )
    documents = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    documents.append(_labelled(json.loads(line.decode("utf-8"))))
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise _invalid(path, number) from error
    return documents


def evaluate(documents: Sequence[Labelled], finder: Finder) -> Evaluation:
    """Measure a finder on labelled texts; kinds that it does not look for count as missed."""
    kinds: dict[str, Figures] = {}
    missed: list[tuple[int, str]] = []
    for first in range(0, len(documents), _CHUNK):
        part = documents[first : first + _CHUNK]
        found = finder.find_all([document.text for document in part])
        for place, (document, spans) in enumerate(zip(part, found, strict=True), first + 1):
            missed += [(place, kind) for kind in _tally(document, spans, kinds=kinds)]
    return Evaluation(documents=len(documents), kinds=kinds, missed=tuple(missed))


def _tally(document: Labelled, found: Sequence[Span], *, kinds: dict[str, Figures]) -> Iterable[str]:
    for span in document.spans:
        figures = kinds.setdefault(span.kind.value, Figures())
        figures.mentions += 1
        if hidden(document.text, span, found=found):
            figures.found += 1
            figures.same += any(_touch(span, other) and other.kind == span.kind for other in found)
        else:
            yield span.kind.value
    for span in found:
        figures = kinds.setdefault(span.kind.value, Figures())
        figures.masked += 1
        touched = [other for other in document.spans if _touch(span, other)]
        figures.touching += bool(touched)
        figures.right += any(other.kind == span.kind for other in touched)


def hidden(text: str, span: Span, *, found: Sequence[Span]) -> bool:
    """Whether every letter and digit of a mention lies in masked places."""
    near = [other for other in found if _touch(span, other)]
    return all(
        any(other.start <= place < other.end for other in near)
        for place in range(span.start, span.end)
        if text[place].isalnum()
    )


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _labelled(row: Mapping[str, Any]) -> Labelled:
    text = row["text"]
    spans = tuple(Span(int(span["start"]), int(span["end"]), Kind(span["kind"])) for span in row.get("spans", ()))
    if not isinstance(text, str) or any(not 0 <= span.start < span.end <= len(text) for span in spans):
        raise ValueError
    return Labelled(text=text, spans=spans)


def _invalid(path: Path, number: int) -> SourceError:
    return SourceError(
        "text-labels-invalid",
        asked=f"read the labelled texts of {path.name}",
        found=f"line {number} is no labelled text",
        expected='{"text": ..., "spans": [{"start": 3, "end": 9, "kind": "person"}]}, in UTF-8, offsets within',
        todo=f"correct line {number}; the kinds are {', '.join(Kind)}",
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _wilson_low(part: int, whole: int) -> float | None:
    """Lower end of Wilson's score interval at 95 % (Wilson 1927)."""
    if not whole:
        return None
    z, share = 1.959964, part / whole
    centre = share + z * z / (2 * whole)
    spread = z * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return round(max(0.0, (centre - spread) / (1 + z * z / whole)), 4)
