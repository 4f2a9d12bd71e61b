"""Which rows a version was made from, for the holder alone: a keyed token, a code of the content and a place a row.

A refresh compares the rows of the source now with those of the version before: a token that is new is an added row,
one that is gone a vanished row, one whose content has another code a changed row. Tokens are the first 8 bytes of the
keyed token of the row key (the one that orders rows), codes those of `curator.rowdigest` with the split, a place says
in which split a row stands or that it is held back: 17 bytes a row, nothing in clear, and yet never published, since it
tells which rows two versions share.

A version that adds to another has a part of its own beside the parts of that one; the newest part that knows a row is
right about it. Shards are cut by the first bits of the tokens, in their order, so a part also tells in which file each
of its rows stands, and the index which tokens the rows of a file have, one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
_Rows: TypeAlias = "tuple[Codes, Codes, Places]"

HELD = np.uint8(0x80)  # with the split: accepted, and left out of the files
GONE = np.uint8(0xFF)
_SPLIT = np.uint8(0x7F)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How the rows of two versions differ.

    Attributes:
        added, changed, vanished: rows, by row key.
        splits: split -> the same three of its rows; a changed row counts where it stands now.
    """

    added: int = 0
    changed: int = 0
    vanished: int = 0
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def facts(self) -> dict[str, int]:
        """The counts, for the evidence."""
        return {"added": self.added, "changed": self.changed, "vanished": self.vanished}


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """What one version knew of the rows that it wrote or took away.

    Attributes:
        tokens: of rows, ascending.
        codes: of their content.
        places: split of each, with `HELD` for a row that is in no file; `GONE` for one that left.
        first: number of its first shard.
        ranges: into how many shards a split the tokens were cut; a power of two up to 256.
    """

    tokens: Codes
    codes: Codes
    places: Places
    first: int = 0
    ranges: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What an index knows of some rows, one entry a row.

    Attributes:
        known: whether it has the row; the others hold nothing that counts where it has not.
        codes, places: as in `Part`.
    """

    known: Flags
    codes: Codes
    places: Places


class RowIndex:
    """Tokens, content codes and places of rows: what was added in this process, and parts of earlier versions.

    Args:
        parts: of earlier versions, oldest first.
    """

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self.parts = list(parts)
        self._added: list[_Rows] = []

    def add(self, tokens: Codes, codes: Codes, *, places: Places) -> None:
        """Take some rows."""
        self._added.append((tokens, codes, places))

    def added(self) -> _Rows:
        """What was added, tokens ascending; a token that was added twice stands there twice."""
        return _joined(self._added)

    def settle(self, *, held: Codes, first: int, ranges: int) -> None:
        """Make a part of what was added.

        Args:
            held: ascending tokens of the rows that were left out of the files.
            first: number of the first new shard.
            ranges: into how many shards a split the rows were cut.
        """
        tokens, codes, places = self.added()
        kept = np.where(among(tokens, held) & (places != GONE), places | HELD, places)
        self.parts.append(Part(tokens=tokens, codes=codes, places=kept, first=first, ranges=ranges))
        self._added = []

    def find(self, tokens: Codes) -> Found:
        """What is known of some rows."""
        found = Found(
            known=np.zeros(len(tokens), np.bool_),
            codes=np.zeros(len(tokens), np.uint64),
            places=np.full(len(tokens), GONE),
        )
        for part in self.parts:  # a later one overwrites what an earlier one said
            if not len(part.tokens):
                continue
            spots = _spots(part.tokens, tokens)
            here = np.flatnonzero(part.tokens[spots] == tokens)
            found.codes[here], found.places[here] = part.codes[spots[here]], part.places[spots[here]]
        found.known[:] = found.places != GONE
        return found

    def live(self) -> _Rows:
        """Every row that did not leave, ascending by token."""
        rows = []
        for place, part in enumerate(self.parts):
            stays = (part.places != GONE) & ~self._later(part.tokens, place)
            rows.append((part.tokens[stays], part.codes[stays], part.places[stays]))
        return rows[0] if len(rows) == 1 else _joined(rows)

    def file_of(self, tokens: Codes, splits: Sequence[str]) -> dict[str, Codes]:
        """Path of a shard -> those of some known rows that stand in it; rows that are held back are in none."""
        found: dict[str, Codes] = {}
        for place, part in enumerate(self.parts):
            if not len(part.tokens):
                continue
            spots = np.minimum(np.searchsorted(part.tokens, tokens), len(part.tokens) - 1)
            here = (part.tokens[spots] == tokens) & (part.places[spots] < HELD) & ~self._later(tokens, place)
            mine, where = tokens[here], part.places[spots[here]]
            ranges = _range(mine, part.ranges)
            for split, number in sorted(set(zip(where.tolist(), ranges.tolist(), strict=True))):
                path = shard_path(splits[split], part.first + number)
                found[path] = mine[(where == split) & (ranges == number)]
        return found

    def tokens_in(self, path: str, splits: Sequence[str]) -> Codes:
        """Tokens of the rows of a shard, in their order there; empty for a file that no part has written."""
        for place, part in enumerate(self.parts):
            for number in range(part.ranges):
                for split, name in enumerate(splits):
                    if shard_path(name, part.first + number) == path:
                        return self._rows_of(place, number=number, split=split)
        return np.empty(0, np.uint64)

    def _rows_of(self, place: int, *, number: int, split: int) -> Codes:
        part = self.parts[place]
        width = (1 << 64) // part.ranges
        low, high = np.searchsorted(
            part.tokens, np.array([number * width, min((number + 1) * width, (1 << 64) - 1)], np.uint64)
        )
        high = len(part.tokens) if number + 1 == part.ranges else high
        tokens = part.tokens[low:high][part.places[low:high] == split]
        return np.asarray(tokens[~self._later(tokens, place)])

    def _later(self, tokens: Codes, place: int) -> Flags:
        """Which tokens a later part knows too."""
        later = np.zeros(len(tokens), np.bool_)
        for part in self.parts[place + 1 :]:
            later |= among(tokens, part.tokens)
        return later

    def save(self, path: Path) -> dict[str, Any]:
        """Write the newest part, readable by the holder alone; returns what `load` must be told of it."""
        part = self.parts[-1]
        for name, value in ((path, np.stack([part.tokens, part.codes])), (_places_beside(path), part.places)):
            name.touch(mode=0o600)
            with name.open("wb") as stream:
                np.save(stream, value, allow_pickle=False)
        return {"file": path.name, "first": part.first, "ranges": part.ranges}

    @classmethod
    def load(cls, folder: Path, told: Sequence[Any]) -> RowIndex | None:
        """Open the parts of a version, without reading them whole.

        None when there is none, or one that is damaged or of an earlier form: every row is written again without it.
        """
        parts = []
        for entry in told:
            try:
                path = folder / entry["file"]
                rows = np.load(path, mmap_mode="r", allow_pickle=False)
                places = np.load(_places_beside(path), mmap_mode="r", allow_pickle=False)
                first, ranges = int(entry["first"]), int(entry["ranges"])
            except (OSError, ValueError, EOFError, TypeError, KeyError):
                return None
            if rows.shape != (2, *places.shape) or rows.dtype != np.uint64 or places.dtype != np.uint8:
                return None
            parts.append(Part(tokens=rows[0], codes=rows[1], places=places, first=first, ranges=ranges))
        return cls(parts) if parts else None


def changes_between(before: RowIndex, after: RowIndex, *, splits: Sequence[str]) -> Changes:
    """From the rows of one version to those of another, each given whole."""
    old, new = before.live(), after.live()
    known = before.find(new[0])
    return told(
        splits,
        added=new[2][~known.known],
        changed=new[2][known.known & (known.codes != new[1])],
        vanished=old[2][~among(old[0], new[0])],
    )


def told(splits: Sequence[str], *, added: Places, changed: Places, vanished: Places) -> Changes:
    """The changes of rows in these places."""
    counts = {
        name: np.bincount(places & _SPLIT, minlength=len(splits)).tolist()
        for name, places in (("added", added), ("changed", changed), ("vanished", vanished))
    }
    per_split = {split: {name: count[place] for name, count in counts.items()} for place, split in enumerate(splits)}
    return Changes(added=len(added), changed=len(changed), vanished=len(vanished), splits=per_split)


def among(tokens: Codes, others: Codes) -> Flags:
    """Which tokens are in an ascending list."""
    if not len(others):
        return np.zeros(len(tokens), np.bool_)
    return np.asarray(others[_spots(others, tokens)] == tokens)


def _spots(others: Codes, tokens: Codes) -> npt.NDArray[np.intp]:
    """Where each token would stand in an ascending list, at its last entry at most.

    Looked for in ascending order, where each search finds in the cache what the one before has read: five times as
    fast in a list of millions.
    """
    if bool((tokens[1:] >= tokens[:-1]).all()):
        return np.minimum(np.searchsorted(others, tokens), len(others) - 1)
    order = np.argsort(tokens)
    spots = np.empty(len(tokens), np.intp)
    spots[order] = np.searchsorted(others, tokens[order])
    return np.minimum(spots, len(others) - 1)


def shard_path(split: str, number: int) -> str:
    """Where the shard of that number stands in a version."""
    return f"data/{split}/part-{number:05d}.parquet"


def _joined(rows: Sequence[_Rows]) -> _Rows:
    """Rows of several origins in the order of their tokens."""
    tokens = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in rows)])
    codes = np.concatenate([np.empty(0, np.uint64), *(part[1] for part in rows)])
    places = np.concatenate([np.empty(0, np.uint8), *(part[2] for part in rows)])
    order = np.argsort(tokens, kind="stable")
    return tokens[order], codes[order], places[order]


def _range(tokens: Codes, ranges: int) -> npt.NDArray[np.uint64]:
    return tokens >> np.uint64(56) if ranges == 256 else (tokens >> np.uint64(56)) // np.uint64(256 // ranges)


def _places_beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.places.npy")
