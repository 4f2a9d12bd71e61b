"""What every engine says when the disk or the memory it was given is not enough."""

from __future__ import annotations

from curator.errors import SourceError, StorageError


def no_memory(asked: str) -> StorageError:
    """The refusal when memory is used up and nothing more can be spilled."""
    return StorageError(
        "engine-memory",
        asked=asked,
        found="the engine's memory limit reached, with no room left to spill",
        expected="more memory, or free space in the workspace for encrypted temporary files",
        todo="give the engine more with --memory, or free space on the workspace's disk",
    )


def no_space(asked: str) -> StorageError:
    """The refusal when the disk is full."""
    return StorageError(
        "no-space",
        asked=asked,
        found="no space left on the workspace's disk",
        expected="room for the engine's encrypted temporary files",
        todo="free space, then run the same command again",
    )


def too_large(asked: str) -> SourceError:
    """The refusal of a number that a formula makes too large."""
    return SourceError(
        "number-overflow",
        asked=asked,
        found="a formula whose result needs more than 64 bits, or more digits than its decimal has",
        expected="results that fit",
        todo="look at `derive`, `where` and `value` in the spec: bound what is multiplied or added "
        "(`case when abs(x) < 1000000 then x * 1000 end`), or set such rows apart by a rule",
    )
