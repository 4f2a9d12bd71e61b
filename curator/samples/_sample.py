"""Extracted rows, still in the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curator.files import Where
from curator.protocols import BoundSource, Engine
from curator.spec import Scope, UseCase

SAMPLE = "sample"
"""The relation that holds the extracted rows, every name of the scope a column of it."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Extracted rows, still in the engine.

    Attributes:
        use_case, scope: what is wanted, and the names in force.
        engine: where the rows are.
        paths: source -> where it was read from.
        bound: source -> how the engine reads it.
        orphans: join -> rows without partner, `left` in the base so far, `right` in the joined table.
        drawing: what the draw counted: rows it was drawn from, rows drawn, of both the positive and the negative ones
            where negatives are drawn, events without a time, rows that only a number tells from another where they
            have no key.
        classes: the relation that holds the population's classes (`curator.representation.classes_sql`), where the
            database that holds all its rows counted them; the relation of the population then lacks rows.
    """

    use_case: UseCase
    scope: Scope
    engine: Engine
    paths: Mapping[str, Where]
    bound: Mapping[str, BoundSource]
    orphans: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    drawing: Mapping[str, int] = field(default_factory=dict)
    classes: str | None = None

    @property
    def estimated_rows(self) -> int:
        """Rows of the base source, or an estimate: the same for the same bytes."""
        return self.bound[self.use_case.extract.from_].estimated_rows

    @property
    def notes(self) -> tuple[str, ...]:
        """Rows that an inner join lost, in words, for whoever makes a version: codes spelt in two ways lose most."""
        inner = {join.source for join in self.use_case.extract.join if join.kind == "inner"}
        return tuple(
            f"{counts['left']:,} rows of `{self.use_case.extract.from_}` have no partner in `{name}`, and are not kept"
            for name, counts in self.orphans.items()
            if name in inner and counts["left"]
        )

    def unchanged(self) -> None:
        """Refuse sources that changed since they were bound. Raises SourceError."""
        for bound in self.bound.values():
            bound.unchanged()

    def facts(self) -> dict[str, Any]:
        """What the evidence says of the extraction; no path outside the file's own name, no value."""
        return {
            "sources": {
                name: {
                    **self.bound[name].facts(),
                    "read": sorted(column.column or key for key, column in self.use_case.sources[name].columns.items()),
                    "columns_left_unread": len(self.bound[name].unread),
                }
                for name in self.bound
            },
            "orphans": {name: dict(counts) for name, counts in self.orphans.items()},
            **({"drawing": dict(self.drawing)} if self.drawing else {}),
            **({"population_counted_there": True} if self.classes is not None else {}),
        }
