"""Plain aligned text: sections of rows of cells, never wider than a page, without colours or control characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest

WIDTH = 100
_INDENT, _GAP, _LEAST = 2, 2, 8

Section = tuple[str, Sequence[Sequence[str]]]


def visible(text: str) -> str:
    """One line without controls: white space becomes single spaces, what cannot be printed disappears."""
    kept = ("" if not (character.isspace() or character.isprintable()) else character for character in text)
    return " ".join("".join(kept).split())


def page(heading: str, sections: Iterable[Section]) -> str:
    """A heading and sections, each with its title in capitals; sections without rows are left out."""
    blocks = [_wrapped(visible(heading), WIDTH)]
    blocks += [[title.upper(), *rows_as_lines(rows)] for title, rows in sections if rows]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def rows_as_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned lines; a cell too wide for its column goes on below."""
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = _widths(cells)
    lines = []
    for row in cells:
        wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=False)]
        for parts in zip_longest(*wrapped, fillvalue=""):
            padded = (part.ljust(width) for part, width in zip(parts, widths, strict=False))
            lines.append((" " * _INDENT + (" " * _GAP).join(padded)).rstrip())
    return lines


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    """Natural widths, the widest column made narrower until the page holds them all."""
    columns = zip_longest(*cells, fillvalue="")
    widths = [max(map(len, column)) or 1 for column in columns]
    room = WIDTH - _INDENT - _GAP * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _LEAST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=True, break_on_hyphens=False) or [""]
