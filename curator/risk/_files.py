"""The measures of written Parquet files: what is about to be published or released, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet

from curator.risk._columns import Column, columns_of, dense, together
from curator.risk._combinations import BUDGET, SHARE, Exposure, exposure
from curator.risk._measures import THRESHOLD, Measures, crowd_of, measure, whose


@dataclass(frozen=True, kw_only=True)
class Roles:
    """What the columns of a table are to somebody who looks for a person.

    Attributes:
        quasi: declared quasi-identifiers.
        sensitive: fields whose values nobody should learn.
        entity: the fields that together tell people apart, such as a token; empty when the table has none.
        other: columns that are neither, and which somebody may know nevertheless.
        tokens: pseudonyms, which nobody knows beforehand.
    """

    quasi: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RiskReport:
    """Who could be found in a table.

    Attributes:
        measures: on the declared quasi-identifiers; None when none is declared.
        exposure: on every small combination of columns; None when it was not asked for.
    """

    measures: Measures | None
    exposure: Exposure | None

    def facts(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "measures": self.measures.facts() if self.measures else None,
            "exposure": self.exposure.facts() if self.exposure else None,
        }


def measure_files(
    paths: Sequence[Path],
    roles: Roles,
    *,
    population: Sequence[Path] = (),
    threshold: float = THRESHOLD,
) -> Measures | None:
    """Measure Parquet files with one schema, on the declared quasi-identifiers.

    Args:
        paths: the files.
        roles: what their columns are.
        population: Parquet files with the same quasi-identifiers, of the population that the table was drawn from.
        threshold: chance of being found above which a person counts as at risk.

    Returns:
        The figures; None when no quasi-identifier is declared or there is no file.
    """
    if not roles.quasi or not paths:
        return None
    quasi = list(columns_of([*paths, *population], roles.quasi).values())
    sensitive = list(columns_of(paths, roles.sensitive).values())
    entity = entity_of(list(columns_of(paths, roles.entity).values()))
    crowd = None
    if population:
        rows = _rows(paths)
        crowd = crowd_of(quasi, rows=rows)
        quasi = [_cut(column, rows) for column in quasi]
    return measure(quasi, sensitive=sensitive, entity=entity, crowd=crowd, threshold=threshold)


def expose_files(paths: Sequence[Path], roles: Roles, *, share: float = SHARE, budget: int = BUDGET) -> Exposure:
    """Try every combination of one to three columns of Parquet files; tokens are left out, and told.

    Args:
        paths: the files.
        roles: what their columns are.
        share: share of people singled out above which a combination is told.
        budget: rows to look at.
    """
    names = dict.fromkeys((*roles.quasi, *roles.other, *roles.sensitive))
    columns = [column for column in columns_of(paths, list(names)).values() if column.values > 1]
    entity = entity_of(list(columns_of(paths, roles.entity).values()))
    return exposure(
        columns, declared=roles.quasi, left_out=roles.tokens, persons=None if entity is None else whose(entity),
        share=share, budget=budget,
    )  # fmt: skip


def report_files(paths: Sequence[Path], roles: Roles, *, population: Sequence[Path] = ()) -> RiskReport:
    """Both reports. Arguments as `measure_files`."""
    measures = measure_files(paths, roles, population=population)
    return RiskReport(measures=measures, exposure=expose_files(paths, roles) if paths else None)


def entity_of(parts: Sequence[Column]) -> Column | None:
    """Whom each row is about, from the columns that say so together; unknown where every part is. None without any."""
    if len(parts) < 2:
        return parts[0] if parts else None
    codes, values = together(parts)
    whole, count = dense(codes, values=values)
    unknown = np.logical_and.reduce([~part.known for part in parts])
    whole = np.where(unknown, count, whole)
    return Column(name="entity", codes=whole, values=count + 1, nulls=int(unknown.sum()) or 1, ordered=False)


def _cut(column: Column, rows: int) -> Column:
    codes = column.codes[:rows]
    nulls = int((codes == column.values - 1).sum()) if column.nulls else 0
    return Column(name=column.name, codes=codes, values=column.values, nulls=nulls, ordered=column.ordered)


def _rows(paths: Sequence[Path]) -> int:
    return sum(parquet.read_metadata(path).num_rows for path in paths)
