"""What an attack found beside the people: one thing that should not be there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Something that should not be there.

    Attributes:
        kind: `canary`, `clear-identifier`, `statistics`, `metadata`, `hidden-bytes`, `undeclared-column`, `file-name`,
            `container`, `row-order`, `k`, `differencing`, `training-rows`, `rare-word` or `dictionary (TRANSFORM)`.
        where: a member of the package, a column, or both; never a value.
        count: how often.
    """

    kind: str
    where: str
    count: int = 1
