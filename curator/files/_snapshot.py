"""Whether files stood still while they were read: a set of files is one snapshot, or it is refused.

A file's state is told by what the system says of it (device, number, size, times of content and of status,
POSIX.1-2017 `stat`) and by a digest of its bytes, both taken before the first read and after the last. The time of
status cannot be set by a program, so a file changed and dressed as before is known even where its digest is not taken
again. Two changes within one tick of the clock would look alike, so a file changed a moment ago is waited for, a
tenth of a second at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curator.errors import SourceError

_TICK_NS = 20_000_000  # longer than a tick of any kernel's clock (10 ms at 100 Hz)
_PATIENCE = 5


@dataclass(frozen=True, order=True)
class Identity:
    """One state of a file.

    Attributes:
        size: bytes.
        changed: nanoseconds since 1970, time of the last change of its content.
        mark: whatever else tells states apart (device, number, time of status; an object store's tag and version).
    """

    size: int
    changed: int
    mark: str = ""


def local_identity(path: Path) -> Identity | None:
    """The state of a file on a disk; None when there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # a name that no file can have is not there either
        return None
    return Identity(status.st_size, status.st_mtime_ns, f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of a source's files before they are read.

    Attributes:
        source: its name in the spec.
        states: address of each file -> its state then.
        look: gives the addresses and states as they are now.
    """

    source: str
    states: Mapping[str, Identity]
    look: Callable[[], Mapping[str, Identity]] = field(repr=False, compare=False)

    @classmethod
    def take(cls, source: str, look: Callable[[], Mapping[str, Identity]]) -> Snapshot:
        """Look once the files are older than a tick of the clock, or at a file that never comes to rest as it is."""
        states = look()
        for _ in range(_PATIENCE):
            age = time.time_ns() - max((state.changed for state in states.values()), default=0)
            if age < 0 or age > _TICK_NS:
                break
            time.sleep(_TICK_NS / 1e9)
            states = look()
        return cls(source=source, states=dict(states), look=look)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(state.size for state in self.states.values())

    @property
    def changed(self) -> int:
        """Nanoseconds since 1970 of the last change of any file."""
        return max((state.changed for state in self.states.values()), default=0)

    def unchanged(self) -> None:
        """Refuse files that changed, came or went. Raises SourceError `source-changed`."""
        now = self.look()
        came, gone = sorted(set(now) - set(self.states)), sorted(set(self.states) - set(now))
        changed = sorted(name for name in set(now) & set(self.states) if now[name] != self.states[name])
        if came or gone or changed:
            words = [
                ("a file that came", came),
                ("a file that went", gone),
                ("another size or modification time", changed),
            ]
            raise changed_source(self.source, "; ".join(f"{word}: {_some(names)}" for word, names in words if names))


def changed_source(source: str, found: str) -> SourceError:
    """The refusal of a source that did not stand still."""
    return SourceError(
        "source-changed",
        asked=f"read the source `{source}` to its end",
        found=found[:600],
        expected="a source that stands still while it is read",
        todo="run again once the source is at rest, or read a snapshot of it",
    )


def _some(addresses: Sequence[str]) -> str:
    names = [address.rpartition("/")[2] for address in addresses]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
