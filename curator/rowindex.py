"""Which rows a version was made from, for the holder alone: one keyed token and one code of its content a row.

A refresh compares the rows of the source now with those of the version before: a token that is new is an added row,
one that is gone a vanished row, one whose content has another code a changed row. Tokens are the first 8 bytes of the
keyed token of the row key (the one that orders rows), codes those of `curator.rowdigest`: 16 bytes a row, nothing in
clear, and yet never published, since it tells which rows two versions share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint64]


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
    """Tokens and content codes of rows: what was added in this process, and files of earlier versions.

    Args:
        earlier: tokens and codes of rows of earlier versions, each ascending by token.
    """

    def __init__(self, earlier: Sequence[Rows] = ()) -> None:
        self._earlier = list(earlier)
        self._added: list[Rows] = []

    def __len__(self) -> int:
        return sum(part.shape[1] for part in (*self._earlier, *self._added))

    def add(self, tokens: Codes, codes: Codes) -> None:
        """Take some rows."""
        self._added.append(np.stack([tokens, codes]))

    def settled(self) -> Rows:
        """Every row once, tokens ascending."""
        if self._added or len(self._earlier) != 1:
            rows = np.concatenate([np.empty((2, 0), np.uint64), *self._earlier, *self._added], axis=1)
            self._earlier, self._added = [_sorted(rows)], []
        return self._earlier[0]

    def known(self, tokens: Codes, codes: Codes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Of some rows: which have a known token, and which of these another content."""
        known, changed = np.zeros(len(tokens), np.bool_), np.zeros(len(tokens), np.bool_)
        if self._added:
            self.settled()
        for held, held_codes in self._earlier:
            if len(held):
                places = np.minimum(np.searchsorted(held, tokens), len(held) - 1)
                here = held[places] == tokens
                known |= here
                changed |= here & (held_codes[places] != codes)
        return known, changed

    def changes(self, later: RowIndex) -> Changes:
        """From this version to a later one."""
        known, changed = self.known(*later.settled())
        stayed = int(known.sum())
        return Changes(added=len(later) - stayed, changed=int(changed.sum()), vanished=len(self) - stayed)

    def save(self, path: Path) -> None:
        """Write it, readable by the holder alone."""
        path.touch(mode=0o600)
        with path.open("wb") as stream:
            np.save(stream, self.settled(), allow_pickle=False)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> RowIndex | None:
        """Open the files of a version and of those that it adds to, without reading them whole.

        None when there is none, or one that is damaged: every row is compared without it.
        """
        parts = []
        for path in paths:
            try:
                rows = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError):
                return None
            if rows.ndim != 2 or rows.shape[0] != 2 or rows.dtype != np.uint64:
                return None
            parts.append(rows)
        return cls(parts) if parts else None


def _sorted(rows: Rows) -> Rows:
    ordered: Rows = rows[:, np.argsort(rows[0], kind="stable")]
    return ordered
