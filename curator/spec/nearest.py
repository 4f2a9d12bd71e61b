"""The nearest valid word, for whoever misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, words: Iterable[str]) -> str:
    """`the nearest valid word` as a hint, or the words themselves when none is near."""
    known = sorted(words)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"`{close[0]}`" if close else "one of " + ", ".join(f"`{item}`" for item in known[:12])
