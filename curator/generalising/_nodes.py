"""Nodes of the lattice looked at: who would be left out there, what it costs, and what that says of all finer nodes.

The loss is ARX's (Prasser, Eicher, Spengler, Bild, Kuhn, "Flexible data anonymization using ARX", 2020; after Iyengar,
"Transforming data to satisfy privacy constraints", KDD 2002): per field, the mean over all rows of the share of the
field's values that the row's group holds, a suppressed row counting 1, scaled so that a single value costs 0; over the
fields, the geometric mean of (1 + loss), less 1. Sums of log(1 + loss) order nodes as that mean does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.generalising._limits import Limits, Verdict, judge
from curator.generalising._tuples import Tuples, compact, renumbered

Node = tuple[int, ...]
Floats = npt.NDArray[np.float64]

_CELLS = 4_000_000  # of the table that finds classes without sorting


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What looking at a node found.

    Attributes:
        suppressed: rows that would be left out.
        least: rows that must be left out here and at every finer node, at least.
        costs: per field and level up to the node's, log(1 + loss) with the suppressed rows of this node.
        bounds: the same with those that must go at any finer node; never above the costs of such a node.
    """

    suppressed: int
    least: float
    costs: list[Floats]
    bounds: list[Floats]


class Table:
    """The combinations, grouped at the finest levels that may still be chosen (the floor).

    Args:
        tuples: the combinations.
        limits: what classes must hold.
    """

    def __init__(self, tuples: Tuples, limits: Limits) -> None:
        self._limits, self._tuples = limits, tuples
        self.total = tuples.total
        self.floor: Node = (0,) * len(tuples.hierarchies)
        self._codes, self._rows, self._sensitive = tuples.codes, tuples.rows, tuples.sensitive
        self._people = tuples.people
        if not limits.needs_sensitive:
            self._sensitive = None
        self._everybody = None
        if tuples.sensitive is not None:
            self._everybody = np.bincount(tuples.sensitive, tuples.rows, minlength=tuples.values)
        self._cells = np.zeros(_CELLS, np.int32)
        self._leaves = [hierarchy.codes.shape[1] for hierarchy in tuples.hierarchies]
        self._ups = [hierarchy.codes for hierarchy in tuples.hierarchies]
        self._shares = [hierarchy.shares() for hierarchy in tuples.hierarchies]
        self._settle()

    @property
    def combinations(self) -> int:
        """Combinations at the floor."""
        return len(self._rows)

    def lift(self, floor: Node) -> None:
        """Group again at a coarser floor: no node below it is asked for any more."""
        if floor == self.floor:
            return
        columns, ups, shares = [], [], []
        for place, (level, codes) in enumerate(zip(floor, self._codes, strict=True)):
            low = self.floor[place]
            here = self._ups[place][level - low]
            columns.append(here[codes])
            first = np.unique(here, return_index=True)[1]
            ups.append(self._ups[place][level - low :, first])
            shares.append(self._shares[place][level - low :, first])
        extra = [] if self._sensitive is None else [self._sensitive]
        sizes = [up.shape[1] for up in ups] + [self._tuples.values] * len(extra)
        code, _ = compact([*columns, *extra], sizes)
        _, first, places = np.unique(code, return_index=True, return_inverse=True)
        self._codes = np.stack([column[first] for column in columns])
        self._rows = np.bincount(places, self._rows).astype(np.int64)
        self._sensitive = None if self._sensitive is None else self._sensitive[first]
        self._people = self._people.regrouped(places, count=len(first)) if self._people else None
        self._ups, self._shares, self.floor = ups, shares, floor
        self._settle()

    def costs(self) -> list[Floats]:
        """Per field and level: log(1 + loss) when nobody is suppressed."""
        return self._logs(self._sums(self._histogram, 0.0), down=self.floor)

    def look(self, node: Node, *, allowed: float) -> Seen:
        """Group at a node and judge its classes; costs are left out when more rows must go than are allowed."""
        classes, count = self._classes(node)
        rows, verdict = self._judged(classes, count)
        left_out = float(rows[~verdict.sound].sum())
        least = float((rows * verdict.must_go).sum())
        if least > allowed:
            return Seen(suppressed=round(left_out), least=least, costs=[], bounds=[])
        costs = self._logs(self._sums(self._kept(verdict.sound[classes]), left_out), down=self.floor)
        if bool((verdict.must_go == ~verdict.sound).all()):
            bounds = costs
        else:
            bounds = self._bounds(node, classes=classes, verdict=verdict, rows=rows)
        return Seen(suppressed=round(left_out), least=least, costs=costs, bounds=bounds)

    def kept(self, node: Node) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Class of each combination of the floor at a node, and whether it stays."""
        classes, count = self._classes(node)
        _, verdict = self._judged(classes, count)
        return classes, verdict.sound[classes]

    # ---- grouping ----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """What depends on the floor: offsets for one histogram over all fields, levels packed for fast codes."""
        widths = [up.shape[1] for up in self._ups]
        self._offsets = np.cumsum([0, *widths])
        self._shifted = (self._codes + self._offsets[:-1, None]).astype(np.intp)
        self._histogram = self._histogram_of(slice(None))
        self._at = [
            [up[codes].astype(np.int32) for up in ups] for ups, codes in zip(self._ups, self._codes, strict=True)
        ]
        self._sizes = [[int(up.max(initial=0)) + 1 for up in ups] for ups in self._ups]
        self._order = np.arange(len(self._rows), dtype=np.int32)

    def _classes(self, node: Node) -> tuple[npt.NDArray[Any], int]:
        """The class of each combination, and a bound above every class number."""
        code: npt.NDArray[Any] = np.zeros(len(self._rows), np.int32)
        bound = 1
        for place, level in enumerate(node):
            at = level - self.floor[place]
            size = self._sizes[place][at]
            if size == 1:
                continue
            if bound * size > _CELLS:
                code, bound = self._packed(code) if bound <= _CELLS else renumbered(code)
            if bound * size > _CELLS:
                code, bound = code.astype(np.int64) * size + self._at[place][at], bound * size
                code, bound = renumbered(code)
            else:
                code, bound = code * np.int32(size) + self._at[place][at], bound * size
        return self._packed(code) if bound > 4 * len(code) else (code, bound)

    def _packed(self, code: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int]:
        """Classes numbered without holes, without a sort: the last row that wrote a cell speaks for its class."""
        self._cells[code] = self._order
        speaker = self._cells[code]
        first = speaker == self._order
        numbers = np.cumsum(first, dtype=np.int32) - 1
        return numbers[speaker].astype(np.int32), int(numbers[-1]) + 1

    def _judged(self, classes: npt.NDArray[Any], count: int) -> tuple[npt.NDArray[Any], Verdict]:
        """Rows of each class, and the verdict."""
        rows = np.bincount(classes, self._rows, minlength=count)
        k = self._limits.k
        alike = rows if self._people is None else self._people.per_class(classes, count=count, enough=k)
        enough = np.flatnonzero(alike >= k)
        table = self._by_sensitive(classes, enough, count=count)
        everybody, hollow = self._everybody, self._tuples.hollow
        return rows, judge(
            self._limits, rows, enough=enough, everybody=everybody, table=table, hollow=hollow
        )  # fmt: skip

    def _by_sensitive(self, classes: npt.NDArray[Any], enough: npt.NDArray[Any], *, count: int) -> Any:
        """Rows by sensitive value of the classes that hold enough rows."""
        if self._sensitive is None:
            return None
        values, number = self._tuples.values, np.full(count, -1)
        number[enough] = np.arange(len(enough))
        places = number[classes]
        inside = np.flatnonzero(places >= 0)
        cells = places[inside] * values + self._sensitive[inside]
        table = np.bincount(cells, self._rows[inside], minlength=len(enough) * values)
        return table.reshape(len(enough), values)

    # ---- what it costs -----------------------------------------------------------------------------------------------

    def _histogram_of(self, chosen: Any) -> Floats:
        """Rows of each value of each field, of some combinations."""
        places = self._shifted[:, chosen]
        rows = np.broadcast_to(self._rows[chosen], places.shape)
        counted = np.bincount(places.ravel(), rows.ravel(), minlength=int(self._offsets[-1]))
        return np.asarray(counted, np.float64)

    def _kept(self, stays: npt.NDArray[np.bool_]) -> Floats:
        """Histogram of the combinations that stay, from the smaller side."""
        gone = np.flatnonzero(~stays)
        if 2 * len(gone) < len(stays):
            return self._histogram - self._histogram_of(gone)
        return self._histogram_of(np.flatnonzero(stays))

    def _sums(self, histogram: Floats, suppressed: float) -> list[Floats]:
        """Per field and level from the floor up: the sum of the shares of the rows, suppressed ones counting 1."""
        spans = zip(self._shares, self._offsets, self._offsets[1:], strict=False)
        return [shares @ histogram[start:stop] + suppressed for shares, start, stop in spans]

    def _logs(self, sums: list[Floats], *, down: Node) -> list[Floats]:
        """log(1 + loss) per field and level; levels below the floor, which nobody asks for, hold infinity."""
        logs = []
        for total, leaves, low in zip(sums, self._leaves, down, strict=True):
            least = 1 / leaves
            loss = (total / self.total - least) / (1 - least) if leaves > 1 else np.zeros(len(total))
            logs.append(np.concatenate([np.full(low, np.inf), np.log1p(np.maximum(loss, 0.0))]))
        return logs

    def _bounds(
        self, node: Node, *, classes: npt.NDArray[Any], verdict: Verdict, rows: npt.NDArray[Any]
    ) -> list[Floats]:
        """Where only a share of a class must go, it goes at least at the price of the class's own groups."""
        whole = verdict.must_go >= 1
        gone = float(rows[whole].sum())
        sums = self._sums(self._kept(~whole[classes]), gone)
        part = np.where(whole, 0.0, verdict.must_go)[classes] * self._rows
        for place, level in enumerate(node):
            share = self._shares[place][level - self.floor[place]][self._codes[place]]
            sums[place] = sums[place] + float((part * (1 - share)).sum())
        return self._logs(sums, down=self.floor)


def lattice(per_field: list[Floats]) -> Floats:
    """The sum over the fields, for every node."""
    return reduce(lambda total, field: total[..., None] + field, per_field[1:], per_field[0])
