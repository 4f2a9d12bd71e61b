"""Which rows and columns a use case needs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curator.spec.model._words import Formula, Name, Word


class Join(Word):
    """A table brought to the base table by equal keys.

    Attributes:
        source: name of the joined source.
        on: columns of that name on both sides; the joined table's copy is not kept.
        kind: `inner` drops rows without partner, `left` keeps them with nulls.
        orphans: `report` counts rows without partner in either direction; `stop` refuses any; `ignore` saves the count.
    """

    source: Name
    on: tuple[Name, ...] = Field(min_length=1)
    kind: Literal["inner", "left"] = "inner"
    orphans: Literal["report", "stop", "ignore"] = "report"


class Sample(Word):
    """A reproducible share of the rows, chosen by hash threshold on a stable key.

    Rows that share the key stay together, and a row chosen once stays chosen when the source grows.
    """

    fraction: float = Field(gt=0.0, le=1.0)
    by: tuple[Name, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)


class Extraction(Word):
    """Which rows and columns the use case needs.

    Attributes:
        from_: the base source; its rows are what the dataset counts.
        join: tables brought to it, in order.
        where: condition a row must meet (null counts as not met).
        derive: columns computed from others, in order; each may use those before it.
        sample: share of the rows to keep.
        row_key: columns that name one row; they must be unique and not null.
        entity: columns that name whom the row is about; no entity crosses splits.
    """

    from_: Name = Field(alias="from")
    join: tuple[Join, ...] = ()
    where: Formula | None = None
    derive: dict[Name, Formula] = Field(default_factory=dict)
    sample: Sample | None = None
    row_key: tuple[Name, ...] = Field(min_length=1)
    entity: tuple[Name, ...] = Field(min_length=1)
