"""Exact sums: as fractions give them, whatever the order, the parts and the size of the numbers."""

from __future__ import annotations

import math
import random
import statistics
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.suite import Moments, MomentStep, moments, moments_told

NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=False, width=64), max_size=40)


def fractions(values: list[float]) -> list[Fraction]:
    return [Fraction(value) for value in values if not math.isnan(value)]


def nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@settings(deadline=None)
@given(NUMBERS)
def test_sums_and_means_are_those_of_fractions(values: list[float]) -> None:
    found, exact = moments(pa.array([None, *values], pa.float64()), squares=True), fractions(values)
    assert found.figure("sum") == nearest(sum(exact, Fraction()))
    assert found.figure("mean") == (nearest(sum(exact) / len(exact)) if exact else None)
    if len(exact) < 2:
        assert found.figure("stdev") is None
        return
    middle = sum(exact) / len(exact)
    spread = sum(((value - middle) ** 2 for value in exact), Fraction()) / (len(exact) - 1)
    assert found.figure("stdev") == math.sqrt(nearest(spread))


@settings(deadline=None)
@given(NUMBERS, st.randoms(use_true_random=False))
def test_neither_order_nor_parts_change_a_digit(values: list[float], chance: random.Random) -> None:
    whole = moments(pa.array(values, pa.float64()), squares=True)
    chance.shuffle(values)
    cut = chance.randint(0, len(values))
    step = MomentStep(squares=(True,))
    parts = [
        step(pa.record_batch([pa.array(part, pa.float64())], names=["x"]))[0] for part in (values[:cut], values[cut:])
    ]
    assert moments_told([part for part in parts if part is not None], columns=1) == [whole]


def test_many_rows_are_added_exactly() -> None:
    values = np.random.default_rng(5).standard_normal(3_000_000) * 1e8
    found = moments(pa.array(values), squares=True)
    assert found.figure("sum") == math.fsum(values)
    assert found.figure("stdev") == pytest.approx(values.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([math.inf, 1.0], (math.inf, math.inf)), ([-math.inf, 1.0], (-math.inf, -math.inf)),
     ([math.inf, -math.inf], (math.nan, math.nan)), ([], (0.0, None)), ([None, math.nan], (0.0, None)),
     ([5e-324, 5e-324], (1e-323, 5e-324)), ([1.7e308, 1.7e308], (math.inf, 1.7e308))],
)  # fmt: skip
def test_edges(values: list[float | None], wanted: tuple[float, float | None]) -> None:
    found = moments(pa.array(values, pa.float64()), squares=True)
    assert repr((found.figure("sum"), found.figure("mean"))) == repr(wanted)
    if any(value is not None and math.isinf(value) for value in values):
        assert math.isnan(found.figure("stdev") or 0.0)


def test_sums_add_up() -> None:
    assert Moments(1, 0, 1, 5, 7) + Moments(2, 1, 0, -9, 1) == Moments(3, 1, 1, -4, 8)


def test_other_numbers_are_read_as_doubles() -> None:
    decimals = pa.chunked_array([pa.array(["0.10", "0.20", None]).cast(pa.decimal128(9, 2))])
    assert moments(decimals, squares=False).figure("sum") == math.fsum([0.1, 0.2])
    assert moments(pa.array([1, 2, 4]), squares=True).figure("stdev") == statistics.stdev([1, 2, 4])
