"""Which rows and columns a use case needs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curator.spec.model._events import History, Label
from curator.spec.model._sampling import Sample
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


class Window(Word):
    """The days a row may be of, both ends included; a row without the date is left out.

    Attributes:
        column: a date or timestamp column of a source.
        since, until: days as 2019-01-01; at least one of them.
    """

    column: Name
    since: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    until: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")


class Extraction(Word):
    """Which rows and columns the use case needs.

    Attributes:
        from_: the base source; its rows are what the dataset counts.
        join: tables brought to it, in order.
        window: the days a row may be of.
        history: features from events up to a cut-off.
        label: whether an event comes after the cut-off.
        derive: columns computed from others, in order; each may use those before it.
        where: condition a row must meet (null counts as not met).
        sample: which of the rows to keep.
        row_key: columns that name one row; they must be unique and not null. `[whole_row]` where there are none: all
            declared cells of the base source, and a number among the rows that are equal in them.
        entity: columns that name whom the row is about; no entity crosses splits.
    """

    from_: Name = Field(alias="from")
    join: tuple[Join, ...] = ()
    window: Window | None = None
    history: tuple[History, ...] = Field(default=(), max_length=16)
    label: Label | None = None
    where: Formula | None = None
    derive: dict[Name, Formula] = Field(default_factory=dict)
    sample: Sample | None = None
    row_key: tuple[Name, ...] = Field(min_length=1)
    entity: tuple[Name, ...] = Field(min_length=1)

    def event_tables(self) -> tuple[History | Label, ...]:
        """Everything that looks at events, in the order of the spec."""
        return (*self.history, *((self.label,) if self.label else ()))
