"""Local recoding: each class as fine as its own rows allow, instead of one level a field for everybody.

From the top down (after Mondrian: LeFevre, DeWitt, Ramakrishnan, ICDE 2006, with hierarchies in place of cuts): all
rows begin in one class at the coarsest levels. A class is split along the field where that gains most: its groups on
the next finer level become classes of their own where they meet the limits, and what remains stays together on the old
level. When the remainder is too small it takes sound groups in, the smallest first, until it is sound. No row is ever
suppressed when the first class meets the limits. Not optimal; deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.errors import DisclosureError
from curator.generalising._limits import Limits, judge
from curator.generalising._tuples import Tuples

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recoding:
    """A level for each cell.

    Attributes:
        levels: fields x combinations; the level that is written.
        classes: class of each combination; rows of a class are alike.
        granularity: 1 when every value is as it was, 0 when nothing is left: 1 less the shares of the fields' values
            that the groups of the cells hold, above those of single values.
        k: people of the smallest class, or rows where people are not counted.
    """

    levels: Places
    classes: Places
    granularity: float
    k: int


LOCAL_METRIC = "1 less the mean share of the fields' values that the groups of the cells hold, above single values"


@dataclass(frozen=True, kw_only=True)
class LocalGeneralisation:
    """A recoding in figures.

    Attributes:
        fields: field -> for each of its levels, the rows that are written at it.
        granularity: as `Recoding`, by `LOCAL_METRIC`.
        rows, combinations, classes: looked at, distinct before, and written.
        k: rows of the smallest class.
        k_persons: people of the smallest one; None when only rows are counted.
    """

    fields: Mapping[str, tuple[int, ...]]
    granularity: float
    rows: int
    combinations: int
    classes: int
    k: int
    k_persons: int | None

    def facts(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {**vars(self), "fields": dict(self.fields), "suppressed": 0, "metric": LOCAL_METRIC}


def local_generalisation(tuples: Tuples, found: Recoding) -> LocalGeneralisation:
    """What a recoding comes to."""
    fields = {
        hierarchy.name: tuple(np.bincount(levels, tuples.rows, minlength=hierarchy.height).astype(int).tolist())
        for hierarchy, levels in zip(tuples.hierarchies, found.levels, strict=True)
    }
    rows = np.bincount(found.classes, tuples.rows)
    return LocalGeneralisation(
        fields=fields, granularity=found.granularity, rows=tuples.total, combinations=len(tuples.rows),
        classes=len(rows), k=int(rows.min()), k_persons=None if tuples.people is None else found.k,
    )  # fmt: skip


def recode(tuples: Tuples, limits: Limits) -> Recoding:
    """Recode each class on its own, suppressing nobody.

    Args:
        tuples: the distinct combinations.
        limits: what classes must hold; `suppress` is not used.

    Raises:
        DisclosureError: `generalise-impossible`, when not even all rows together, at the coarsest levels, meet them.
    """
    return _Recoder(tuples, limits).run()


class _Recoder:
    """The state of one recoding."""

    def __init__(self, tuples: Tuples, limits: Limits) -> None:
        self._tuples, self._limits = tuples, limits
        self._everybody = None
        if limits.needs_sensitive and tuples.sensitive is not None:
            self._everybody = np.bincount(tuples.sensitive, tuples.rows, minlength=tuples.values)
        self._shares = []
        for hierarchy in tuples.hierarchies:
            count = hierarchy.codes.shape[1]
            self._shares.append((hierarchy.shares() - 1 / count) / max(1 - 1 / count, 1e-12))
        top = np.array([hierarchy.height - 1 for hierarchy in tuples.hierarchies])
        self._levels = np.repeat(top[:, None], len(tuples.rows), axis=1)
        self._classes = np.zeros(len(tuples.rows), np.int64)

    def run(self) -> Recoding:
        """Split until no class can be split."""
        waiting, count = self._first(), 0
        while waiting:
            members = waiting.pop()
            parts = self._best_split(members)
            if parts is None:
                self._classes[members] = count
                count += 1
                continue
            field, rest, apart = parts
            for part in apart:
                self._levels[field, part] -= 1
            waiting += [part for part in (rest, *apart) if len(part)]
        rows, people = np.bincount(self._classes, self._tuples.rows), self._tuples.people
        if people is not None:
            rows = people.per_class(self._classes, count=len(rows))
        return Recoding(
            levels=self._levels, classes=self._classes, granularity=self._granularity(), k=int(rows.min())
        )  # fmt: skip

    def _first(self) -> list[Places]:
        """The classes at the coarsest levels; each must be sound by itself."""
        everything = np.arange(len(self._tuples.rows))
        groups = np.zeros(len(everything), np.int64)
        for hierarchy, codes in zip(self._tuples.hierarchies, self._tuples.codes, strict=True):
            wide = groups * (hierarchy.codes.shape[1] + 1) + hierarchy.codes[-1][codes]
            groups = np.unique(wide, return_inverse=True)[1]
        sound = self._sound(everything, groups)
        if not sound.all():
            raise DisclosureError(
                "generalise-impossible", asked="recode each class on its own",
                found=f"{int((~sound).sum()):,} classes below the limits at the coarsest levels",
                expected="no class below the limits at the coarsest levels: nobody is suppressed here",
                todo="add a last level of one group for everybody to each hierarchy",
            )  # fmt: skip
        return [np.flatnonzero(groups == number) for number in range(len(sound))]

    def _best_split(self, members: Places) -> tuple[int, Places, list[Places]] | None:
        """The field whose split gains most, what stays on the old level, and the new classes."""
        best: tuple[float, int, Places, npt.NDArray[np.bool_]] | None = None
        rows = self._tuples.rows[members]
        for field, hierarchy in enumerate(self._tuples.hierarchies):
            level = int(self._levels[field, members[0]])
            if not level or int(rows.sum()) < self._limits.k:
                continue
            codes = self._tuples.codes[field, members]
            groups = np.unique(hierarchy.codes[level - 1][codes], return_inverse=True)[1]
            leave = self._leaving(members, groups)
            if not leave.any():
                continue
            finer = leave[groups]
            saved = (self._shares[field][level] - self._shares[field][level - 1])[codes]
            gain = float((saved * rows)[finer].sum())
            if best is None or gain > best[0] + 1e-12:  # one that gains nothing may still open finer ones
                best = gain, field, groups, leave
        return None if best is None else self._parts(members, best)

    def _parts(self, members: Places, best: Any) -> tuple[int, Places, list[Places]]:
        _, field, groups, leave = best
        apart = [members[groups == number] for number in np.flatnonzero(leave)]
        return field, members[~leave[groups]], apart

    def _leaving(self, members: Places, groups: Places) -> npt.NDArray[np.bool_]:
        """Which groups can stand alone, so that what remains (if anything) can too."""
        leave = self._sound(members, groups)
        while leave.any() and not leave.all():
            if self._sound(members, leave[groups].astype(np.int64))[0]:
                return leave
            sizes = np.bincount(groups, self._tuples.rows[members])
            leave[np.flatnonzero(leave)[np.argmin(sizes[leave])]] = False
        return leave

    def _sound(self, members: Places, groups: Places) -> npt.NDArray[np.bool_]:
        """Which groups of some combinations meet the limits."""
        rows = np.bincount(groups, self._tuples.rows[members])
        k, people = self._limits.k, self._tuples.people
        alike = rows if people is None else people.within(members, groups, count=len(rows), enough=k)
        enough, table = np.flatnonzero(alike >= k), None
        if self._everybody is not None and self._tuples.sensitive is not None:
            values = self._tuples.values
            cells = groups * values + self._tuples.sensitive[members]
            whole = np.bincount(cells, self._tuples.rows[members], minlength=len(rows) * values)
            table = whole.reshape(len(rows), values)[enough]
        hollow = self._tuples.hollow
        return judge(
            self._limits, rows, enough=enough, everybody=self._everybody, table=table, hollow=hollow
        ).sound  # fmt: skip

    def _granularity(self) -> float:
        """Loss over all cells against the loss of saying nothing (ARX's granularity, `getArithmeticMean()`)."""
        lost = possible = 0.0
        fields = zip(self._shares, self._levels, self._tuples.codes, strict=True)
        for shares, levels, codes in fields:
            room = 1 - 1 / shares.shape[1]
            lost += room * float(shares[levels, codes] @ self._tuples.rows) / self._tuples.total
            possible += room
        return 1 - lost / possible if possible else 1.0
