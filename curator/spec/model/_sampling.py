"""Which of the rows a use case keeps: shares, quotas and caps, all by public hash, so that anybody can draw them again.

Every option ranks rows by a hash of the sampling key. Nothing is left to chance: the same rows come out on every
engine and in every run, and what an option evicts it evicts by rank. `curator.sampling` says in which order they act.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curator.spec.model._words import Formula, Name, Word

Rows = Annotated[int, Field(ge=0, le=10**12)]
Ratio = Annotated[float, Field(gt=0.0, le=1_000_000.0)]
Fraction = Annotated[float, Field(gt=0.0, le=1.0)]


class AtLeast(Word):
    """Rows that each class keeps whatever the fraction: all of them when it has fewer, so a rare class stays whole.

    The key that reaches the number is kept whole, so that there may be a few more.
    """

    by: tuple[Name, ...] = Field(min_length=1)
    rows: Rows


class Strata(Word):
    """Exact shares or numbers of the rows of each stratum, by rank within it.

    Attributes:
        by: columns whose values taken together make the strata; nulls are a value of their own.
        fraction: share of each stratum, rounded up, so that none disappears; the key that reaches it is kept whole.
            Exclusive with `rows`.
        rows: at most so many rows of each stratum.
    """

    by: tuple[Name, ...] = Field(min_length=1)
    fraction: Fraction | None = None
    rows: Rows | None = None


class Quotas(Word):
    """Rows kept of each class of one column.

    Attributes:
        by: a text, integer or boolean column.
        rows: class, as text -> rows at most, or `all`.
        others: the same for each class that `rows` does not name; nulls are one of them.
    """

    by: Name
    rows: dict[str, Rows | Literal["all"]] = Field(min_length=1, max_length=1_000)
    others: Rows | Literal["all"] = "all"


class Negatives(Word):
    """All positive rows, and a number of negative ones in proportion.

    Attributes:
        positive: condition of a positive row; a row for which it is unknown (null) is neither, and is left out.
        per_positive: negative rows kept for each positive one.
        within: columns within whose values the proportion must hold (matched negatives); the whole when empty.
    """

    positive: Formula
    per_positive: Ratio
    within: tuple[Name, ...] = ()


class Sample(Word):
    """A reproducible choice of rows, by hash of a stable key; rows that share the key are chosen together.

    Attributes:
        fraction: share of the keys, by hash threshold: a key chosen once stays chosen when the source grows.
        by: the sampling key; a row whose key has a null is drawn by its row key.
        seed: another seed draws other rows.
        per_entity: at most so many rows of each entity; a row without entity counts for itself.
        at_least: rows of each class kept whatever the fraction.
        quotas: rows of each class of one column.
        strata: exact shares or numbers of each stratum.
        negatives: negative rows in proportion to the positive ones.
        max_rows: at most so many rows in all; the last to be chosen are left out first.
    """

    fraction: Fraction | None = None
    by: tuple[Name, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    per_entity: Annotated[int, Field(ge=1, le=10**9)] | None = None
    at_least: AtLeast | None = None
    quotas: Quotas | None = None
    strata: Strata | None = None
    negatives: Negatives | None = None
    max_rows: Annotated[int, Field(ge=1, le=10**12)] | None = None

    @property
    def ranked(self) -> bool:
        """Whether an option ranks rows against each other, so that one pass over all of them is needed first."""
        ranking = (self.per_entity, self.at_least, self.quotas, self.strata, self.negatives, self.max_rows)
        return any(option is not None for option in ranking)
