"""Lists of words, written as text; runs of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def listed(text: str, mark: str | None = None) -> tuple[str, ...]:
    """The words of a text, set apart by blanks, or by a mark when they hold blanks themselves."""
    parts = text.replace("\n", "" if mark == "|" else " ").split(mark)
    return tuple(part.strip() for part in parts if part.strip())


def groups(texts: Sequence[str], *, size: int) -> Iterator[Sequence[str]]:
    """Runs of neighbours of at most so many code points together; a longer text is alone."""
    first, total = 0, 0
    for place, text in enumerate(texts):
        if total + len(text) > size and place > first:
            yield texts[first:place]
            first, total = place, 0
        total += len(text)
    if first < len(texts):
        yield texts[first:]
