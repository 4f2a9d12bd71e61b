"""Markdown from texts that anybody may have written: escaped so that they stay text wherever they stand.

The rules are CommonMark 0.31 (backslash escapes, section 2.4; entities, 2.5) and GitHub's tables, where a pipe must be
escaped even inside a code span.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_PUNCTUATION = re.compile(r"([\\`*_\[\]#|~$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
_FIRST = re.compile(r"^([-+=]|\d+(?=[.)]))")
_TICKS = re.compile(r"`+")


def plain(text: str) -> str:
    """One line of visible text: white space becomes single spaces, controls and marks of direction disappear."""
    kept = (" " if character.isspace() else character for character in text)
    visible = (character for character in kept if unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Cn"))
    return " ".join("".join(visible).split())


def prose(text: str) -> str:
    """A text as one paragraph or cell: no markup, link, address, HTML or list of its own."""
    escaped = _PUNCTUATION.sub(r"\\\1", plain(text))
    escaped = "".join(_ENTITIES.get(character, character) for character in escaped)
    escaped = _ADDRESS.sub(lambda found: f"&#{ord(found[0])};", escaped)
    return _FIRST.sub(lambda found: _escaped_start(found[1]), escaped)


def _escaped_start(start: str) -> str:
    """A mark that would begin a list or underline a heading: escaped, or an invisible joint before its full stop."""
    return f"\\{start}" if start in "-+=" else f"{start}&#8288;"


def code(text: str, *, cell: bool = False) -> str:
    """A text as a code span; in a cell of a table, pipes are escaped."""
    visible = plain(text)
    longest = max((len(run) for run in _TICKS.findall(visible)), default=0)
    fence, space = "`" * (longest + 1), " " if visible[:1] == "`" or visible[-1:] == "`" else ""
    span = f"{fence}{space}{visible}{space}{fence}" if visible else ""
    return span.replace("|", "\\|") if cell else span


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; a head that ends in `#` is aligned to the right, without the mark."""
    rules = ["---:" if head.endswith("#") else "---" for head in heads]
    lines = [[head.removesuffix("#") for head in heads], rules, *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list of lines that are Markdown already; empty ones are left out."""
    return "\n".join(f"- {line}" for line in lines if line)


def fenced(text: str, *, language: str) -> str:
    """A block of code of our own making."""
    return f"```{language}\n{text.strip()}\n```"
