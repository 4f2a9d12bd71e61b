"""The words that places of every kind share."""

from __future__ import annotations

import unicodedata


def plain_name(column: str) -> str:
    """A column's name without what the eye hardly tells: letter case, spaces, accents' form, invisible signs."""
    visible = "".join(mark for mark in column if mark.isspace() or unicodedata.category(mark) not in ("Cf", "Cc"))
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())
