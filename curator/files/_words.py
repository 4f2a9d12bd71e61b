"""The words that places of every kind share."""

from __future__ import annotations

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
