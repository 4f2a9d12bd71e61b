"""The distances of t-closeness: the article's own example, plain-Python twins, and the laws a distance keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.closeness import class_distances, equal_distance, hierarchical_distance, ordered_distance

# Li, Li, Venkatasubramanian (2007), section 4.1: nine salaries of 3k to 11k; two classes of three persons.
SALARIES = np.ones(9)
P1 = np.array([[1, 1, 1, 0, 0, 0, 0, 0, 0]])  # 3k, 4k, 5k
P2 = np.array([[0, 0, 0, 1, 0, 1, 0, 0, 1]])  # 6k, 8k, 11k
# A tree of three levels over six values: (0 1) (2 3) under one parent, (4) (5) under another.
TREE = np.array([[0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 3], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]])


def test_the_article_s_own_example_of_salaries() -> None:
    assert ordered_distance(P1, reference=SALARIES)[0] == pytest.approx(0.375)
    assert ordered_distance(P2, reference=SALARIES)[0] == pytest.approx(0.167, abs=5e-4)


def test_equal_distance_is_total_variation() -> None:
    assert equal_distance(np.array([[2, 0], [1, 1]]), reference=np.array([1, 1])).tolist() == [0.5, 0.0]


@pytest.mark.parametrize(("moved", "height"), [((0, 1), 1), ((0, 2), 2), ((0, 4), 3), ((4, 5), 2)])
def test_one_person_moved_in_the_tree_costs_the_height_of_the_common_ancestor(
    moved: tuple[int, int], height: int
) -> None:
    reference, counts = np.zeros(6), np.zeros((1, 6))
    reference[moved[0]] = counts[0, moved[1]] = 1
    found = hierarchical_distance(counts, reference=reference, ancestors=TREE)
    assert found[0] == pytest.approx(height / 3)


def test_a_flat_tree_is_the_equal_distance() -> None:
    flat = np.array([[0, 1, 2, 3], [0, 0, 0, 0]])
    counts, reference = np.array([[3, 0, 1, 0], [1, 1, 1, 1]]), np.array([5, 4, 3, 2])
    found = hierarchical_distance(counts, reference=reference, ancestors=flat)
    assert found == pytest.approx(equal_distance(counts, reference=reference))


def test_an_empty_class_and_a_single_value_are_at_no_distance() -> None:
    assert equal_distance(np.zeros((1, 3)), reference=np.ones(3))[0] == 0
    assert ordered_distance(np.array([[4]]), reference=np.array([9]))[0] == 0


tables = st.integers(2, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 9), min_size=width, max_size=width).filter(any), min_size=1, max_size=8
    )
)


@given(tables)
def test_the_sparse_form_agrees_and_keeps_within_bounds(rows: list[list[int]]) -> None:
    table = np.array(rows)
    reference = table.sum(axis=0)
    classes, values = np.nonzero(table)
    ancestors = np.array([np.arange(len(reference)), np.arange(len(reference)) // 2, np.zeros(len(reference), int)])
    for distance, whole in (
        ("equal", equal_distance(table, reference=reference)),
        ("ordered", ordered_distance(table, reference=reference)),
        ("hierarchical", hierarchical_distance(table, reference=reference, ancestors=ancestors)),
    ):
        pairs = class_distances(
            classes, values, counts=table[classes, values], reference=reference,
            distance=distance, ancestors=ancestors,  # type: ignore[arg-type]
        )  # fmt: skip
        assert pairs == pytest.approx(whole)
        assert whole.min() >= 0
        assert whole.max() <= 1 + 1e-12


@given(tables)
def test_a_mixture_is_no_farther_than_its_farthest_part(rows: list[list[int]]) -> None:
    """Convexity: what lets the lattice search bound a node by a coarser one."""
    table = np.array(rows)
    reference, merged = table.sum(axis=0) + 1, table.sum(axis=0)[None]
    for measure in (equal_distance, ordered_distance):
        assert measure(merged, reference=reference)[0] <= measure(table, reference=reference).max() + 1e-12


def test_hierarchical_needs_ancestors() -> None:
    one = np.array([0])
    with pytest.raises(ValueError, match="ancestors"):
        class_distances(one, one, counts=one + 1, reference=np.ones(1), distance="hierarchical")
