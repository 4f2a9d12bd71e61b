"""The words that places of every kind share."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Digests:
    """What names a file's bytes.

    Attributes:
        plain: for the holder alone: SHA-256 of the bytes, or of an object store's own tag of them.
        keyed: for the evidence: HMAC-SHA256, so that nobody can confirm a guess.
    """

    plain: str
    keyed: str


def plain_name(column: str) -> str:
    """A column's name without what the eye hardly tells: letter case, spaces, accents' form, invisible signs."""
    visible = "".join(mark for mark in column if unicodedata.category(mark) not in ("Cf", "Cc"))
    return " ".join(unicodedata.normalize("NFKC", visible).casefold().split())
