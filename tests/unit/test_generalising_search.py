"""The lattice search: the optima of ARX 3.9.2 on its own table, and brute force on small random ones."""

from __future__ import annotations

import csv
import gzip
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import DisclosureError
from curator.generalising import Hierarchy, Limits, Tuples, hierarchy_of, recode, search

Q9 = (
    "sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class",
)  # fmt: skip
Q8 = tuple(name for name in Q9 if name != "occupation")
Q5 = Q9[:5]

# Fields, limits, and what ARX 3.9.2 answers (optimal search, loss metric, geometric mean): levels, score, suppressed.
SETTINGS: list[tuple[tuple[str, ...], dict[str, Any], tuple[int, ...], float, int]] = [
    (Q9, {"suppress": 0.0}, (0, 4, 1, 1, 3, 2, 2, 1, 0), 0.5731509655590044, 0),
    (Q9, {"suppress": 0.02}, (0, 3, 0, 2, 2, 1, 1, 2, 0), 0.3137130352819242, 506),
    (Q9, {"suppress": 0.05}, (0, 3, 0, 0, 2, 1, 1, 2, 0), 0.2419323650662908, 1346),
    (Q9, {"suppress": 1.0}, (0, 3, 0, 0, 2, 1, 1, 1, 0), 0.22041192847984292, 2553),
    (Q8, {"suppress": 0.02}, (0, 3, 0, 2, 2, 1, 1, 0), 0.2464771552496603, 506),
    (Q8, {"suppress": 0.05}, (0, 3, 0, 0, 2, 1, 1, 0), 0.17012279194738156, 1346),
    (Q8, {"suppress": 1.0}, (0, 3, 0, 0, 2, 1, 0, 0), 0.1621326131666998, 2184),
    (Q8, {"suppress": 0.02, "l": 2}, (0, 3, 0, 2, 2, 1, 1, 0), 0.2464771552496603, 506),
    (Q8, {"suppress": 0.05, "l": 2}, (0, 3, 0, 0, 2, 1, 1, 0), 0.17012279194738156, 1346),
    (Q8, {"suppress": 1.0, "l": 2}, (0, 3, 0, 0, 2, 1, 0, 0), 0.16261695200711612, 2200),
    (Q8, {"suppress": 0.05, "t": 0.2}, (1, 4, 1, 1, 3, 1, 2, 1), 0.8150031862123897, 235),
    (Q5, {"suppress": 0.05}, (0, 3, 0, 0, 0), 0.08021574418426991, 1385),
]
HIERARCHICAL = (Q8, (1, 4, 0, 0, 3, 1, 2, 1), 0.6128064960163953, 1384)  # t = 0.2, at most 5 % suppressed


@pytest.fixture(scope="module")
def adult(shared_data: Path) -> tuple[dict[str, Hierarchy], dict[str, np.ndarray]]:
    """ARX's own hierarchies, and the number of each row's value."""
    folder = shared_data / "adult-arx"
    with gzip.open(folder / "adult.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    tables = {
        name: hierarchy_of(name, list(csv.reader((folder / f"adult_hierarchy_{name}.csv").open(), delimiter=";")))
        for name in Q9
    }
    return tables, {name: tables[name].places([row[name] for row in rows]) for name in Q9}


def tuples_of(adult: Any, names: tuple[str, ...], *, sensitive: bool) -> Tuples:
    tables, places = adult
    wanted = [*names, "occupation"] if sensitive else list(names)
    found, rows = np.unique(np.stack([places[name] for name in wanted]), axis=1, return_counts=True)
    return Tuples(
        hierarchies=tuple(tables[name] for name in names),
        codes=found[: len(names)],
        rows=rows,
        sensitive=found[-1] if sensitive else None,
        values=14 if sensitive else 0,
    )


@pytest.mark.parametrize(("names", "limits", "levels", "score", "suppressed"), SETTINGS)
def test_the_optimum_is_arx_s_in_all_twelve_settings(
    adult: Any, names: tuple[str, ...], limits: dict[str, Any], levels: tuple[int, ...], score: float, suppressed: int
) -> None:
    tuples = tuples_of(adult, names, sensitive="l" in limits or "t" in limits)
    chosen = search(tuples, Limits(k=5, **limits))
    assert (chosen.levels, chosen.suppressed) == (levels, suppressed)
    assert chosen.score == pytest.approx(score, abs=1e-8)


def test_the_optimum_is_arx_s_with_the_hierarchical_distance(adult: Any) -> None:
    names, levels, score, suppressed = HIERARCHICAL
    ancestors = adult[0]["occupation"].codes
    limits = Limits(k=5, t=0.2, distance="hierarchical", ancestors=ancestors, suppress=0.05)
    chosen = search(tuples_of(adult, names, sensitive=True), limits)
    assert (chosen.levels, chosen.suppressed) == (levels, suppressed)
    assert chosen.score == pytest.approx(score, abs=1e-8)


def written(tuples: Tuples, levels: np.ndarray) -> np.ndarray:
    """Class of each combination by what would be written of it: level and group of each field."""
    cells = [
        hierarchy.codes[level, codes] * hierarchy.height + level
        for hierarchy, level, codes in zip(tuples.hierarchies, levels, tuples.codes, strict=True)
    ]
    return np.unique(np.stack(cells), axis=1, return_inverse=True)[1].ravel()


def test_local_recoding_loses_less_than_arx_s_and_suppresses_nobody(adult: Any) -> None:
    tuples = tuples_of(adult, Q9, sensitive=False)
    found = recode(tuples, Limits(k=5))
    assert found.granularity > 0.85  # ARX's own local recoding reaches 0.7943
    assert np.bincount(written(tuples, found.levels), tuples.rows).min() >= 5
    assert found.k >= 5


# ---- against brute force ---------------------------------------------------------------------------------------------

LADDER = hierarchy_of("a", [[str(n), str(n // 2), str(n // 4), "*"] for n in range(8)])
PAIR = hierarchy_of("b", [[str(n), str(n % 2), "*"] for n in (0, 2, 1, 3)])


def loss_of(table: np.ndarray, levels: tuple[int, ...], limits: Limits, *, hollow: bool = False) -> tuple[float, int]:
    """Row by row, in plain Python: the score of a node and its suppressed rows."""
    hierarchies = (LADDER, PAIR)
    groups: dict[tuple[int, ...], list[np.ndarray]] = {}
    for row in table:
        key = tuple(
            int(h.codes[level][row[place]]) for place, (h, level) in enumerate(zip(hierarchies, levels, strict=True))
        )
        groups.setdefault(key, []).append(row)
    first = 1 if hollow else 0  # value 0 is none
    everybody = np.bincount(table[:, 2], minlength=3)[first:]
    everybody = everybody / max(everybody.sum(), 1)

    def sound(rows: list[np.ndarray]) -> bool:
        counts = np.bincount([row[2] for row in rows], minlength=3)[first:]
        valued = counts.sum()
        shares = counts[counts > 0] / max(valued, 1)
        ok = len(rows) >= limits.k
        if limits.l is not None:
            ok &= len(shares) >= limits.l
        if limits.entropy_l is not None:
            ok &= bool(-(shares * np.log(shares)).sum() >= np.log(limits.entropy_l) - 1e-12)
        if limits.t is not None:
            differences = counts / max(valued, 1) - everybody if valued else np.zeros(len(everybody))
            far = np.abs(differences).sum() / 2
            if limits.distance == "ordered":
                far = np.abs(np.cumsum(differences)[:-1]).sum() / max(len(everybody) - 1, 1)
            ok &= bool(far <= limits.t + 1e-12)
        return ok

    kept = [key for key, rows in groups.items() for _ in rows if sound(rows)]
    suppressed = len(table) - len(kept)
    total = 0.0
    for place, (hierarchy, level) in enumerate(zip(hierarchies, levels, strict=True)):
        count = hierarchy.codes.shape[1]
        share = np.bincount(hierarchy.codes[level]) / count
        mean = (sum(share[key[place]] for key in kept) + suppressed) / len(table)
        total += float(np.log1p(max(0.0, (mean - 1 / count) / (1 - 1 / count))))
    return float(np.expm1(total / 2)), suppressed


limits_drawn = st.builds(
    Limits,
    k=st.integers(1, 4),
    l=st.none() | st.floats(1.0, 2.5),
    entropy_l=st.none() | st.floats(1.0, 2.5),
    t=st.none() | st.floats(0.05, 0.9),
    distance=st.sampled_from(["equal", "ordered"]),
    suppress=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)
rows_drawn = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 2)), min_size=5, max_size=60)


@given(rows_drawn, limits_drawn, st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_node_is_better_than_the_one_found(rows: list[tuple[int, int, int]], limits: Limits, hollow: bool) -> None:
    table = np.array(rows)
    found, counts = np.unique(table.T, axis=1, return_counts=True)
    tuples = Tuples(
        hierarchies=(LADDER, PAIR), codes=found[:2], rows=counts, sensitive=found[2], values=3, hollow=hollow
    )  # fmt: skip
    every = {node: loss_of(table, node, limits, hollow=hollow) for node in itertools.product(range(4), range(3))}
    allowed = min(limits.suppress * len(table), len(table) - 1)
    possible = {node: loss for node, (loss, suppressed) in every.items() if suppressed <= allowed + 1e-9}
    if not possible:
        with pytest.raises(DisclosureError, match="generalise-impossible"):
            search(tuples, limits)
        return
    chosen = search(tuples, limits)
    assert chosen.score == pytest.approx(min(possible.values()), abs=1e-9)
    assert (chosen.score, chosen.suppressed) == (
        pytest.approx(every[chosen.levels][0], abs=1e-9),
        every[chosen.levels][1],
    )


@given(rows_drawn, limits_drawn)
@settings(max_examples=100, deadline=None)
def test_every_class_recoded_alone_meets_the_limits(rows: list[tuple[int, int, int]], limits: Limits) -> None:
    table = np.array(rows)
    found, counts = np.unique(table.T, axis=1, return_counts=True)
    tuples = Tuples(hierarchies=(LADDER, PAIR), codes=found[:2], rows=counts, sensitive=found[2], values=3)
    if loss_of(table, (3, 2), limits)[1]:
        with pytest.raises(DisclosureError, match="generalise-impossible"):
            recode(tuples, limits)
        return
    recoded = recode(tuples, limits)
    classes = written(tuples, recoded.levels)
    for number in np.unique(recoded.classes):
        members = recoded.classes == number
        alike = Tuples(hierarchies=(hierarchy_of("x", [["x"]]),), codes=np.zeros((1, members.sum()), np.int64),
                       rows=counts[members], sensitive=found[2][members], values=3)  # fmt: skip
        assert len(np.unique(classes[members])) == 1
        assert alike.total >= limits.k
        if limits.l is not None:
            assert len(np.unique(found[2][members])) >= limits.l
        if limits.t is not None and limits.distance == "equal":
            shares = np.bincount(found[2][members], counts[members], minlength=3) / alike.total
            whole = np.bincount(table[:, 2], minlength=3) / len(table)
            assert np.abs(shares - whole).sum() / 2 <= limits.t + 1e-9
    assert 0 <= recoded.granularity <= 1


# ---- what cannot be --------------------------------------------------------------------------------------------------


def few(rows: int) -> Tuples:
    return Tuples(hierarchies=(LADDER,), codes=np.arange(rows)[None] % 8, rows=np.ones(rows, np.int64))


def test_k_above_the_number_of_rows_is_told_before_the_search() -> None:
    with pytest.raises(DisclosureError) as caught:
        search(few(4), Limits(k=5))
    assert caught.value.code == "k-above-rows"


def test_a_lattice_without_a_node_that_keeps_a_row_is_told() -> None:
    flat = hierarchy_of("a", [["x"], ["y"]])
    tuples = Tuples(hierarchies=(flat,), codes=np.array([[0, 1]]), rows=np.array([3, 4]))
    with pytest.raises(DisclosureError) as caught:
        search(tuples, Limits(k=5, suppress=1.0))
    assert caught.value.code == "generalise-impossible"


def test_a_lattice_too_large_to_hold_is_told() -> None:
    tuples = Tuples(hierarchies=(LADDER,) * 12, codes=np.zeros((12, 1), np.int64), rows=np.array([9]))
    with pytest.raises(DisclosureError) as caught:
        search(tuples, Limits(k=2))
    assert caught.value.code == "lattice-too-large"
