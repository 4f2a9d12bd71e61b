"""What every engine says when the disk or the memory it was given is not enough."""

from __future__ import annotations

from curator.errors import StorageError


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
