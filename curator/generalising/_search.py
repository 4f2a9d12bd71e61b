"""The best node of the lattice, and the proof that no other is better.

A node says for each field which level of its hierarchy is written. The search keeps, for every node, a lower bound of
its loss; at first what it costs when nobody is suppressed. Looking at a node tells exactly what it costs and, since the
rows that must go there must go at every finer node too, raises the bounds of all of those at once. It goes on with the
node of the lowest bound, climbs from it to the coarser ones that are still open, and looks in the middle of that path
first (the binary search of Flash: Kohlmayer, Prasser, Eckert, Kemper, Kuhn, 2012), and ends when no open node is left:
what it returns is optimal. Nothing is random, no clock is read: the same table gives the same node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.errors import DisclosureError
from curator.generalising._limits import Limits
from curator.generalising._nodes import Node, Table, lattice
from curator.generalising._tuples import Tuples

LARGEST = 4_000_000
"""Nodes of the largest lattice that is searched: bounds and marks take 9 bytes a node."""

_TIE = 1e-12
_LIFT_EVERY = 24  # nodes looked at between two looks at the floor


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The best node.

    Attributes:
        levels: level of each field, in the order of the hierarchies.
        score: the loss, 0 (every value as it is) to 1 (nothing left).
        suppressed: rows left out.
        looked_at, nodes: nodes looked at, and in the lattice.
    """

    levels: Node
    score: float
    suppressed: int
    looked_at: int
    nodes: int


def search(tuples: Tuples, limits: Limits) -> Chosen:
    """The node of least loss that meets the limits with no more suppression than is allowed.

    Args:
        tuples: the distinct combinations.
        limits: what classes must hold.

    Raises:
        DisclosureError: `k-above-rows`, `lattice-too-large`, or `generalise-impossible` when not even the coarsest
            levels meet the limits.
    """
    heights = [hierarchy.height for hierarchy in tuples.hierarchies]
    nodes = int(np.prod(heights, dtype=np.float64))
    _require_possible(tuples, limits, nodes=nodes)
    found = _Search(Table(tuples, limits), limits)
    found.run()
    if found.best is None:
        raise _impossible(limits, tuples)
    loss = float(np.expm1(found.least / len(heights)))
    return Chosen(
        levels=found.best, score=loss, suppressed=found.suppressed, looked_at=found.looked_at, nodes=nodes
    )  # fmt: skip


def hold(tuples: Tuples, limits: Limits, *, node: Node) -> Chosen:
    """One node, held to the limits.

    Raises:
        DisclosureError: `k-above-rows`, or `levels-fail` when more rows would be left out there than may be.
    """
    _require_possible(tuples, limits, nodes=1)
    table = Table(tuples, limits)
    seen, allowed = table.look(node, allowed=np.inf), limits.suppress * tuples.total
    if seen.suppressed > allowed + 1e-9 or seen.suppressed == tuples.total:
        raise DisclosureError(
            "levels-fail", asked=f"write the levels {', '.join(map(str, node))}",
            found=f"{seen.suppressed:,} of {tuples.total:,} rows in classes below the limits",
            expected=f"{', '.join(_wanted(limits))} with at most {limits.suppress:.2%} of the rows suppressed",
            todo="search again: leave `disclosure.search.levels` out of the spec, and give it a new minor version",
        )  # fmt: skip
    cost = sum(field[level] for field, level in zip(seen.costs, node, strict=True))
    return Chosen(
        levels=node, score=float(np.expm1(cost / len(node))), suppressed=seen.suppressed, looked_at=1, nodes=1
    )  # fmt: skip


class _Search:
    """The state of one search."""

    def __init__(self, table: Table, limits: Limits) -> None:
        self._table = table
        self._allowed = min(limits.suppress * table.total + 1e-9, table.total - 1 + 1e-9)
        self._bounds = lattice(table.costs())
        self._open = np.ones(self._bounds.shape, np.bool_)
        self.best: Node | None = None
        self.least, self.suppressed, self.looked_at = np.inf, 0, 0

    def run(self) -> None:
        """Look until no node is open."""
        lifted = 0
        if self._allowed < 1:
            self._edges()
            self._lift()
        while (node := self._lowest()) is not None:
            path = self._path(node)
            while path:
                middle = len(path) // 2
                possible = self._look(path[middle])
                path = path[:middle] if possible or self._open[node] else path[middle + 1 :]
                path = [step for step in path if self._open[step]]
            if self.looked_at - lifted > _LIFT_EVERY:
                self._lift()
                lifted = self.looked_at

    def _edges(self) -> None:
        """For each field, the finest level that is possible when all others are coarsest: none below it ever is."""
        top = tuple(levels - 1 for levels in map(int, self._bounds.shape))
        for place, coarsest in enumerate(top):
            for level in range(coarsest):
                if self._look((*top[:place], level, *top[place + 1 :])):
                    break

    def _lowest(self) -> Node | None:
        place = int(np.argmin(np.where(self._open, self._bounds, np.inf)))
        node = tuple(int(level) for level in np.unravel_index(place, self._bounds.shape))
        return node if self._open[node] else None

    def _path(self, node: Node) -> list[Node]:
        """From a node to coarser open ones, each the cheapest next step."""
        path = [node]
        while True:
            steps = [
                (float(self._bounds[coarser]), coarser)
                for place, level in enumerate(node)
                if level + 1 < self._bounds.shape[place]
                and self._open[coarser := (*node[:place], level + 1, *node[place + 1 :])]
            ]
            if not steps:
                return path
            node = min(steps)[1]
            path.append(node)

    def _look(self, node: Node) -> bool:
        """Look at a node; close it and every finer node that cannot be better. False when none of them is possible."""
        self.looked_at += 1
        seen = self._table.look(node, allowed=self._allowed)
        finer = tuple(slice(low, level + 1) for low, level in zip(self._table.floor, node, strict=True))
        self._open[node] = False
        if seen.least > self._allowed:
            self._open[finer] = False
            return False
        cost = float(sum(field[level] for field, level in zip(seen.costs, node, strict=True)))
        if seen.suppressed <= self._allowed and cost < self.least - _TIE:
            self.best, self.least, self.suppressed = node, cost, seen.suppressed
            self._open &= self._bounds < cost - _TIE
        bounds = lattice([field[part] for field, part in zip(seen.bounds, finer, strict=True)])
        np.maximum(self._bounds[finer], bounds, out=self._bounds[finer])
        self._open[finer] &= self._bounds[finer] < self.least - _TIE
        return True

    def _lift(self) -> None:
        """Levels below the finest open ones are never asked for again."""
        axes = range(self._open.ndim)
        if not self._open.any():
            return
        used = [self._open.any(axis=tuple(axis for axis in axes if axis != place)) for place in axes]
        self._table.lift(tuple(int(np.argmax(levels)) for levels in used))


def _require_possible(tuples: Tuples, limits: Limits, *, nodes: int) -> None:
    asked, unit = "search the best generalisation", "rows" if tuples.people is None else "people"
    total = tuples.total if tuples.people is None else tuples.people.total
    if limits.k > total:
        raise DisclosureError(
            "k-above-rows", asked=asked, found=f"{total:,} {unit}", expected=f"at least k = {limits.k:,} {unit}",
            todo="take more rows into the sample, or a smaller `disclosure.k` if the law of the case allows it",
        )  # fmt: skip
    if nodes > LARGEST:
        raise DisclosureError(
            "lattice-too-large", asked=asked, found=f"{nodes:,} combinations of levels",
            expected=f"at most {LARGEST:,}", todo="declare fewer levels, or leave a field out of the search",
        )  # fmt: skip


def _impossible(limits: Limits, tuples: Tuples) -> DisclosureError:
    return DisclosureError(
        "generalise-impossible",
        asked="search the best generalisation",
        found="no combination of levels meets the limits: every row would be suppressed, or more than is allowed",
        expected=f"{', '.join(_wanted(limits))} with at most {limits.suppress:.2%} of {tuples.total:,} rows suppressed",
        todo="add a coarser level to a hierarchy (up to one group for all), or allow more suppression",
    )


def _wanted(limits: Limits) -> list[str]:
    wanted = [f"k >= {limits.k}"]
    wanted += [f"distinct l >= {limits.l:g}"] if limits.l is not None else []
    wanted += [f"entropy l >= {limits.entropy_l:g}"] if limits.entropy_l is not None else []
    wanted += [f"{limits.distance} t <= {limits.t:g}"] if limits.t is not None else []
    return wanted
