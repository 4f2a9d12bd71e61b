"""Lists of words, written as text."""

from __future__ import annotations


def listed(text: str, mark: str | None = None) -> tuple[str, ...]:
    """The words of a text, set apart by blanks, or by a mark when they hold blanks themselves."""
    parts = text.replace("\n", "" if mark == "|" else " ").split(mark)
    return tuple(part.strip() for part in parts if part.strip())
