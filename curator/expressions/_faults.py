"""The one error of this package, and the help it gives: what was found, where, and the nearest allowed word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from curator.errors import SpecError


class ExpressionRefused(SpecError):  # noqa: N818 - named as what happened
    """An expression of a spec is not in the language; code `expression-refused`, or `regex-refused` for a pattern.

    Attributes:
        offset: the character of the expression, counted from 0, where the fault starts.
    """

    def __init__(self, code: str = "expression-refused", *, offset: int, found: str, expected: str) -> None:
        self.offset = offset
        super().__init__(
            code,
            asked="read an expression of the spec",
            found=f"{found}, at character {offset + 1}",
            expected=expected,
            todo="correct the expression; docs/reference/expressions.md lists every operator and function",
        )


def nearest(word: str, words: Iterable[str]) -> str:
    """`did you mean X?` for the closest word, or an empty text.

    Args:
        word: what was written.
        words: what could have been written.
    """
    by_lower = {candidate.lower(): candidate for candidate in words}
    close = difflib.get_close_matches(word.lower()[:64], by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
