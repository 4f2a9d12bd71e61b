"""What must hold of the rows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from curator.spec.model._words import Share, Text, Word


class Expectation(Word):
    """A Great Expectations expectation and what happens to a row that fails it.

    Attributes:
        type: its Great Expectations name.
        kwargs: its arguments, as in a suite's JSON.
        on_failure: `reject` sets the row apart with its reason; `warn` reports only (a true extreme must survive);
            `stop` refuses the whole run when the expectation is not met.
        because: why it must hold, for whoever meets its failure.
    """

    type: str = Field(pattern=r"^expect_[a-z0-9_]+$", max_length=100)
    kwargs: dict[str, Any] = Field(default_factory=dict)
    on_failure: Literal["reject", "warn", "stop"] = "reject"
    because: Text | None = None


class Quality(Word):
    """What must hold of the rows.

    Attributes:
        expectations: the suite.
        max_rejected: largest share of extracted rows that may be rejected before the run is refused.
        keep_rejected_days: days that rejected rows are kept, encrypted, for their holder to correct the source.
    """

    expectations: tuple[Expectation, ...] = ()
    max_rejected: Share = 0.5
    keep_rejected_days: int = Field(default=30, ge=0, le=3650)
