"""The tally of masks counts as a loop over rows does, over any number of bits and batches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.samples import CheckedSample, Tally
from curator.samples._checked import Bit

BITS = 67  # three mask columns, the last hardly used


def checked(rejecting: set[int], count: int) -> CheckedSample:
    bits = tuple(Bit(name=f"b{place}", sql="false", rejects=place in rejecting) for place in range(count))
    suite = SimpleNamespace(rows=(), uniques=())
    return CheckedSample(sample=cast(Any, None), suite=cast(Any, suite), bits=bits)


def masks(rows: list[set[int]], count: int) -> list[np.ndarray[Any, np.dtype[np.int32]]]:
    """Rows as the engine gives them: bit 30 n + i of a row is bit i of column n."""
    columns = -(-count // 30)
    return [
        np.array([sum(1 << bit % 30 for bit in row if bit // 30 == column) for row in rows], np.int32)
        for column in range(columns)
    ]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([0, 1, 29, 30, 31, 60, BITS]).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.sets(st.integers(0, max(count - 1, 0))) if count else st.just(set()),
            st.lists(
                st.lists(st.sets(st.integers(0, count - 1), max_size=3) if count else st.just(set()), max_size=12),
                max_size=4,
            ),
        )
    )
)
def test_the_tally_equals_a_loop(drawn: tuple[int, set[int], list[list[set[int]]]]) -> None:
    count, rejecting, batches = drawn
    sample = checked(rejecting, count)
    tally = Tally(sample)
    kept = 0
    for rows in batches:
        made = masks(rows, count)
        tally.add(made, len(rows))
        accepted = sample.accepted(made, len(rows))
        assert accepted.tolist() == [not row & rejecting for row in rows]
        kept += int(accepted.sum())
    rows = [row for batch in batches for row in batch]
    counts = tally.counts()
    assert (counts.rows, counts.rejected) == (len(rows), len(rows) - kept)
    first = [min(row & rejecting) for row in rows if row & rejecting]
    assert tally.by_reason() == {f"b{bit}": first.count(bit) for bit in set(first)}
    for bit in range(count):
        assert counts.unexpected.get(f"b{bit}", 0) == sum(bit in row for row in rows)
