"""What a suite is made of once compiled: frozen rules, each with the place of its expectation in the spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from curator.spec.model import Expectation

FigureKind: TypeAlias = Literal[
    "mean", "median", "sum", "min", "max", "stdev", "quantile", "distinct", "proportion", "filled"
]
TableKind: TypeAlias = Literal["row_count", "column_exists", "column_type"]
FigureValue: TypeAlias = "int | float | str | list[int | float | None] | None"


@dataclass(frozen=True, kw_only=True)
class RowRule:
    """An expectation that looks at one row at a time: one bit of the mask.

    Attributes:
        id: short, stable, without any value: `e03-match-regex-plate`.
        index: place of the expectation in `quality.expectations`, from 0.
        expectation: what the spec says.
        fails: formula of `curator.expressions`, true exactly where the row is unexpected, never null.
        missing: formula, true where the row is not looked at, never null; None when every row is.
    """

    id: str
    index: int
    expectation: Expectation
    fails: str
    missing: str | None = None


@dataclass(frozen=True, kw_only=True)
class UniqueRule:
    """An expectation that no key occurs twice: one query of the engine over all rows.

    Attributes:
        id: as for a row rule.
        index: likewise.
        expectation: what the spec says.
        columns: the key; two null parts are equal, as GX and SQL's GROUP BY count them.
        types: their logical types, in the same order.
        missing: formula, true where the row is not looked at; None when every row is.
    """

    id: str
    index: int
    expectation: Expectation
    columns: tuple[str, ...]
    types: tuple[str, ...]
    missing: str | None = None


@dataclass(frozen=True, kw_only=True)
class FigureRule:
    """An expectation about one figure of a column.

    Attributes:
        id: as for a row rule.
        index: likewise.
        expectation: what the spec says.
        figure: which figure; `distinct` counts distinct values, `proportion` is distinct over not null values,
            `filled` is not null values over rows.
        column: the column.
        type: its logical type.
        arguments: `{"quantiles": (...)}` for `quantile`, else empty.
    """

    id: str
    index: int
    expectation: Expectation
    figure: FigureKind
    column: str
    type: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TableRule:
    """An expectation about the table: its rows are counted anyway, its shape is known from the spec.

    Attributes:
        id: as for a row rule.
        index: likewise.
        expectation: what the spec says.
        kind: what is looked at.
        holds: the verdict where the spec alone gives it (shape); None where rows must be counted.
        observed: what the result shows as observed, for `column_type`.
    """

    id: str
    index: int
    expectation: Expectation
    kind: TableKind
    holds: bool | None = None
    observed: str | None = None


Rule: TypeAlias = RowRule | UniqueRule | FigureRule | TableRule


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A compiled suite.

    Attributes:
        name: reference of the use case.
        rows: one bit of the mask each.
        uniques: one query each.
        figures: together one aggregate query.
        tables: no query.
        reasons: rule id -> why a row was set apart or an expectation not met; names columns, never a value.
    """

    name: str
    rows: tuple[RowRule, ...] = ()
    uniques: tuple[UniqueRule, ...] = ()
    figures: tuple[FigureRule, ...] = ()
    tables: tuple[TableRule, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order of the spec."""
        every: tuple[Rule, ...] = (*self.rows, *self.uniques, *self.figures, *self.tables)
        return tuple(sorted(every, key=lambda rule: rule.index))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What one pass over the rows counted.

    Attributes:
        rows: rows looked at, before any is set apart.
        unexpected: id of a row or unique rule -> rows that fail it.
        missing: id -> rows it does not look at; an absent id counts 0.
        figures: id of a figure rule -> its figure; None when no value is there to compute it. Dates and timestamps
            are ISO 8601 texts, quantiles are a list in the order asked.
        rejected: rows set apart by at least one `reject` rule.
    """

    rows: int
    unexpected: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, FigureValue] = field(default_factory=dict)
    rejected: int = 0
