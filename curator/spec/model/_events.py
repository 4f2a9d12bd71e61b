"""Columns made from a table of events, each row looking at its own moment: features before it, the label after it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from curator.spec.model._words import Formula, Name, Word

Days = Annotated[int, Field(ge=1, le=36525)]


class Measure(Word):
    """What is told of the events of a row.

    Attributes:
        measure: `count` of events; `sum`, `mean`, `min`, `max` of a column; its value in the `last` event; whole days
            from the last event to the cut-off (`days_since`).
        of: the column of the events; none for `count` and `days_since`.
    """

    measure: Literal["count", "sum", "mean", "min", "max", "last", "days_since"]
    of: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"measure": value} if isinstance(value, str) else value


class History(Word):
    """Features from events up to a cut-off (a point-in-time join): no event after it is ever looked at.

    Attributes:
        events: source of the events; it may be the base itself.
        on: key columns, of that name on both sides.
        at: when an event became known: a date or timestamp of the events.
        until: the cut-off: a date or timestamp, of the same type, of the rows; an event at that very moment counts.
        strictly: leave out events at the very moment of the cut-off too (the row's own, when the base is the events).
        within_days: look no further back than so many days.
        where: condition an event must meet.
        columns: new column -> what it tells. Without events a count is 0 and everything else null; a row whose key or
            cut-off is null has nulls only.
    """

    events: Name
    on: tuple[Name, ...] = Field(min_length=1)
    at: Name
    until: Name
    strictly: bool = False
    within_days: Days | None = None
    where: Formula | None = None
    columns: dict[Name, Measure] = Field(min_length=1, max_length=64)


class Label(Word):
    """Whether an event comes within a horizon after the cut-off: true in (cut-off, cut-off + days], else false.

    Attributes:
        name: the new column, a boolean.
        events, on, at, where: as in a history.
        after: the cut-off.
        within_days: the horizon.
        observed_until: last day whose events are known (YYYY-MM-DD). A row whose horizon ends later has a null label:
            nobody knows yet. Without it, what is not known counts as false.
    """

    name: Name
    events: Name
    on: tuple[Name, ...] = Field(min_length=1)
    at: Name
    after: Name
    within_days: Days
    where: Formula | None = None
    observed_until: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
