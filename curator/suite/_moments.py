"""Sums, means and standard deviations that are exact, so that no order of addition and no engine changes a digit.

A double is a whole number times a power of two. Numbers of one power are added as whole numbers, in parts so small that
the additions are exact; what is left are a few whole numbers of any length, which Python adds exactly. One rounding
comes at the very end (for a deviation two). The idea is that of a superaccumulator (Kulisch 1976; Neal 2015, "Fast
exact summation using small and large superaccumulators").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import from_integers, integers, without_chunks
from curator.suite._rules import FigureRule

EXACT = {"float": ("mean", "sum", "stdev"), "decimal": ("mean", "stdev"), "integer": ("stdev",)}
"""logical type -> figures that are taken this way; the others are exact in every engine."""

_DIGITS = 53  # bits of a double's fraction
_HALF = 27  # bits of a part: products of two parts are split again before they are added
_LOWEST = 1_126  # every double is a whole number times 2 ** -_LOWEST; its square times 2 ** -(2 * _LOWEST)
_MASK = np.int64((1 << _HALF) - 1)
_ROWS = 1 << 20  # rows whose parts are added as doubles: 2 ** (27 + 20) is far below 2 ** 53

_Whole = npt.NDArray[np.int64]


def exact_rules(rules: Iterable[FigureRule]) -> tuple[FigureRule, ...]:
    """The rules whose figure is taken here rather than by the engine's own sum."""
    return tuple(rule for rule in rules if rule.figure in EXACT.get(rule.type, ()))


@dataclass(frozen=True)
class Moments:
    """Exact sums of some doubles; sums of parts add up.

    Attributes:
        count: finite values.
        above, below: positive and negative infinities; NaN counts as null, like everywhere.
        total: their sum, times 2 ** 1126.
        squares: the sum of their squares, times 2 ** 2252; 0 where nobody asks.
    """

    count: int = 0
    above: int = 0
    below: int = 0
    total: int = 0
    squares: int = 0

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(one + more for one, more in zip(vars(self).values(), vars(other).values(), strict=True)))

    def figure(self, kind: str) -> float | None:
        """The `sum`, `mean` or `stdev` (of a sample, n - 1), rounded once; None when there are too few values.

        With infinities a sum or mean is what IEEE 754 makes of them, a deviation NaN, as in pandas.
        """
        values = self.count + self.above + self.below
        if kind == "stdev":
            return None if values < 2 else self._deviation()
        if kind == "mean" and not values:
            return None
        if self.above or self.below:
            return math.nan if self.above and self.below else math.copysign(math.inf, self.above - 0.5)
        return _rounded(self.total, (self.count if kind == "mean" else 1) << _LOWEST)

    def _deviation(self) -> float:
        if self.above or self.below:
            return math.nan
        spread = self.count * self.squares - self.total * self.total
        return math.sqrt(_rounded(spread, (self.count * (self.count - 1)) << (2 * _LOWEST)))


def moments(values: pa.Array, *, squares: bool) -> Moments:
    """The exact sums of an array of numbers; nulls and NaN are looked past.

    Args:
        values: of doubles, or anything that Arrow casts to them.
        squares: whether squares are added too.
    """
    plain = pc.cast(without_chunks(values), pa.float64(), safe=False).drop_null()
    numbers = np.frombuffer(plain.buffers()[1] or b"", np.float64)[plain.offset : plain.offset + len(plain)]
    found = Moments()
    for start in range(0, len(numbers), _ROWS):
        found += _summed(numbers[start : start + _ROWS], squares=squares)
    return found


def _summed(numbers: npt.NDArray[np.float64], *, squares: bool) -> Moments:
    above, below = int((numbers == np.inf).sum()), int((numbers == -np.inf).sum())
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Moments(0, above, below)
    fractions, powers = np.frexp(numbers)
    whole = (fractions * (1 << _DIGITS)).astype(np.int64)  # exact: the fraction has 53 bits
    lowest = int(powers.min())
    bins, shift = (powers - lowest).astype(np.int64), lowest - _DIGITS + _LOWEST
    total = _added(bins, ((whole >> _HALF, _HALF), (whole & _MASK, 0)), step=1) << shift
    return Moments(len(numbers), above, below, total, _squared(bins, np.abs(whole)) << (2 * shift) if squares else 0)


def _squared(bins: _Whole, whole: _Whole) -> int:
    high, low = whole >> _HALF, whole & _MASK
    parts = []
    for product, place in ((high * high, 2 * _HALF), (high * low, _HALF + 1), (low * low, 0)):
        parts += [(product >> _HALF, place + _HALF), (product & _MASK, place)]
    return _added(bins, parts, step=2)


def _added(bins: _Whole, parts: Iterable[tuple[_Whole, int]], *, step: int) -> int:
    """The sum of parts, each of so many bits to the left, every bin `step` bits further."""
    found = 0
    for part, place in parts:
        sums = np.bincount(bins, part)  # of whole numbers below 2 ** 53: exact
        for index in np.flatnonzero(sums).tolist():
            found += int(sums[index]) << (place + step * index)
    return found


def _rounded(top: int, bottom: int) -> float:
    """The double nearest to a fraction (Python rounds such a division once)."""
    try:
        return top / bottom
    except OverflowError:
        return math.inf if top > 0 else -math.inf


@dataclass(frozen=True, kw_only=True)
class MomentStep:
    """The exact sums of each column of a batch, as a small batch; runs where the rows are.

    Attributes:
        squares: for each column, whether squares are added too.
    """

    squares: tuple[bool, ...]

    def __call__(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch | None, ...]:
        """One row a column: its number, three counts, and two whole numbers as hexadecimal text."""
        found = [
            moments(column, squares=squares) for column, squares in zip(batch.columns, self.squares, strict=True)
        ]  # fmt: skip
        counts = np.array([(one.count, one.above, one.below) for one in found], np.int64).reshape(-1, 3)
        columns = [from_integers(np.ascontiguousarray(part), pa.int64()) for part in counts.T]
        columns += [_hexadecimal(one.total for one in found), _hexadecimal(one.squares for one in found)]
        return (pa.record_batch(columns, names=["count", "above", "below", "total", "squares"]),)


def told(batches: Iterable[pa.RecordBatch], *, columns: int) -> Sequence[Moments]:
    """The sums of all rows, column by column, from what `MomentStep` gave of each batch."""
    found = [Moments()] * columns
    for batch in batches:
        counts = [integers(batch.column(name)).tolist() for name in ("count", "above", "below")]
        sums = [[int(text, 16) for text in batch.column(name).to_pylist()] for name in ("total", "squares")]
        found = [one + Moments(*part) for one, part in zip(found, zip(*counts, *sums, strict=True), strict=True)]
    return found


def _hexadecimal(numbers: Iterator[int]) -> pa.Array:
    return pa.array([f"{number:x}" for number in numbers], pa.string())
