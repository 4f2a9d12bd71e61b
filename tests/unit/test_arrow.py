"""Distinct numbers and runs of equal ones, held to numpy's own slower way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from curator.arrow import distinct, runs

some = st.sampled_from([np.uint64, np.int64, np.uint8]).flatmap(
    lambda kind: arrays.arrays(kind, st.integers(0, 50), elements=st.integers(0, 9))
)


@given(some)
def test_distinct_numbers_are_those_of_numpy(values: np.ndarray[Any, Any]) -> None:
    found = distinct(values)
    assert found.dtype == values.dtype
    assert found.tolist() == np.unique(values).tolist()


@given(some)
def test_runs_bring_equal_numbers_together(values: np.ndarray[Any, Any]) -> None:
    order, first = runs(values)
    assert sorted(order.tolist()) == list(range(len(values)))
    assert values[order].tolist() == sorted(values.tolist())
    wanted, counts = np.unique(values, return_counts=True)
    assert values[order[first]].tolist() == wanted.tolist()
    assert np.diff([*first, len(values)]).tolist() == counts.tolist()


@pytest.mark.parametrize("kind", [np.uint64, np.int64])
def test_the_ends_of_a_kind_are_numbers_like_others(kind: type) -> None:
    ends = np.array([np.iinfo(kind).max, np.iinfo(kind).min, np.iinfo(kind).max], kind)
    assert distinct(ends).tolist() == [np.iinfo(kind).min, np.iinfo(kind).max]
