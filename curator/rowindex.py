"""Which rows a version was made from, for the holder alone: one keyed token and one code of its content a row.

A refresh compares the rows of the source now with those of the version before: a token that is new is an added row,
one that is gone a vanished row, one whose content has another code a changed row. Tokens are the first 8 bytes of the
keyed token of the row key (the one that orders rows), codes those of `curator.rowdigest`: 16 bytes a row, nothing in
clear, and yet never published, since it tells which rows two versions share.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How the rows of two versions differ.

    Attributes:
        added, changed, vanished: rows, by row key.
    """

    added: int = 0
    changed: int = 0
    vanished: int = 0

    def facts(self) -> dict[str, int]:
        """The counts, for the evidence."""
        return {"added": self.added, "changed": self.changed, "vanished": self.vanished}


class RowIndex:
    """Tokens and content codes of rows; ascending by token once `settled`."""

    def __init__(self) -> None:
        self._parts: list[Codes] = []
        self._rows = np.empty((2, 0), np.uint64)

    def __len__(self) -> int:
        return int(self.settled().shape[1])

    def add(self, tokens: Codes, codes: Codes) -> None:
        """Take some rows."""
        self._parts.append(np.stack([tokens, codes]))

    def settled(self) -> npt.NDArray[np.uint64]:
        """Two rows of numbers, tokens ascending and the code of each."""
        if self._parts:
            rows = np.concatenate([self._rows, *self._parts], axis=1)
            self._parts, self._rows = [], rows[:, np.argsort(rows[0], kind="stable")]
        return self._rows

    def known(self, tokens: Codes, codes: Codes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Of some rows: which have a known token, and which of these another content."""
        held, held_codes = self.settled()
        if not len(held):
            nothing = np.zeros(len(tokens), np.bool_)
            return nothing, nothing
        places = np.minimum(np.searchsorted(held, tokens), len(held) - 1)
        known = held[places] == tokens
        return known, known & (held_codes[places] != codes)

    def changes(self, later: RowIndex) -> Changes:
        """From this version to a later one."""
        known, changed = self.known(*later.settled())
        stayed = int(known.sum())
        return Changes(added=len(later) - stayed, changed=int(changed.sum()), vanished=len(self) - stayed)

    def joined(self, other: RowIndex) -> RowIndex:
        """The rows of both."""
        index = RowIndex()
        index._parts = [self.settled(), other.settled()]
        return index

    def save(self, path: Path) -> None:
        """Write it, readable by the holder alone."""
        path.touch(mode=0o600)
        with path.open("wb") as stream:
            np.save(stream, self.settled(), allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> RowIndex | None:
        """Read it; None when there is none, or one that is damaged: a full comparison is made without it."""
        try:
            rows = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if rows.ndim != 2 or rows.shape[0] != 2 or rows.dtype != np.uint64:
            return None
        index = cls()
        index._rows = rows
        return index
