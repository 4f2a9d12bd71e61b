"""The refusals that several parts of this room share."""

from __future__ import annotations

from curator.errors import SourceError


def unreadable(name: str, found: str, *, todo: str = "check the file, its `format` and its permissions") -> SourceError:
    """The refusal of a source that is not what its format says."""
    return SourceError(
        "source-unreadable",
        asked=f"read the source `{name}`",
        found=found,
        expected="a readable file of the declared format",
        todo=todo,
    )
