"""Limits reached by leaving rows out and measured on the files: against plain Python, row by row."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from capital_world import empty_capital, write_spec
from coarsening_world import lay, people_by_class, spec, told
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.anonymity import ClassCoder, ClassCounter, ClassLimits, PeopleCounter, _counter, _people
from curator.arrow import integers
from curator.disclosure import _crowd, measure, person_codes, require
from curator.engines import open_engine
from curator.errors import DisclosureError, IntegrityError
from curator.spec import parse_use_case

KEY = bytes(range(32))
NOBODY = {"meaning": "Who.", "identifier": "direct", "protect": "drop"}
Row = tuple[Any, Any, Any]  # class, person, sensitive value


def distance(counts: Counter[Any], everybody: Counter[Any], *, ordered: bool) -> float:
    """Earth mover's distance of a class from everybody (Li et al. 2007, sections 4.1 and 4.2)."""
    rows, total = sum(counts.values()), sum(everybody.values())
    if not rows or not total:
        return 0.0
    values = sorted(everybody | counts)
    differences = [counts[value] / rows - everybody[value] / total for value in values]
    if not ordered:
        return sum(map(abs, differences)) / 2
    return sum(abs(sum(differences[: place + 1])) for place in range(len(values) - 1)) / max(len(values) - 1, 1)


def figures(rows: list[Row], *, ordered: bool = False) -> dict[Any, tuple[int, int, int, float, float]]:
    """Rows, people, distinct values, exp of their entropy, distance, of each class."""
    held: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        held[row[0]].append(row)
    everybody = Counter(row[2] for row in rows if row[2] is not None)
    found = {}
    for key, inside in held.items():
        counts = Counter(row[2] for row in inside if row[2] is not None)
        known = sum(counts.values())
        entropy = -sum(count / known * math.log(count / known) for count in counts.values())
        people = len({row[1] for row in inside if row[1] is not None}) + sum(row[1] is None for row in inside)
        far = distance(counts, everybody, ordered=ordered)
        found[key] = len(inside), people, len(counts), math.exp(entropy) if known else 0.0, far
    return found


def left_out(rows: list[Row], limits: ClassLimits) -> set[Any]:
    """Classes that must go; what all rows look like is taken anew after each class that goes."""
    gone: set[Any] = set()
    while True:
        stays = [row for row in rows if row[0] not in gone]
        found = figures(stays, ordered=limits.distance == "ordered")
        short = {
            key
            for key, (_, people, distinct, diversity, far) in found.items()
            if people < limits.k
            or (limits.l is not None and distinct < limits.l)
            or (limits.entropy_l is not None and diversity < limits.entropy_l - 1e-12)
        }
        if not short and limits.t is not None:
            farthest = max((figure[4] for figure in found.values()), default=0.0)
            if farthest > limits.t + 2e-12:  # the farther half goes first
                short = {key for key, figure in found.items() if figure[4] > (limits.t + farthest) / 2 + 1e-12}
        if not short:
            return gone
        gone |= short


rows_drawn = st.lists(
    st.tuples(st.integers(0, 4), st.none() | st.integers(0, 9), st.none() | st.integers(0, 3)), max_size=60
)
limits_drawn = st.builds(
    ClassLimits,
    k=st.integers(1, 4),
    l=st.none() | st.integers(2, 3),
    entropy_l=st.none() | st.floats(1.1, 2.9),
    t=st.none() | st.floats(0.05, 0.9),
    distance=st.sampled_from(["equal", "ordered"]),
)


@settings(max_examples=150, deadline=None)
@given(rows_drawn, limits_drawn, st.sampled_from([0, 64]), st.integers(1, 5))
@example([(0, 1, 1), (0, 1, 2), (0, 1, 1)], ClassLimits(k=2), 64, 1)
def test_the_classes_left_out_are_those_of_plain_python(
    rows: list[Row], limits: ClassLimits, few: int, parts: int
) -> None:
    coder, counter = ClassCoder(KEY, ["class"]), ClassCounter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_counter, "_FEW_VALUES", few)
        patch.setattr(_people, "_OPEN", 7)
        people = counter.count_people(limits.k)
        seen = 0
        for part in np.array_split(np.arange(len(rows)), parts):
            classes, persons, values = zip(*(rows[place] for place in part), strict=True) if len(part) else ((), (), ())
            batch = pa.record_batch(
                [pa.array(classes, pa.int64()), pa.array(persons, pa.int64()), pa.array(values, pa.int64())],
                ["class", "person", "value"],
            )
            codes = coder.codes(batch)
            counter.add(codes, coder.value_codes(batch["value"]))
            known = integers(batch["person"].is_valid().cast(pa.uint8())) == 1
            alone = np.arange(seen, seen + len(batch), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            people.add(codes, np.where(known, person_codes(batch, ["person"], coder=coder), alone))
            seen += len(batch)
        order = dict(zip(coder.value_codes(pa.array(range(4))).tolist(), range(4), strict=True))
        codes, held = counter.failing(limits, order=order)
        assert counter.failing(limits, order=order)[1] == held, "asked twice"
    wanted = left_out(rows, limits)
    named = coder.codes(pa.record_batch([pa.array(sorted(wanted), pa.int64())], ["class"]))
    assert set(codes.tolist()) == set(named.tolist())
    assert held == sum(row[0] in wanted for row in rows)


@settings(max_examples=60, deadline=None)
@given(rows_drawn, st.integers(1, 6))
def test_people_are_counted_exactly_up_to_the_cap(rows: list[Row], cap: int) -> None:
    counter = PeopleCounter(cap)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_people, "_OPEN", 5)
        for start in range(0, len(rows), 9):
            part = [row for row in rows[start : start + 9] if row[1] is not None]
            counter.add(np.array([row[0] for row in part], np.uint64), np.array([row[1] for row in part], np.uint64))
        codes, people = counter.counts()
    wanted: dict[int, set[Any]] = defaultdict(set)
    for row in rows:
        if row[1] is not None:
            wanted[row[0]].add(row[1])
    found = dict(zip(codes.tolist(), people.tolist(), strict=True))
    assert found == {key: min(len(persons), cap) for key, persons in wanted.items()}


# ---- the files -------------------------------------------------------------------------------------------------------


def written(folder: Path, rows: list[Row], **limits: Any) -> Any:
    """What `measure` says of two shards of these rows."""
    value = spec(**{"k": 1, **limits})
    del value["disclosure"]["search"]
    value["fields"] = {
        "person": value["fields"]["person"],
        "age": {"meaning": "Age.", "identifier": "quasi"},
        "late": {"meaning": "Late.", "identifier": "sensitive"},
    }
    for source in value["sources"].values():
        source["columns"]["late"] = "integer"  # as it is written below
    use_case = parse_use_case(json.dumps(value))
    files = []
    for number, part in enumerate((rows[::2], rows[1::2])):
        tokens = [None if row[1] is None else row[1].to_bytes(2, "big") * 8 for row in part]
        table = pa.table({
            "person": pa.array(tokens, pa.binary(16)), "age": pa.array([row[0] for row in part], pa.int64()),
            "late": pa.array([row[2] for row in part], pa.int64()),
        })  # fmt: skip
        files.append(folder / f"{number}.parquet")
        pq.write_table(table, files[-1])
    engine = open_engine("duckdb", scratch=folder)
    try:
        return use_case, measure(engine, use_case, files=files)
    finally:
        engine.close()


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_measure_of_the_files_is_that_of_plain_python(tmp_path: Path, seed: int, ordered: bool) -> None:
    rng = np.random.default_rng(seed)
    rows: list[Row] = [
        (int(rng.integers(0, 9)), None if rng.random() < 0.05 else int(rng.integers(1, 60)),
         None if rng.random() < 0.1 else int(rng.integers(0, 5)))
        for _ in range(700)
    ]  # fmt: skip
    limit = {"column": "late", "value": 0.99, "distance": "ordered" if ordered else "equal"}
    _, found = written(tmp_path, rows, t=limit)
    wanted = figures(rows, ordered=ordered)
    assert (found.rows, found.classes, found.people) == (700, len(wanted), "files")
    assert found.k == min(figure[0] for figure in wanted.values())
    assert found.k_persons == min(figure[1] for figure in wanted.values())
    assert found.l == min(figure[2] for figure in wanted.values())
    assert found.entropy_l == pytest.approx(min(figure[3] for figure in wanted.values()), abs=1e-8)
    assert found.t == pytest.approx(max(figure[4] for figure in wanted.values()), abs=1e-8)


def test_the_smallest_class_is_counted_to_its_end_when_none_is_small(tmp_path: Path) -> None:
    rows: list[Row] = [(age, person, 0) for age in (1, 2) for person in range(1, 2_000 + age)]
    assert written(tmp_path, rows)[1].k_persons == 2_000


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"k": 3}, "k = 2 people"),
        ({"l": {"column": "late", "value": 3}}, "l = 2"),
        ({"entropy_l": {"column": "late", "value": 1.999}}, "entropy l = 1.890"),
        ({"t": {"column": "late", "value": 0.05}}, "t = 0.1667"),
    ],
)
def test_files_that_do_not_hold_a_promise_are_refused(tmp_path: Path, limits: dict[str, Any], told: str) -> None:
    """Two people with three rows each way: 2 of 3 late in one class, 1 of 3 in the other."""
    rows = [(1, 1, 0), (1, 1, 0), (1, 2, 1), (2, 3, 0), (2, 4, 1), (2, 4, 1)]
    use_case, found = written(tmp_path, rows, **limits)
    with pytest.raises(DisclosureError, match="disclosure-measured") as caught:
        require(use_case, found)
    assert told in str(caught.value.found)


def test_two_classes_under_one_code_are_coded_anew_and_never_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[Row] = [(age, person, 0) for age in (1, 2) for person in ([1, 2, 3] if age == 1 else [4])]
    plain = ClassCoder.codes
    tried: list[int] = []

    def alike(self: ClassCoder, batch: pa.RecordBatch) -> Any:
        tried.append(1)
        return np.zeros(len(batch), np.uint64) if len(tried) <= blind else plain(self, batch)

    monkeypatch.setattr(ClassCoder, "codes", alike)
    blind = 2  # both shards under the first key
    assert written(tmp_path, rows)[1].k_persons == 1
    blind = 1_000
    with pytest.raises(IntegrityError, match="classes-coded-alike"):
        written(tmp_path, rows)


# ---- a version -------------------------------------------------------------------------------------------------------


def plain(**disclosure: Any) -> dict[str, Any]:
    value = spec(**disclosure)
    del value["disclosure"]["search"]
    value["fields"]["age"] |= {"protect": "generalise", "value": "band(age, 20)"}
    value["fields"]["town"] |= {"protect": "drop"}
    return value


def late_by_class(version: Any) -> dict[Any, Counter[Any]]:
    found: dict[Any, Counter[Any]] = defaultdict(Counter)
    for path in sorted(version.folder.rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            found[row["age"], row["job"]][row["late"]] += 1
    return found


def test_entropy_and_closeness_are_reached_by_leaving_rows_out(tmp_path: Path) -> None:
    """Bakers are nearly always late: their classes tell too much, and go."""
    lay(tmp_path)
    table = pq.read_table(tmp_path / "visits.parquet")
    jobs, visits = table["job"].to_pylist(), table["visit"].to_pylist()
    late = ["y" if job == "baker" and visit % 40 else "ny"[visit % 2] for job, visit in zip(jobs, visits, strict=True)]
    column = table.schema.get_field_index("late")
    pq.write_table(table.set_column(column, "late", pa.array(late)), tmp_path / "visits.parquet")
    capital = empty_capital(tmp_path / "capital")
    entropy = {"k": 5, "suppress": 0.5, "entropy_l": {"column": "late", "value": 1.5}}
    close = {"k": 5, "suppress": 0.5, "t": {"column": "late", "value": 0.25}}
    for number, limits in enumerate((entropy, close)):
        version = capital.curate(write_spec(tmp_path, {**plain(**limits), "version": f"1.{number}.0"}))
        facts, held = told(version), late_by_class(version)
        assert facts["suppressed"] > 0
        assert "baker" not in {job for _, job in held}
        rows = [(key, None, value) for key, counts in held.items() for value in counts.elements()]
        found = figures(rows)
        assert facts["entropy_l"] == pytest.approx(min(figure[3] for figure in found.values()), abs=1e-8)
        assert facts["t"] == pytest.approx(max(figure[4] for figure in found.values()), abs=1e-8)
    assert facts["t"] <= 0.25
    with pytest.raises(DisclosureError, match="too-rare") as caught:
        capital.curate(write_spec(tmp_path, {**plain(**{**close, "suppress": 0.01}), "version": "1.2.0"}))
    assert "t <= 0.25 (equal distance) of `late`" in str(caught.value)


def test_people_are_counted_where_no_field_tells_them_apart(tmp_path: Path) -> None:
    """The person is not written: the stream counts them, and the card says that the files cannot."""
    lay(tmp_path)
    capital = empty_capital(tmp_path / "capital")
    value = plain(k=5, suppress=0.5)
    whole = capital.curate(write_spec(tmp_path, value))
    value["fields"]["person"] = NOBODY
    value |= {"version": "1.1.0"}
    blind = capital.curate(write_spec(tmp_path, value))
    assert told(blind)["people"] == "stream"
    assert (
        told(blind)["k_persons"]
        == told(whole)["k_persons"]
        == min(map(len, people_by_class(whole, ("age", "job")).values()))
    )
    assert told(blind)["suppressed"] == told(whole)["suppressed"]
    assert "which do not tell them apart" in (blind.folder / "README.md").read_text(encoding="utf-8")
    value |= {
        "version": "1.2.0",
        "splits": {"by": "time", "column": "seen", "until": {"train": "2020-06-01", "test": None}},
    }
    value["sources"]["t"]["columns"]["seen"] = "date"
    table = pq.read_table(tmp_path / "visits.parquet")
    days = pa.array([18_000 + visit % 700 for visit in table["visit"].to_pylist()], pa.int32()).cast(pa.date32())
    pq.write_table(table.append_column("seen", days), tmp_path / "visits.parquet")
    assert told(capital.curate(write_spec(tmp_path, value)))["k_persons"] == told(whole)["k_persons"]


def test_each_row_is_somebody_where_the_entity_is_the_row(tmp_path: Path) -> None:
    lay(tmp_path)
    value = plain(k=5, suppress=0.5)
    value["extract"]["entity"] = ["visit"]
    value["fields"]["person"] = NOBODY
    facts = told(empty_capital(tmp_path / "capital").curate(write_spec(tmp_path, value)))
    assert (facts["people"], facts["k_persons"]) == ("alone", facts["k"])


def test_many_rows_of_two_people_are_no_class_of_five(tmp_path: Path) -> None:
    """The default: what a spec that says nothing of `count` is held to."""
    lay(tmp_path)
    table = pq.read_table(tmp_path / "visits.parquet")
    few = pa.array([f"person {n % 2}" for n in range(len(table))])
    pq.write_table(table.set_column(1, "person", few), tmp_path / "visits.parquet")
    capital = empty_capital(tmp_path / "capital")
    with pytest.raises(DisclosureError, match="too-rare") as caught:
        capital.curate(write_spec(tmp_path, plain(k=5, suppress=1)))
    assert "5 people" in str(caught.value)
    assert told(capital.curate(write_spec(tmp_path, plain(k=5, suppress=1, count="rows"))))["k"] >= 5


def test_the_engine_s_cap_of_people_is_no_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_crowd, "_CAP", 6)
    lay(tmp_path)
    value = plain(k=5, suppress=0.5)
    value["fields"]["person"] = NOBODY
    facts = told(empty_capital(tmp_path / "capital").curate(write_spec(tmp_path, value)))
    assert 5 <= facts["k_persons"] <= 6
