"""Classes counted batch by batch are the classes a plain dictionary counts; codes follow values, not places."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.anonymity import ClassCoder, ClassCounter, ClassLimits, _counter, _tallies, members

KEY = bytes(range(32))
CELLS = st.one_of(st.none(), st.sampled_from(["", "a", "b", "é", "null", "0"]))
NUMBERS = st.one_of(st.none(), st.integers(-2, 2))
ROWS = st.lists(st.tuples(CELLS, NUMBERS, NUMBERS), max_size=60)


def batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.int64(), pa.int64())
    return pa.record_batch([pa.array(cells, kind) for cells, kind in zip(columns, types, strict=True)], ["a", "b", "s"])


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, max_size=5), st.integers(1, 6), st.integers(1, 4), st.sampled_from([0, 2, 64]))
def test_the_counter_equals_a_dictionary(parts: list[list[Any]], k: int, diversity: int, few: int) -> None:
    """Also when values are many, and when they become many on the way."""
    coder, counter = ClassCoder(KEY, ["a", "b"]), ClassCounter()
    rows: Counter[Any] = Counter()
    values: dict[Any, set[Any]] = defaultdict(set)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_counter, "_FEW_VALUES", few)
        patch.setattr(_tallies, "_COMPACT", 7)
        for part in parts:
            made = batch(part)
            counter.add(coder.codes(made), coder.value_codes(made["s"]))
            for a, b, s in part:
                rows[a, b] += 1
                values[a, b] |= {s} - {None}
        short = {key for key, count in rows.items() if count < k or len(values[key]) < diversity}
        codes, held = counter.failing(ClassLimits(k=k, l=diversity))
        assert counter.failing(ClassLimits(k=k, l=diversity))[1] == held, "asked twice"
    assert sorted(counter.classes()[1].tolist()) == sorted(rows.values())
    assert held == sum(rows[key] for key in short)
    assert len(codes) == len(short)
    wanted = batch([(a, b, None) for a, b in short])
    assert set(codes.tolist()) == set(coder.codes(wanted).tolist())


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_codes_follow_values_alone(rows: list[Any]) -> None:
    coder = ClassCoder(KEY, ["a", "b"])
    codes = coder.codes(batch(rows)).tolist()
    assert coder.codes(batch(rows[::-1])).tolist() == codes[::-1]
    assert [coder.codes(batch([row]))[0] for row in rows] == codes
    assert len(set(codes)) == len({row[:2] for row in rows})


def test_places_and_keys_matter() -> None:
    same = pa.record_batch([pa.array(["x", "y"]), pa.array(["y", "x"])], ["a", "b"])
    codes = ClassCoder(KEY, ["a", "b"]).codes(same)
    assert codes[0] != codes[1]
    assert codes[0] != ClassCoder(KEY[::-1], ["a", "b"]).codes(same)[0]
    assert codes[0] == ClassCoder(KEY, ["b", "a"]).codes(same)[1]


def test_a_slice_and_a_dictionary_have_the_codes_of_their_values() -> None:
    plain = pa.array(["x", None, "y", "x"])
    coder = ClassCoder(KEY, [])
    wanted = coder.value_codes(plain).tolist()
    assert coder.value_codes(plain.dictionary_encode()).tolist() == wanted
    assert coder.value_codes(plain.slice(1)).tolist() == wanted[1:]
    assert coder.value_codes(pa.chunked_array([plain.slice(0, 2), plain.slice(2)])).tolist() == wanted


def test_no_row_and_no_quasi_identifier() -> None:
    assert ClassCounter().failing(ClassLimits(k=5, l=2))[1] == 0
    counter = ClassCounter()
    counter.add(ClassCoder(KEY, []).codes(batch([("a", 1, 1)] * 3)))
    assert counter.classes()[1].tolist() == [3]


@given(st.lists(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_members_is_membership(codes: list[int], among: set[int]) -> None:
    found = members(np.array(codes, np.uint64), np.array(sorted(among), np.uint64))
    assert found.tolist() == [code in among for code in codes]


def test_many_sensitive_values_cost_little() -> None:
    rng = np.random.default_rng(1)
    counter = ClassCounter()
    for _ in range(5):
        counter.add(
            rng.integers(0, 1_000, 100_000).astype(np.uint64), rng.integers(0, 1 << 40, 100_000).astype(np.uint64)
        )
    assert len(counter._values) == 0
    assert counter.failing(ClassLimits(k=1, l=300))[1] == 0
