"""Whom the dataset stands for: the rows kept against the population they were drawn from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from curator.spec.model._words import Formula, Name, Share, Text, Word


class RepresentationLimits(Word):
    """What `curate` refuses; a limit that is absent only reports.

    Attributes:
        difference: largest standardised difference of the share of a class (0.1 is usual; Austin 2009).
        divergence: largest Jensen-Shannon divergence of a dimension, in bits, from 0 to 1.
        missing: strongest dependence of missing values of one dimension on another (Cramér's V, from 0 to 1).
    """

    difference: Annotated[float, Field(ge=0.0)] | None = None
    divergence: Share | None = None
    missing: Share | None = None


class Representation(Word):
    """What is compared between the population (all extracted rows) and the rows kept (drawn and accepted).

    Attributes:
        dimensions: name -> formula whose values are the classes; a column's name is a formula. Bands for numbers.
        unknown: texts that mean that nobody knows, besides nulls and empty texts.
        smallest_cell: no count below it is told; smaller classes are pooled before they leave the engine.
        limits: what is refused.
    """

    dimensions: dict[Name, Formula] = Field(min_length=1, max_length=40)
    unknown: tuple[Text, ...] = ()
    smallest_cell: int = Field(default=10, ge=1, le=1_000_000)
    limits: RepresentationLimits = RepresentationLimits()
