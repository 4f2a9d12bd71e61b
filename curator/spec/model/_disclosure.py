"""Limits on finding somebody in what is written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curator.spec.model._search import GeneralisationSearch
from curator.spec.model._words import Name, Share, Word


class Diversity(Word):
    """Distinct l-diversity: each class of like persons holds at least `value` values of a sensitive field."""

    column: Name
    value: int = Field(ge=2)


class Disclosure(Word):
    """Limits on finding somebody, measured on the files written.

    Attributes:
        k: smallest class of rows alike on every kept quasi-identifier (k-anonymity, Sweeney 2002).
        l: distinct l-diversity (Machanavajjhala 2007).
        suppress: largest share of accepted rows that may be left out to reach k and l; 0 forbids suppression.
        count: what k counts, `rows` or `persons`; rows of one person hide nobody, but people can only be counted where
            every column of `extract.entity` is written, as a token or as it is.
        search: what `curator generalise` may choose from; None when the fields' own formulas are all there is.
    """

    k: int = Field(ge=1)
    l: Diversity | None = None  # noqa: E741 (the literature's own letter)
    suppress: Share = 0.0
    count: Literal["rows", "persons"] = "rows"
    search: GeneralisationSearch | None = None
