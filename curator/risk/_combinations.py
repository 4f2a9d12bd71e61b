"""Every small combination of columns, and how many people it singles out: quasi-identifiers nobody declared.

A column is harmless alone and a name beside two others. All combinations of one, two and three columns are tried in a
fixed order until a budget of rows looked at is spent; what was left out is told. A combination is *found* when it
singles out more than a share of the people, and only the smallest are named: what contains one tells nothing new.

People are counted where the table says who a row is about: a class counts as single when all of its rows are one
person's. Whether they are is told by a random 16-bit number of each person: a class is one person's when the numbers'
sum s, sum of squares q and count n satisfy n q = s^2 (equality in Cauchy and Schwarz). Two people of one class share a
number with probability 2^-16, which could only make the figure a hair too dark, never too bright.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.arrow import distinct
from curator.risk._columns import Column, Numbers, dense, together

BUDGET = 400_000_000  # rows looked at: some ten seconds of one core
SHARE = 0.05
LARGEST = 3
_NAMED = 50  # combinations told at most
_DIRECT = 1 << 22  # numbers counted in a table; more are sorted first
_SORT = 8  # what sorting costs, in rows looked at


@dataclass(frozen=True, kw_only=True)
class Combination:
    """Columns that single people out together.

    Attributes:
        columns: their names.
        single: people (rows, where people are not told apart) alone with their values.
        share: of all people, 0 to 1.
    """

    columns: tuple[str, ...]
    single: int
    share: float


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What every small combination of columns gives away.

    Attributes:
        tried, possible: combinations looked at, and in all.
        left_out: columns that are not looked at, such as tokens, which nobody knows beforehand.
        share: share of people singled out above which a combination is told.
        found: the smallest such combinations, worst first.
        more: how many more there are.
        undeclared: columns of those combinations that the spec does not declare as quasi-identifiers, worst first.
        beside: column -> share of people singled out by the declared quasi-identifiers and this column together,
            for each undeclared column; greatest first.
    """

    tried: int
    possible: int
    left_out: tuple[str, ...]
    share: float
    found: tuple[Combination, ...]
    more: int
    undeclared: tuple[str, ...]
    beside: dict[str, float]

    def facts(self) -> dict[str, Any]:
        """The findings as JSON."""
        plain = {**vars(self), "left_out": list(self.left_out), "undeclared": list(self.undeclared)}
        return {**plain, "found": [{**vars(item), "columns": list(item.columns)} for item in self.found]}


def exposure(
    columns: Sequence[Column],
    *,
    declared: Sequence[str] = (),
    left_out: Sequence[str] = (),
    persons: npt.NDArray[np.int64] | None = None,
    share: float = SHARE,
    budget: int = BUDGET,
) -> Exposure:
    """Try every combination of one to three columns.

    Args:
        columns: the columns that somebody may know of a person.
        declared: names of those that are declared quasi-identifiers.
        left_out: names of columns left out, to be told.
        persons: whose each row is (`whose`), None when people are not told apart.
        share: share of people singled out above which a combination is told.
        budget: rows to look at; sorting counts eightfold.
    """
    counter = _Singles(persons, rows=len(columns[0].codes) if columns else 0)
    found: list[Combination] = []
    sizes = range(1, min(LARGEST, len(columns)) + 1)
    tried = 0
    for group in _ordered(columns, sizes):
        if budget <= 0:
            break
        tried += 1
        names = tuple(column.name for column in group)
        if any(set(item.columns) <= set(names) for item in found):
            continue  # what contains a found one is found too
        single, cost = counter.count(group)
        budget -= cost
        if counter.total and single / counter.total > share:
            found.append(Combination(columns=names, single=single, share=single / counter.total))
    found.sort(key=lambda item: (-item.share, len(item.columns), item.columns))
    possible = sum(_choose(len(columns), size) for size in sizes)
    return Exposure(
        tried=tried, possible=possible, left_out=tuple(left_out), share=share, found=tuple(found[:_NAMED]),
        more=max(len(found) - _NAMED, 0), undeclared=_undeclared(found, declared),
        beside=_beside(columns, declared, counter=counter),
    )  # fmt: skip


class _Singles:
    """Counts people who are alone with their values."""

    def __init__(self, persons: npt.NDArray[np.int64] | None, *, rows: int) -> None:
        self._marks: npt.NDArray[np.float64] | None = None
        self.total, self._most = rows, 1
        if persons is None or not rows:
            return
        per_person = np.bincount(persons)
        self.total, self._most = int((per_person > 0).sum()), int(per_person.max())
        if self._most > 1:
            drawn = np.random.default_rng(0).integers(1, 1 << 16, len(per_person))
            self._marks = drawn[persons].astype(np.float64)
            self._persons = persons

    def count(self, columns: Sequence[Column]) -> tuple[int, int]:
        """People alone with their values of these columns, and what looking cost."""
        codes, values = together(columns)
        rows = len(codes)
        if values > _DIRECT and self._marks is None:
            ordered = np.sort(codes)
            starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
            return int((np.diff(starts) == 1).sum()), rows * _SORT
        cost = rows
        if values > _DIRECT:
            codes, values = dense(codes, values=values)
            cost = rows * _SORT * 2
        counts = np.bincount(codes, minlength=values)
        if self._marks is None:
            return int((counts == 1).sum()), cost
        return self._persons_alone(codes, counts), cost * 3

    def _persons_alone(self, codes: Numbers, counts: Numbers) -> int:
        """People with a class of their own; somebody with two such classes is one person."""
        sums = np.bincount(codes, self._marks, minlength=len(counts))
        squares = np.bincount(codes, np.square(self._marks), minlength=len(counts))  # type: ignore[arg-type]
        alone = (counts > 0) & (counts <= self._most) & (counts * squares == np.square(sums))
        return len(distinct(self._persons[alone[codes]]))


def _ordered(columns: Sequence[Column], sizes: Iterable[int]) -> Iterator[tuple[Column, ...]]:
    """Small combinations first, and among them those of columns with many values."""
    ranked = sorted(columns, key=lambda column: (-column.values, column.name))
    for size in sizes:
        yield from combinations(ranked, size)


def _undeclared(found: Sequence[Combination], declared: Sequence[str]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for item in found:
        names |= {name: None for name in item.columns if name not in declared}
    return tuple(names)


def _beside(columns: Sequence[Column], declared: Sequence[str], *, counter: _Singles) -> dict[str, float]:
    known = [column for column in columns if column.name in declared]
    if not known or not counter.total:
        return {}
    codes, values = together(known)
    whole, count = dense(codes, values=values)
    base = Column(name="declared", codes=whole, values=count, nulls=0, ordered=False)
    shares = {
        column.name: counter.count([base, column])[0] / counter.total
        for column in columns
        if column.name not in declared
    }
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def _choose(total: int, size: int) -> int:
    found = 1
    for place in range(size):
        found = found * (total - place) // (place + 1)
    return found
