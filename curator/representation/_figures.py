"""The figures, from counts alone: divergence, standardised differences, dependence of what is missing.

Sources of the formulas: J. Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37 (1991);
P. C. Austin, "Balance diagnostics...", Statistics in Medicine 28 (2009), for the standardised difference of a share;
K. Pearson's chi-square test of independence with H. Cramér's V (Mathematical Methods of Statistics, 1946, 21.9); the
upper tail of its distribution by the series and the continued fraction of the incomplete gamma function (NIST Digital
Library of Mathematical Functions, 8.7.1 and 8.9.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_PRECISION, _STEPS, _TINY = 1e-15, 10_000, 1e-300


def divergence(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Jensen-Shannon divergence of two distributions, in bits: 0 when they are alike, 1 when they share no class.

    Args:
        first: counts of the classes on one side.
        second: counts of the same classes, in the same order, on the other.

    Returns:
        None when one of the two has no row.
    """
    rows, other_rows = sum(first), sum(second)
    if not rows or not other_rows:
        return None
    total = 0.0
    for count, other in zip(first, second, strict=True):
        p, q = count / rows, other / other_rows
        middle = (p + q) / 2
        total += sum(share * math.log2(share / middle) / 2 for share in (p, q) if share)
    return min(max(total, 0.0), 1.0)


def standardised_difference(count: int, rows: int, *, other: int, other_rows: int) -> float | None:
    """Difference of two shares over their pooled standard deviation; its sign says where the share is greater.

    Args:
        count: rows of the class in the population.
        rows: rows of all classes there.
        other: rows of the class among the rows kept.
        other_rows: rows of all classes among them.

    Returns:
        Positive when the rows kept have more of the class; None when a side has no row, or when the difference is
        infinite (all against none).
    """
    if not rows or not other_rows:
        return None
    p, q = count / rows, other / other_rows
    if p == q:
        return 0.0
    pooled = (p * (1 - p) + q * (1 - q)) / 2
    return (q - p) / math.sqrt(pooled) if pooled > 0 else None


def dependence(missing: Sequence[int], rows: Sequence[int]) -> tuple[float, float] | None:
    """Whether values are missing alike in all classes of another dimension: Cramér's V and the p-value.

    Args:
        missing: rows whose value is missing, by class.
        rows: all rows, by class.

    Returns:
        V from 0 (missing alike everywhere) to 1 (the class tells whether it is missing), and the probability of a
        chi-square at least as great if it were alike; None where nothing or everything is missing, or with one class.
    """
    kept = [(gone, all_) for gone, all_ in zip(missing, rows, strict=True) if all_]
    total, gone_total = sum(all_ for _, all_ in kept), sum(gone for gone, _ in kept)
    if len(kept) < 2 or not 0 < gone_total < total:
        return None
    chi = 0.0
    for gone, all_ in kept:
        for observed, whole in ((gone, gone_total), (all_ - gone, total - gone_total)):
            expected = all_ * whole / total
            chi += (observed - expected) ** 2 / expected
    return min(math.sqrt(chi / total), 1.0), chi_square_tail(chi, len(kept) - 1)


def chi_square_tail(value: float, degrees: int) -> float:
    """Probability that a chi-square variable is at least `value`: the regularised gamma function Q(degrees/2, value/2).

    Args:
        value: not negative.
        degrees: degrees of freedom, at least 1.
    """
    shape, x = degrees / 2, value / 2
    if x <= 0:  # also where half of it is too small to be told from nothing
        return 1.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        return max(0.0, 1.0 - scale * _series(shape, x))
    return min(1.0, scale * _continued_fraction(shape, x))


def _series(shape: float, x: float) -> float:
    """Sum of x^n / (shape (shape + 1) ... (shape + n))."""
    term = total = 1 / shape
    for step in range(1, _STEPS):
        term *= x / (shape + step)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _continued_fraction(shape: float, x: float) -> float:
    """1 / (x+1-a - 1(1-a) / (x+3-a - 2(2-a) / (x+5-a - ...))), evaluated forwards by Lentz's method."""
    below = x + 1 - shape
    ratio, value = 1 / _TINY, 1 / below
    inverse = value
    for step in range(1, _STEPS):
        factor = -step * (step - shape)
        below += 2
        inverse = 1 / _away_from_zero(factor * inverse + below)
        ratio = _away_from_zero(below + factor / ratio)
        change = ratio * inverse
        value *= change
        if abs(change - 1) < _PRECISION:
            break
    return value


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
