"""What a search found: the level of each field, what it costs, and what then holds of every class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from curator.closeness import table_distances
from curator.errors import SpecError
from curator.generalising._limits import Limits, distinct, entropy, known
from curator.generalising._nodes import Table
from curator.generalising._search import Chosen, hold, search
from curator.generalising._tuples import Tuples

_NAME = re.compile(r"[a-z][a-z0-9_]*")

METRIC = "mean share of a field's values in a row's group, suppressed rows 1; geometric mean over the fields"


@dataclass(frozen=True, kw_only=True)
class FieldLevel:
    """One field at its chosen level.

    Attributes:
        name: of the field.
        level, levels: chosen, counted from 0 (the value itself), and of the hierarchy.
        groups, values: distinct groups at that level, and distinct values.
        loss: of this field alone, suppressed rows not counted; 0 to 1.
        formula: for the field's `value`; None when only the hierarchy's file says the level.
    """

    name: str
    level: int
    levels: int
    groups: int
    values: int
    loss: float
    formula: str | None

    def words(self) -> dict[str, str]:
        """What a spec says to write the field so; empty when no formula can."""
        if self.formula is None:
            return {}
        if _NAME.fullmatch(self.formula):
            return {"protect": "keep", "from": self.formula}
        return {"protect": "generalise", "value": self.formula}


@dataclass(frozen=True, kw_only=True)
class Generalisation:
    """The best generalisation of a table.

    Attributes:
        fields: every quasi-identifier at its level.
        score: the loss of the whole, by `METRIC`.
        rows, suppressed: rows looked at, and left out.
        combinations: distinct combinations before.
        classes: classes of like rows that are kept.
        k: rows of the smallest class kept.
        k_persons: people of the smallest one; None when only rows are counted.
        l, entropy_l: fewest sensitive values in a class, and least exp(entropy); None without a sensitive field.
        t: largest distance of a class, by the distance of the limits; None likewise.
        looked_at, nodes: nodes looked at, and in the lattice.
    """

    fields: tuple[FieldLevel, ...]
    score: float
    rows: int
    suppressed: int
    combinations: int
    classes: int
    k: int
    k_persons: int | None
    l: int | None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None
    t: float | None
    looked_at: int
    nodes: int

    def facts(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {**vars(self), "fields": [vars(field) for field in self.fields], "metric": METRIC}


def generalise(tuples: Tuples, limits: Limits) -> Generalisation:
    """Search the best node and measure it.

    Args:
        tuples: the distinct combinations.
        limits: what classes must hold.

    Raises:
        DisclosureError: as `search`.
    """
    return describe_node(tuples, limits, chosen=search(tuples, limits))


def held_at(tuples: Tuples, limits: Limits, *, levels: Mapping[str, int]) -> Generalisation:
    """Hold settled levels to the limits and measure them, without a search.

    Args:
        tuples: the distinct combinations.
        limits: what classes must hold.
        levels: field -> level; a field that is not named is written at its finest.

    Raises:
        DisclosureError: `levels-fail`, when more rows would be left out than may be, or `k-above-rows`.
        SpecError: `level-unknown`, for a level that a hierarchy does not have.
    """
    for hierarchy in tuples.hierarchies:
        if levels.get(hierarchy.name, 0) >= hierarchy.height:
            raise SpecError(
                "level-unknown", asked=f"write `{hierarchy.name}` at level {levels[hierarchy.name]}",
                found=f"a hierarchy of {hierarchy.height} levels", expected=f"a level from 0 to {hierarchy.height - 1}",
                todo="correct `disclosure.search.levels`; `curator generalise` prints levels that hold",
            )  # fmt: skip
    node = tuple(levels.get(hierarchy.name, 0) for hierarchy in tuples.hierarchies)
    return describe_node(tuples, limits, chosen=hold(tuples, limits, node=node))


def describe_node(tuples: Tuples, limits: Limits, *, chosen: Chosen) -> Generalisation:
    """What holds at a node whose classes below the limits are left out."""
    classes, stays = Table(tuples, limits).kept(chosen.levels)
    people = _fewest(tuples, classes, stays=stays)
    classes, rows = np.unique(classes[stays], return_inverse=True)[1], tuples.rows[stays]
    sizes = np.bincount(classes, rows).astype(np.int64)
    diversity = entropy_l = far = None
    if tuples.sensitive is not None:
        cells = classes * tuples.values + tuples.sensitive[stays]
        table = np.bincount(cells, rows, minlength=len(sizes) * tuples.values).reshape(-1, tuples.values)
        everybody = np.bincount(tuples.sensitive, tuples.rows, minlength=tuples.values)
        table, everybody = (known(part, hollow=tuples.hollow) for part in (table, everybody[None, :]))
        diversity = int(distinct(table).min())
        entropy_l = float(np.exp(entropy(table).min()))
        distances = table_distances(
            table, reference=everybody[0], distance=limits.distance, ancestors=limits.ancestors
        )  # fmt: skip
        far = float(distances.max())
    return Generalisation(
        fields=tuple(_levels(tuples, chosen)), score=chosen.score, rows=tuples.total, suppressed=chosen.suppressed,
        combinations=len(tuples.rows), classes=len(sizes), k=int(sizes.min()),
        k_persons=people, l=diversity, entropy_l=entropy_l, t=far,
        looked_at=chosen.looked_at, nodes=chosen.nodes,
    )  # fmt: skip


def _fewest(tuples: Tuples, classes: Any, *, stays: Any) -> int | None:
    """People of the smallest class that stays."""
    if tuples.people is None:
        return None
    count = int(classes.max(initial=-1)) + 1
    people = tuples.people.per_class(classes, count=count)
    return int(people[np.unique(classes[stays])].min())


def _levels(tuples: Tuples, chosen: Chosen) -> list[FieldLevel]:
    found = []
    for place, (hierarchy, level) in enumerate(zip(tuples.hierarchies, chosen.levels, strict=True)):
        count = hierarchy.codes.shape[1]
        share = float(hierarchy.shares()[level][tuples.codes[place]] @ tuples.rows) / tuples.total
        loss = max(0.0, (share - 1 / count) / (1 - 1 / count)) if count > 1 else 0.0
        found.append(
            FieldLevel(
                name=hierarchy.name,
                level=level,
                levels=hierarchy.height,
                groups=len(hierarchy.labels[level]),
                values=count,
                loss=loss,
                formula=(hierarchy.formulas or (None,) * hierarchy.height)[level],
            )
        )
    return found
