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


class EntropyDiversity(Word):
    """Entropy l-diversity: exp of the entropy of a sensitive field is at least `value` in each class."""

    column: Name
    value: float = Field(gt=1.0, le=1e6)


class Closeness(Word):
    """t-closeness (Li, Li, Venkatasubramanian 2007): how far a class may be from everybody.

    Attributes:
        column: the sensitive field.
        value: largest distance, 0 to 1.
        distance: `equal` (any two values one apart) or `ordered` (values in their order).
    """

    column: Name
    value: float = Field(gt=0.0, lt=1.0)
    distance: Literal["equal", "ordered"] = "equal"


class Disclosure(Word):
    """Limits on finding somebody, measured on the files written and reached by leaving rows out, or refused.

    Attributes:
        k: people of the smallest class alike on every kept quasi-identifier (k-anonymity, Sweeney 2002).
        l: distinct l-diversity (Machanavajjhala 2007).
        entropy_l: entropy l-diversity (the same, section 4.2).
        t: t-closeness to all rows written. `l`, `entropy_l` and `t` name one field.
        suppress: largest share of accepted rows that may be left out to reach the limits; 0 forbids suppression.
        count: what k counts: `persons`, told apart by `extract.entity` (rows of one person hide nobody), or `rows`.
        search: how coarse each field may become; the best combination is found when the version is made. None when the
            fields' own formulas are all there is.
    """

    k: int = Field(ge=1)
    l: Diversity | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: EntropyDiversity | None = None
    t: Closeness | None = None
    suppress: Share = 0.0
    count: Literal["rows", "persons"] = "persons"
    search: GeneralisationSearch | None = None

    @property
    def sensitive(self) -> str | None:
        """The field whose diversity or closeness is limited."""
        return next((limit.column for limit in (self.l, self.entropy_l, self.t) if limit is not None), None)
