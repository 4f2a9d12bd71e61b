"""Hierarchies from files, in ARX's form: one line a value, the value first, then its groups from fine to coarse."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from curator.errors import SpecError

_MARKS = (";", ",", "\t")
_LARGEST = 64_000_000  # bytes


def read_rows(path: Path, *, name: str) -> list[list[str]]:
    """The table of a hierarchy file, without empty lines.

    Args:
        path: a UTF-8 file without header; the mark between cells is the most frequent of `;`, `,` and tab in the first
            line.
        name: the field, for messages.

    Raises:
        SpecError: `hierarchy-unreadable`, when it is absent, not UTF-8, not a table, or larger than 64 MB.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise _unreadable(path, name, found="more than 64 MB")
        text = path.read_bytes().decode("utf-8-sig")
        first = Counter(text.split("\n", 1)[0])
        mark = max(_MARKS, key=lambda mark: first[mark])
        return [row for row in csv.reader(text.splitlines(), delimiter=mark, strict=True) if any(row)]
    except OSError:
        raise _unreadable(path, name, found="no file that can be read") from None
    except UnicodeDecodeError:
        raise _unreadable(path, name, found="bytes that are not UTF-8") from None
    except csv.Error:
        raise _unreadable(path, name, found="a line that is not well-formed CSV") from None


def _unreadable(path: Path, name: str, *, found: str) -> SpecError:
    return SpecError(
        "hierarchy-unreadable", asked=f"read the hierarchy of `{name}` from {path.name}", found=found,
        expected="a UTF-8 CSV file without header: the value, then its groups from fine to coarse",
        todo="correct `disclosure.search` in the spec: its path starts from the spec's own folder",
    )  # fmt: skip
