"""Live sources: databases that hand their rows over, each behind one class, chosen by the scheme of an address.

    `postgresql://reader@db.example/accidents` ─► scheme table ─► a class, imported now ─► one snapshot ─► tables

The table is `SCHEMES`; a class of your own joins it with `register("scheme", YourSource)`, or with an entry point of
the group `curator.sources` in your package. What such a class must do is `curator.protocols.LiveSource`.
"""

from curator.sources._opened import Adoption, Reading, Snapshots
from curator.sources._schemes import (
    SCHEMES,
    can_follow,
    classes_statement,
    is_live,
    joined_statement,
    register,
    source_class,
    statement_of,
    would_count,
    would_join,
)

__all__ = [
    "SCHEMES",
    "Adoption",
    "Reading",
    "Snapshots",
    "can_follow",
    "classes_statement",
    "is_live",
    "joined_statement",
    "register",
    "source_class",
    "statement_of",
    "would_count",
    "would_join",
]
