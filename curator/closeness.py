"""How far a class of like persons is from everybody: the distances of t-closeness, from counts alone.

A class is t-close when the distribution of a sensitive attribute in it is at most t away from its distribution in the
whole table (Li, Li and Venkatasubramanian, "t-Closeness: Privacy Beyond k-Anonymity and l-Diversity", ICDE 2007). The
distance is the earth mover's distance with one of three ground distances; a figure of t means nothing without it:

- `equal`: any two values are one apart; half the sum of the absolute differences (section 4.2, categorical);
- `ordered`: values stand in a row, neighbours 1 / (values - 1) apart (section 4.1, numerical);
- `hierarchical`: two values are as far apart as the height of their lowest common ancestor (section 4.2).

Every distance lies between 0 and 1.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Distance: TypeAlias = Literal["equal", "ordered", "hierarchical"]
Numbers: TypeAlias = npt.NDArray[Any]
Shares: TypeAlias = npt.NDArray[np.float64]

_CELLS = 2_000_000  # of a table of classes by values that is held at once (16 MB)


def equal_distance(counts: Numbers, *, reference: Numbers) -> Shares:
    """Earth mover's distance of each class when any two values are one apart: half the sum of |p - q|.

    Args:
        counts: classes x values; rows of each class by value.
        reference: rows of the whole table by value.

    Returns:
        One distance a class, 0 to 1; 0 for an empty class.
    """
    return np.asarray(np.abs(_differences(counts, reference)).sum(axis=1) / 2)


def ordered_distance(counts: Numbers, *, reference: Numbers) -> Shares:
    """Earth mover's distance of each class when the values stand in a row, in the order of the columns.

    The sum of the absolute running sums of p - q, over the number of values less one. With a single value it is 0.

    Args:
        counts: classes x values, the values in their order.
        reference: rows of the whole table by value, in the same order.

    Returns:
        One distance a class, 0 to 1; 0 for an empty class.
    """
    differences = _differences(counts, reference)
    steps = max(differences.shape[1] - 1, 1)
    return np.asarray(np.abs(np.cumsum(differences, axis=1)[:, :-1]).sum(axis=1) / steps)


def hierarchical_distance(counts: Numbers, *, reference: Numbers, ancestors: Numbers) -> Shares:
    """Earth mover's distance of each class when values are the leaves of a tree whose leaves are all equally deep.

    Moving a person between two values costs the height of their lowest common ancestor over the height of the tree:
    the sum over inner nodes of height / tree height x the lesser of what their children have too much and too little.

    Args:
        counts: classes x values.
        reference: rows of the whole table by value.
        ancestors: levels x values; integer code of each value's ancestor at each level. Row 0 names the values
            themselves (any distinct codes), the last row the root.

    Returns:
        One distance a class, 0 to 1; 0 for an empty class.
    """
    extras, total = _differences(counts, reference), np.zeros(len(counts))
    height = max(len(ancestors) - 1, 1)
    below = np.arange(extras.shape[1])
    for level in range(1, len(ancestors)):
        _, first, nodes = np.unique(ancestors[level], return_index=True, return_inverse=True)
        parent = np.empty(int(below.max(initial=-1)) + 1, np.int64)
        parent[below] = nodes
        lack, surplus, net = _by_parent(extras, parent=parent, nodes=len(first))
        total += level / height * np.minimum(surplus, lack).sum(axis=1)
        extras, below = net, nodes
    return total


def class_distances(
    classes: Numbers,
    values: Numbers,
    *,
    counts: Numbers,
    reference: Numbers,
    distance: Distance = "equal",
    ancestors: Numbers | None = None,
) -> Shares:
    """The distance of each class, from the pairs of class and value that occur. Memory stays flat.

    Args:
        classes: class number of each pair, 0 to the number of classes less one.
        values: value number of each pair.
        counts: rows of each pair; a pair may come more than once.
        reference: rows of the whole table by value; its length is the number of values.
        distance: the ground distance; for `ordered` value numbers follow the order.
        ancestors: for `hierarchical`, as `hierarchical_distance` takes them.

    Returns:
        One distance a class, in the order of the class numbers.

    Raises:
        ValueError: `hierarchical` without `ancestors`.
    """
    classes, values, counts = np.asarray(classes), np.asarray(values), np.asarray(counts)
    pairs = np.bincount(classes)
    alone = (pairs[classes] == 1) & (counts > 0)
    found = np.zeros(len(pairs))
    # A class with one value is as far from everybody as that value is: one distance for each value, not each class.
    kinds, places = np.unique(values[alone], return_inverse=True)
    how: dict[str, Any] = {"reference": reference, "distance": distance, "ancestors": ancestors}
    found[classes[alone]] = _by_tables(np.arange(len(kinds)), kinds, counts=np.ones_like(kinds), **how)[places]
    mixed, numbers = np.unique(classes[~alone], return_inverse=True)
    found[mixed] = _by_tables(numbers, values[~alone], counts=counts[~alone], **how)
    return found


def _by_tables(classes: Numbers, values: Numbers, *, counts: Numbers, reference: Numbers, **how: Any) -> Shares:
    """The distance of each class, from tables of some classes by all values, one after the other."""
    order = np.argsort(classes, kind="stable")
    classes, values, counts = classes[order], values[order], counts[order]
    total, width = (int(classes[-1]) + 1 if len(classes) else 0), len(reference)
    step = max(1, _CELLS // max(width, 1))
    found = np.zeros(total)
    for start in range(0, total, step):
        stop = min(total, start + step)
        low, high = np.searchsorted(classes, (start, stop))
        cells = (classes[low:high] - start) * width + values[low:high]
        table = np.bincount(cells, counts[low:high], minlength=(stop - start) * width).reshape(-1, width)
        found[start:stop] = table_distances(table, reference=reference, **how)
    return found


def table_distances(
    counts: Numbers, *, reference: Numbers, distance: Distance = "equal", ancestors: Numbers | None = None
) -> Shares:
    """The distance of each class, from the table of classes by values.

    Args:
        counts: classes x values; rows of each class by value.
        reference: rows of the whole table by value.
        distance: the ground distance; for `ordered` the columns follow the order.
        ancestors: for `hierarchical`, as `hierarchical_distance` takes them.

    Returns:
        One distance a class; 0 for an empty class.

    Raises:
        ValueError: `hierarchical` without `ancestors`.
    """
    if distance == "equal":
        return equal_distance(counts, reference=reference)
    if distance == "ordered":
        return ordered_distance(counts, reference=reference)
    if ancestors is None:
        raise ValueError("the hierarchical distance needs the ancestors of every value")
    return hierarchical_distance(counts, reference=reference, ancestors=ancestors)


def _differences(counts: Numbers, reference: Numbers) -> Shares:
    """Share of each value in each class less its share in the table; 0 throughout for an empty class."""
    sizes = counts.sum(axis=1, keepdims=True)
    whole = max(float(np.sum(reference)), 1.0)
    shares = counts / np.maximum(sizes, 1)
    return np.asarray(np.where(sizes > 0, shares - np.asarray(reference) / whole, 0.0))


def _by_parent(extras: Shares, *, parent: npt.NDArray[np.int64], nodes: int) -> tuple[Shares, Shares, Shares]:
    """What the children of each node lack, have too much, and both together: classes x nodes each."""
    belongs = np.zeros((len(parent), nodes))
    belongs[np.arange(len(parent)), parent] = 1
    lack, surplus = np.maximum(-extras, 0) @ belongs, np.maximum(extras, 0) @ belongs
    return lack, surplus, surplus - lack
