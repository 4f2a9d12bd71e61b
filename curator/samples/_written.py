"""What the stream wrote, and how alike persons are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from curator.manifest import FileEntry
from curator.rowdigest import SCHEME, RowDigest
from curator.samples._checked import QualityReport
from curator.samples._identifiers import IdentifierCount

RowOrder = Literal["keyed", "engine"]


@dataclass(frozen=True, kw_only=True)
class DisclosureReport:
    """How alike persons are in the files written (k-anonymity, l-diversity, t-closeness); counts and shares only.

    Attributes:
        rows: rows written.
        quasi_identifiers: the fields taken together.
        classes: distinct combinations of them.
        k: rows of the smallest class; 0 when nothing was written.
        l: fewest distinct values of the sensitive field in a class; None when none is declared.
        entropy_l: least exp(entropy) of these values in a class; None likewise.
        t: greatest distance of a class from all rows, 0 to 1; None likewise.
        distance: the ground distance of t: `equal` or `ordered`.
        sensitive: the field that these three are of.
        k_persons: people of the smallest class; None when rows are counted, or nothing tells people apart.
        people: how people were told apart (`curator.spec.people`): `files` when they were counted in the files as
            written, `stream` when just before (up to a thousand a class), `alone` when each row is a person of its own,
            `rows` when only rows are counted.
        suppressed: rows left out to reach the limits.
        sizes: upper bound of a class size -> rows in classes up to that size (and above the bound before).
    """

    rows: int
    quasi_identifiers: tuple[str, ...]
    classes: int
    k: int
    suppressed: int
    l: int | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None = None
    t: float | None = None
    distance: str | None = None
    sensitive: str | None = None
    k_persons: int | None = None
    people: str = "rows"
    sizes: Mapping[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The report as JSON."""
        return {**vars(self), "quasi_identifiers": list(self.quasi_identifiers), "sizes": dict(self.sizes)}


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the stream wrote.

    Attributes:
        files: the shards.
        schema: name, Arrow type of each written field.
        quality, disclosure: what was found on the way and on the files.
        order: `keyed` or `engine`.
        identifiers: token field -> how many identifiers were known, unknown and malformed.
        unmoved: field that is moved -> rows where it became null, because there was no day or place to move.
        digests: split -> digest of its rows, whatever their order (`curator.rowdigest`).
        drawing: what the draw counted, as `Sample.drawing`.
    """

    files: tuple[FileEntry, ...]
    schema: tuple[tuple[str, str], ...]
    quality: QualityReport
    disclosure: DisclosureReport | None
    order: RowOrder
    identifiers: Mapping[str, IdentifierCount] = field(default_factory=dict)
    unmoved: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, RowDigest] = field(default_factory=dict)
    drawing: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows written."""
        return sum(entry.rows for entry in self.files)

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever made the version should know of it: rows set apart or left out, identifiers not well made."""
        apart = self.quality.rows - self.quality.accepted
        left_out = self.disclosure.suppressed if self.disclosure else 0
        notes = [f"{apart:,} of {self.quality.rows:,} rows set apart: `curator rejected` tells why"] if apart else []
        notes += [f"{left_out:,} rows left out: too few people are like them"] if left_out else []
        notes += [
            f"`{name}`: {bad:,} of {count.tokens + count.unknown:,} identifiers break the rules of their form"
            for name, count in self.identifiers.items()
            if (bad := count.malformed)
        ]
        return tuple(notes)

    @property
    def row_digest(self) -> dict[str, Any]:
        """What the manifest says of the rows: the scheme, the digest of all of them and of each split."""
        return {
            "scheme": SCHEME,
            "digest": str(sum(self.digests.values(), RowDigest())),
            "splits": {split: str(digest) for split, digest in sorted(self.digests.items())},
        }
