"""Results on stdout, messages and progress on stderr, and no control character in either."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO

_INDENT = 2
_KEPT = "\n\t"
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, invisible marks, lone surrogates, line separators

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command found.

    Attributes:
        document: what `--json` prints.
        text: what people read.
        exit_code: 0 unless the finding is itself a refusal.
    """

    document: Mapping[str, Any]
    text: str
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True)
class Console:
    """Where a command speaks.

    Attributes:
        as_json: print exactly one JSON document on stdout.
        quiet: no message and no progress.
    """

    as_json: bool = False
    quiet: bool = False

    def answer(self, answer: Answer) -> None:
        """Print the result."""
        if self.as_json:
            _write(sys.stdout, json.dumps(answer.document, ensure_ascii=False, indent=_INDENT))
        elif answer.text:
            _write(sys.stdout, answer.text)

    def fail(self, document: Mapping[str, Any], text: str) -> None:
        """Print an error: the document on stdout for `--json`, else the text on stderr."""
        if self.as_json:
            _write(sys.stdout, json.dumps(document, ensure_ascii=False, indent=_INDENT))
        else:
            _say(text)

    def note(self, text: str) -> None:
        """A message for people, on stderr."""
        if not self.quiet:
            _say(text)

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """A callback that draws progress on a terminal; None where nothing would look at it."""
        if self.quiet or not sys.stderr.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
            yield None
            return
        with _drawn() as progress:
            yield progress

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        """A moving bar for work that does not count its steps."""
        with self.progress() as progress:
            if progress:
                progress(stage, 0, 0)
            yield


@contextmanager
def _drawn() -> Iterator[Progress]:
    """Bars on stderr that vanish when done; rich itself obeys NO_COLOR."""
    from rich.console import Console as Screen
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeElapsedColumn())
    with Progress(*columns, console=Screen(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None, done="")
            bars.update(tasks[stage], completed=done, total=total or None, done=f"{done:,}" if done else "")

        yield show


def plain(text: str) -> str:
    """Text with every control or invisible character shown as its escape, so that no name can drive a terminal."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        char if char in _KEPT or unicodedata.category(char) not in _HIDDEN else ascii(char)[1:-1] for char in text
    )


def table(rows: Sequence[Sequence[object]], *, heads: Sequence[str]) -> str:
    """Aligned columns; numbers to the right."""
    if not rows:
        return ""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    right = [isinstance(cell, int) for cell in rows[0]]
    lines = [heads, *texts]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def pairs(values: Mapping[str, object]) -> str:
    """Aligned `name  value` lines."""
    width = max((len(name) for name in values), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in values.items())


def _say(text: str) -> None:
    """A message that nobody can read (a full disk, a closed pipe) changes neither what is done nor the exit code."""
    with suppress(OSError):
        _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    safe = plain(text).encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe + "\n")
    stream.flush()
