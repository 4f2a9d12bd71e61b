"""The measures against their definitions, written out row by row; people counted, not rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.risk import (
    Roles,
    column_of,
    crowd_of,
    expose_files,
    exposure,
    measure,
    measure_files,
    table_columns,
    whose,
)

ROWS = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "é"]), st.sampled_from([0, 1, None]), st.sampled_from(["x", "y", "z", None]),
        st.sampled_from([None, 1, 2, 3, 4, 5]),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


def table(rows: list[tuple[object, ...]], names: str = "a b s who") -> pa.Table:
    kinds = {"a": pa.string(), "b": pa.int64(), "s": pa.string(), "who": pa.int64()}
    columns = zip(*rows, strict=True)
    return pa.table(
        {name: pa.array(list(column), kinds[name]) for name, column in zip(names.split(), columns, strict=True)}
    )


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_the_measures_follow_their_definitions(rows: list[tuple[object, ...]]) -> None:
    columns = table_columns(table(rows), ["a", "b", "s", "who"])
    found = measure([columns["a"], columns["b"]], sensitive=[columns["s"]], entity=columns["who"])
    classes, people = defaultdict(list), defaultdict(set)
    for place, (a, b, s, who) in enumerate(rows):
        classes[a, b].append(s)
        people[a, b].add(who if who is not None else ("alone", place))
    f = [len(group) for group in people.values()]
    assert (found.rows, found.classes, found.k) == (len(rows), len(classes), min(map(len, classes.values())))
    assert (found.k_persons, found.unique) == (min(f), f.count(1))
    assert found.persons == len({who if who is not None else ("alone", n) for n, (*_, who) in enumerate(rows)})
    assert found.hidden == len(classes.get((None, None), []))
    assert found.prosecutor.highest == pytest.approx(1 / min(f))
    assert found.prosecutor.mean == pytest.approx(len(f) / sum(f)) == pytest.approx(found.marketer)
    assert found.prosecutor.share == pytest.approx(sum(size for size in f if 1 / size > 0.09) / sum(f))
    assert sum(found.sizes.values()) == sum(f)
    everybody = Counter(s for *_, s, _ in rows if s is not None)
    ls, entropies, distances = [], [], []
    for group in classes.values():
        counts = Counter(value for value in group if value is not None)
        size = sum(counts.values())
        ls.append(len(counts))
        entropies.append(-sum(n / size * math.log(n / size) for n in counts.values()))
        if size:
            whole = sum(everybody.values())
            distances.append(sum(abs(counts[v] / size - n / whole) for v, n in everybody.items()) / 2)
    spread = found.diversity[0]
    assert spread.l == min(ls)
    assert spread.entropy_l == pytest.approx(math.exp(min(entropies)) if min(ls) else 0)
    assert spread.t == pytest.approx(max(distances, default=0))
    assert spread.distance == "equal"


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_every_combination_is_counted_in_people(rows: list[tuple[object, ...]]) -> None:
    columns = table_columns(table(rows), ["a", "b", "s", "who"])
    who = whose(columns["who"])
    found = exposure([columns[name] for name in "abs"], persons=who, share=0.0)
    counted = {item.columns: item.single for item in found.found}
    for size in (1, 2, 3):
        for places in combinations(range(3), size):
            people = defaultdict(set)
            for row, person in zip(rows, who.tolist(), strict=True):
                people[tuple(row[place] for place in places)].add(person)
            alone = {next(iter(group)) for group in people.values() if len(group) == 1}
            names = {"abs"[place] for place in places}
            smaller = any(set(item) < names for item in counted)
            told = next((single for item, single in counted.items() if set(item) == names), None)
            assert told == (len(alone) if alone and not smaller else None)


def test_five_rows_of_one_person_are_not_five_people() -> None:
    rows = table([("a", 0, "x", 1)] * 5 + [("b", 0, "y", n) for n in range(2, 7)])
    columns = table_columns(rows, rows.column_names)
    assert measure([columns["a"]]).k == 5
    found = measure([columns["a"]], entity=columns["who"])
    assert (found.k, found.k_persons, found.unique, found.most_rows) == (5, 1, 1, 5)
    assert found.prosecutor.highest == 1.0


def test_a_journalist_looks_in_the_population() -> None:
    sample, population = ["a", "a", "b"], ["a"] * 10 + ["b"] * 4
    joined = column_of("a", pa.array(sample + population))
    found = measure([column_of("a", pa.array(sample))], crowd=crowd_of([joined], rows=3))
    assert (found.prosecutor.highest, found.journalist.highest) == (1.0, 1 / 4)
    assert found.marketer == pytest.approx((2 / 10 + 1 / 4) / 3)


def test_files_of_any_number_and_type_read_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    whole = pa.table({
        "t": pa.array(rng.integers(0, 3, 900), pa.int8()),
        "f": pa.array(rng.choice([0.0, -0.0, 1.5, np.nan], 900)),
        "d": pa.array(rng.integers(0, 4, 900), pa.int32()).cast(pa.date32()),
        "flag": pa.array(rng.random(900) < 0.5),
        "token": pa.array([bytes([n % 250]) * 16 for n in range(900)], pa.binary(16)),
    })  # fmt: skip
    parts = [tmp_path / f"{n}.parquet" for n in range(3)]
    for n, part in enumerate(parts):
        parquet.write_table(whole.slice(n * 300, 300), part)
    roles = Roles(quasi=("t", "f", "d"), sensitive=("flag",), entity=("token",), other=("flag",), tokens=("token",))
    one = tmp_path / "one.parquet"
    parquet.write_table(whole, one)
    assert measure_files(parts, roles) == measure_files([one], roles) == measure_files(parts[::-1], roles)
    found = measure_files(parts, roles)
    assert found is not None
    assert (found.classes, found.persons) == (3 * 3 * 4, 250)  # 0.0 is -0.0, and NaN is a value
    assert expose_files(parts, roles).left_out == ("token",)


def test_undeclared_columns_that_single_people_out_are_named() -> None:
    rng = np.random.default_rng(5)
    rows = pa.table({
        "age": rng.integers(0, 8, 2000), "sex": rng.integers(0, 2, 2000), "weather": rng.integers(0, 3, 2000),
        "minute": rng.integers(0, 100_000, 2000), "x": rng.integers(0, 60, 2000), "y": rng.integers(0, 60, 2000),
    })  # fmt: skip
    found = exposure(list(table_columns(rows, rows.column_names).values()), declared=["age", "sex"])
    assert set(found.undeclared[:3]) == {"minute", "x", "y"}
    assert {item.columns for item in found.found if len(item.columns) == 1} == {("minute",)}
    assert found.tried == found.possible == 6 + 15 + 20
    assert next(iter(found.beside)) == "minute"


def test_a_spent_budget_is_told() -> None:
    rows = pa.table({f"c{n}": np.arange(100) % (n + 2) for n in range(8)})
    found = exposure(list(table_columns(rows, rows.column_names).values()), budget=1_000)
    assert 0 < found.tried < found.possible


def test_no_row_and_no_quasi_identifier() -> None:
    empty = table_columns(table([("a", 0, "x", 1)]).slice(0, 0), ["a", "s", "who"])
    found = measure([empty["a"]], sensitive=[empty["s"]], entity=empty["who"])
    assert (found.rows, found.k, found.k_persons, found.prosecutor.highest) == (0, 0, 0, 0.0)
    assert measure_files([], Roles(quasi=())) is None
