"""What a refresh keeps of the version before, so that two versions of one line never say a field at two levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the version before settled, and a refresh keeps.

    Attributes:
        ref: that version.
        levels: its node; None where none was searched.
        files: its shards, whose categories stay.
        growing: whether only rows that came since are read, so that nothing can be counted but over all of them.
    """

    ref: str
    levels: Mapping[str, int] | None
    files: tuple[Path, ...]
    growing: bool = False
