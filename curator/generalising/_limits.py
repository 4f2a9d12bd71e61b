"""What a class of like rows must hold: k, diversity and closeness; and how many of its rows must go when it does not.

For the search a verdict is not enough. A node of the lattice is also judged by what it says of every finer node below
it: the classes there are parts of the classes here. Rows in a class below k, or of too few sensitive values, are in
such a class at every finer node as well. A class too far from everybody, or of too little entropy, is a mixture of its
parts, and both measures are convex in the right direction: were all parts sound, the whole would be. So at least a
share of its rows lies in parts that fail, and must go at every finer node:

- t-closeness: distance(class) <= w * 1 + (1 - w) * t gives w >= (distance - t) / (1 - t);
- entropy l-diversity: entropy(class) >= (1 - w) * log l gives w >= 1 - entropy / log l.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.closeness import Distance, table_distances

_EPSILON = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What must hold of every class that is kept.

    Attributes:
        k: people of the smallest class, or rows where the table tells of no people (Sweeney 2002).
        l: distinct values of the sensitive field in a class; None for no limit (Machanavajjhala et al. 2007).
        entropy_l: exp of the entropy of these values in a class; None likewise.
        t: largest distance of a class from the whole table (Li et al. 2007); None for no limit.
        distance: ground distance of t; `ordered` takes the sensitive codes as the order.
        ancestors: levels x sensitive values, for the hierarchical distance.
        suppress: largest share of the rows that may be left out, 0 to 1. All of them never may.
    """

    k: int
    l: float | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None = None
    t: float | None = None
    distance: Distance = "equal"
    ancestors: npt.NDArray[Any] | None = None
    suppress: float = 0.0

    @property
    def needs_sensitive(self) -> bool:
        """Whether the sensitive field is looked at."""
        return self.l is not None or self.entropy_l is not None or self.t is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """Per class: whether it may stay, and the share of its rows that must go at this and any finer node."""

    sound: npt.NDArray[np.bool_]
    must_go: npt.NDArray[np.float64]


def judge(
    limits: Limits,
    rows: npt.NDArray[Any],
    *,
    enough: npt.NDArray[Any],
    everybody: Any,
    table: Any,
    hollow: bool = False,
) -> Verdict:
    """Judge classes.

    Args:
        limits: what must hold.
        rows: rows of each class.
        enough: numbers of the classes of k people or more; the others fail whatever they hold.
        everybody: rows of the whole table by sensitive value.
        table: those classes x sensitive values, rows of each; None when nothing sensitive is limited.
        hollow: whether sensitive value 0 stands for rows without a value.
    """
    must_go = np.ones(len(rows))
    must_go[enough] = 0.0
    sound = must_go == 0
    if table is None:
        return Verdict(sound=sound, must_go=must_go)
    failing, share = np.zeros(len(enough), np.bool_), np.zeros(len(enough))
    for fails, least in _sensitive_limits(limits, table, everybody=everybody, hollow=hollow):
        failing |= fails
        share = np.maximum(share, np.where(fails, least, 0.0))
    sound[enough], must_go[enough] = ~failing, share
    return Verdict(sound=sound, must_go=must_go)


def _sensitive_limits(
    limits: Limits, table: Any, *, everybody: Any, hollow: bool
) -> Iterator[tuple[npt.NDArray[np.bool_], Any]]:
    """For each limit: the classes that fail it, and the share of their rows that must go."""
    filled, share = known(table, hollow=hollow), 1.0
    if hollow:  # only rows with a value are the mixture that the bounds speak of
        share = filled.sum(axis=1) / np.maximum(table.sum(axis=1), 1)
    if limits.l is not None:
        yield distinct(filled) < limits.l, 1.0
    if limits.entropy_l is not None:
        wanted, found = float(np.log(limits.entropy_l)), entropy(filled)
        least = np.clip(1 - found / max(wanted, _EPSILON), 0, 1)
        yield found < wanted - _EPSILON, least * share
    if limits.t is not None:
        reference = known(np.atleast_2d(everybody), hollow=hollow)[0]
        ancestors = limits.ancestors[:, 1:] if hollow and limits.ancestors is not None else limits.ancestors
        far = table_distances(filled, reference=reference, distance=limits.distance, ancestors=ancestors)
        beyond = far > limits.t + _EPSILON
        yield beyond, np.clip((far - limits.t) / max(1 - limits.t, _EPSILON), 0, 1) * share


def known(table: npt.NDArray[Any], *, hollow: bool) -> npt.NDArray[Any]:
    """Rows of counts without those of no value, so that having none never makes a class look diverse."""
    return table[:, 1:] if hollow else table


def distinct(table: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Distinct values of each row of counts."""
    return np.asarray(np.count_nonzero(table, axis=1))


def entropy(table: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Entropy of each row of counts, in nats; 0 for an empty one."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=1))
