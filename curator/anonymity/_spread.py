"""How sensitive values lie in classes, and the limits on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from curator.anonymity._codes import Numbers
from curator.closeness import Distance, class_distances

_EPSILON = 1e-12
_STEPS = 64  # looks at the farther half before all that are too far go at once


@dataclass(frozen=True, kw_only=True)
class ClassLimits:
    """What must hold of every class that stays.

    Attributes:
        k: people of the smallest class, or rows where people are not counted.
        l: fewest distinct values of the sensitive field; None for no limit.
        entropy_l: least exp(entropy) of its values; None likewise.
        t: greatest distance of a class from all rows that stay; None likewise.
        distance: the ground distance of t.
    """

    k: int
    l: int | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None = None
    t: float | None = None
    distance: Distance = "equal"

    @property
    def sensitive(self) -> bool:
        """Whether a sensitive field is looked at."""
        return self.l is not None or self.entropy_l is not None or self.t is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """How sensitive values lie in classes: one entry a pair of class and value that occurs; rows without are not there.

    Attributes:
        classes: class number of each pair.
        values: value number of each pair; in their order where that matters.
        counts: rows of each pair.
        width: distinct values there are.
        total: classes there are, those without any value included.
    """

    classes: Numbers
    values: Numbers
    counts: Numbers
    width: int
    total: int

    def distinct(self) -> Numbers:
        """Distinct values of each class."""
        return np.bincount(self.classes, minlength=self.total)

    def diversity(self) -> npt.NDArray[np.float64]:
        """Exp of the entropy of each class; 0 for a class without any value."""
        rows = np.bincount(self.classes, self.counts, minlength=self.total)
        shares = self.counts / rows[self.classes]
        entropy = np.bincount(self.classes, -shares * np.log(shares), minlength=self.total)
        return np.where(rows > 0, np.exp(entropy), 0.0)

    def distances(self, gone: npt.NDArray[np.bool_] | None = None, *, distance: Distance) -> npt.NDArray[np.float64]:
        """Distance of each class from all rows outside the classes that are gone; 0 for a class without any value."""
        stays = np.ones(len(self.classes), np.bool_) if gone is None else ~gone[self.classes]
        reference = np.bincount(self.values[stays], self.counts[stays], minlength=self.width)
        if not reference.any():
            return np.zeros(self.total)
        found = class_distances(
            self.classes, self.values, counts=self.counts, reference=reference, distance=distance
        )  # fmt: skip
        return np.concatenate([found, np.zeros(self.total - len(found))])

    def short_of(self, limits: ClassLimits) -> Iterator[npt.NDArray[np.bool_]]:
        """For each limit on diversity, the classes below it."""
        if limits.l is not None:
            yield self.distinct() < limits.l
        if limits.entropy_l is not None:
            yield self.diversity() < limits.entropy_l - _EPSILON

    def too_far(self, gone: npt.NDArray[np.bool_], *, t: float, distance: Distance) -> npt.NDArray[np.bool_]:
        """The classes that are gone and those too far from what stays, until none is.

        The farther half goes first: without it, all rows look otherwise, and others may be near enough.
        """
        for step in count():
            far = np.where(gone, 0.0, self.distances(gone, distance=distance))
            farthest = float(far.max(initial=0.0))
            if farthest <= t + _EPSILON:
                return gone
            least = (t + farthest) / 2 if step < _STEPS else t
            gone = gone | (far > least + _EPSILON)
        return gone
