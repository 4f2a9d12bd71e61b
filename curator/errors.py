"""One tree of errors. Each says what was asked, what was found, what was expected and what to do next.

An error never carries a value taken from a row: messages travel into logs and screens that may be read by people
who must not see the data. Names of files, tables, columns and rules, counts and types are allowed; cells are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from unicodedata import category

_LONGEST = 2_000


def shown(text: str) -> str:
    """A text as one line that cannot steer a terminal or hide its order, cut when it is very long.

    Names come from specs and files that others wrote: control characters, line ends and marks that change the direction
    of writing are spelt out (Unicode Technical Report 36, 2.5); letters of any script and spaces stay.
    """
    plain = "".join(
        char if char.isprintable() or category(char) == "Zs" else char.encode("unicode_escape").decode("ascii")
        for char in text[:_LONGEST]
    )
    return plain if len(text) <= _LONGEST else plain + " ..."


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One place in a file that is wrong; a spec reports all of its faults at once.

    Attributes:
        file: the file as the user named it.
        line: first line of the fault, counted from 1; 0 when the fault belongs to the whole file.
        column: first column, counted from 1; 0 likewise.
        found: what stands there.
        expected: what could stand there, with the nearest valid word where there is one.
    """

    file: str
    line: int = 0
    column: int = 0
    found: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{shown(place)}: found {shown(self.found)}; expected {shown(self.expected)}"


class CuratorError(Exception):
    """Root of every error that curator raises on purpose.

    Args:
        code: the slug of its page, shown by `curator explain CODE` (see `curator.explanations`).
        asked: what the caller wanted.
        found: what stood in the way.
        expected: what would have been right.
        todo: the next step, a command or a line to write where possible.
        faults: the places, when there are several.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, *, asked: str, found: str, expected: str, todo: str, faults: Iterable[Fault] = ()
    ) -> None:
        self.code, self.asked, self.found, self.expected, self.todo = code, asked, found, expected, todo
        self.faults = tuple(faults)
        super().__init__(self.render())

    def render(self) -> str:
        """The error as people read it, one labelled line each, faults below."""
        lines = [
            f"error[{self.code}] {shown(self.asked)}",
            f"  found:    {shown(self.found)}",
            f"  expected: {shown(self.expected)}",
            f"  do next:  {shown(self.todo)}",
        ]
        return "\n".join(lines + [f"  - {fault}" for fault in self.faults])

    def to_json(self) -> dict[str, object]:
        """The error as `--json` prints it."""
        return {
            "error": self.code,
            "exit_code": self.exit_code,
            "asked": self.asked,
            "found": self.found,
            "expected": self.expected,
            "todo": self.todo,
            "faults": [vars(fault) for fault in self.faults],
        }


class UsageError(CuratorError):
    """The command or call itself cannot be understood."""

    exit_code = 2


class SpecError(CuratorError):
    """A use-case spec is not valid."""

    exit_code = 10


class SourceError(CuratorError):
    """A source is missing, unreadable or not shaped as its spec declares."""

    exit_code = 11


class QualityError(CuratorError):
    """The rows do not meet the spec's expectations."""

    exit_code = 12


class DisclosureError(CuratorError):
    """Somebody could be found in the result: the declared limits are not met."""

    exit_code = 13


class NotAllowedError(CuratorError):
    """The agent, role, channel or state does not allow this move."""

    exit_code = 14


class IntegrityError(CuratorError):
    """Bytes, signatures or links are not what the evidence says."""

    exit_code = 15


class ParityError(CuratorError):
    """A converted model does not answer as the fitted one does, or cannot be converted."""

    exit_code = 16


class StorageError(CuratorError):
    """The workspace, Git, DVC or the disk refuses: exists already, dirty, locked, full."""

    exit_code = 17


class SecretError(CuratorError):
    """A key is missing, too short, readable by others or lacks its context."""

    exit_code = 18
