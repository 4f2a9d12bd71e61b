"""The column names of a text file, read here so that nothing is guessed, and signs of another encoding."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import IO

from curator.engines._strangers import require_text
from curator.errors import SourceError
from curator.files import NATIVE, PACKED, Packing, codec_of, plain_name, unreadable
from curator.files import bad_encoding as _bad_encoding
from curator.spec.model import Source

_CONTROLS = re.compile(rb"[\x80-\x9f]")  # in Latin-1; a file in windows-1252 has its signs there
_PROBE = 1 << 20
_LINE_END = re.compile(r"\r\n|\r|\n")
_TITLES = 20  # lines above a header that are looked through
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16-be"}
_SPELT = {packing: packing.name.replace("zstd", "Zstandard") for packing in Packing}


def header_of(name: str, source: Source, *, stream: IO[bytes]) -> list[str]:
    """Column names of a text file, one each; checks the encoding on the first megabyte. Closes the stream.

    Args:
        name: of the source.
        source: how this file is written.
        stream: the file's bytes, unpacked but not decoded.

    Raises:
        SourceError: it is empty, packed, in another encoding or no table, has not as many columns as the spec names, or
            a declared column is there twice.
    """
    encoding = NATIVE.get(source.encoding.lower()) or codec_of(source.encoding, source=name)
    try:
        with stream:
            head = stream.read(_PROBE)
    except OSError as fault:
        raise unreadable(name, type(fault).__name__) from None
    if not head.removeprefix(codecs.BOM_UTF8):
        raise unreadable(name, "an empty file")
    require_text(name, head)
    for start, packing in PACKED.items():
        if head.startswith(start):
            raise unreadable(name, f"a file compressed by {_SPELT[packing]} (read when it is named {packing.value})")
    text = _decoded(name, head, encoding=encoding).lstrip("\ufeff")
    try:
        header = _first_line(_below(text, source.skip_lines), source)
        if not header:
            raise unreadable(name, "an empty line where the header should be (`skip_lines` leaves lines above it out)")
        if source.header:
            _require_width(name, source, cells=len(header))
            _require_row(name, source, cells=header)
            return _named(name, source, header=source.header)
        _require_first(name, source, text=text, header=header)
        return _named(name, source, header=header)
    except csv.Error:
        raise unreadable(name, "a first line that is no header") from None


def _require_width(name: str, source: Source, *, cells: int) -> None:
    """Refuse names that are not as many as the cells of the first row."""
    if cells != len(source.header):
        raise SourceError(
            "source-column-missing",
            asked=f"read the source `{name}` by the names under `header`",
            found=f"{cells:,} cell{'s' if cells != 1 else ''} in the first row, {len(source.header):,} names",
            expected="as many names as the rows have cells",
            todo="name every column in its order, or correct `separator`; without `header` the file's own are read",
        )


def _require_row(name: str, source: Source, *, cells: Sequence[str]) -> None:
    """Refuse a first row that says most of the names: it is a line of names, and would be read as somebody's row."""
    alike = sum(plain_name(cell) == plain_name(column) for cell, column in zip(cells, source.header, strict=True))
    if alike * 2 > len(source.header):
        raise SourceError(
            "source-column-repeated",
            asked=f"read the source `{name}` by the names under `header`",
            found="the same names in the first row",
            expected="a file without a line of names",
            todo="leave `header` out of the source, or the line of names out of this file",
        )


def _below(text: str, lines: int) -> str:
    """The text without its first lines."""
    for _ in range(lines):
        end = _LINE_END.search(text)
        text = text[end.end() :] if end else ""
    return text


def _require_first(name: str, source: Source, *, text: str, header: Sequence[str]) -> None:
    """Refuse a title, or Excel's `sep=;`, above the header, when the header is found a few lines below."""
    declared = {column.column or key for key, column in source.columns.items() if column.from_name is None}
    if declared & set(header):
        return
    for skipped in range(source.skip_lines + 1, source.skip_lines + _TITLES):
        below = _below(text, skipped)
        if below and declared <= set(_first_line(below, source)):
            raise SourceError(
                "source-column-missing",
                asked=f"read the declared columns of the source `{name}`",
                found=f"none of them in the first line, all of them in line {skipped + 1}",
                expected="the names of the columns in the first line",
                todo=f"state `skip_lines: {skipped}` in the source",
            )


def separator_of(source: Source, file: str) -> str:
    """The separator that the spec states, else a tabulation for a file named so, else a comma."""
    if "separator" in source.model_fields_set:
        return source.separator
    return "\t" if ".tsv" in file.lower() or ".tab" in file.lower() else source.separator


def _first_line(text: str, source: Source) -> list[str]:
    """The cells of the first line. The csv module knows separators of one character, the engine of up to four."""
    separator = source.separator if len(source.separator) == 1 else "\x1f"
    lines = io.StringIO(text.replace(source.separator, separator), newline="")
    return next(
        csv.reader(
            lines,
            delimiter=separator,
            quotechar=source.quote or None,
            quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
        ),
        [],
    )


def _named(name: str, source: Source, *, header: Sequence[str]) -> list[str]:
    """A header that the engine takes: a column without a name, or with an earlier one's, is called by place (`.3`).

    Letter case does not tell columns apart: engines ignore it. A declared column must be there once.
    """
    seen: set[str] = set()
    names = []
    for place, column in enumerate(header, start=1):
        folded = column.lower()
        names.append(f".{place}" if not folded or folded in seen else column)
        seen.add(folded)
    require_once(name, source, header=header)
    return names


def require_once(name: str, source: Source, *, header: Sequence[str]) -> None:
    """Refuse a declared column that is there twice, letter case apart. Raises SourceError."""
    folded = Counter(column.lower() for column in header)
    declared = sorted({column.column or key for key, column in source.columns.items()})
    twice = [column for column in declared if folded[column.lower()] > 1]
    if twice:
        shown = ", ".join(f"`{column}`" for column in twice)
        raise SourceError(
            "source-column-repeated",
            asked=f"read the declared columns of the source `{name}`",
            found=f"more than one column named {shown} (letter case apart)"[:600],
            expected="each declared column once",
            todo="ask the holder which of them is meant, and have the other renamed or left out",
        )


def _decoded(name: str, head: bytes, *, encoding: str) -> str:
    if encoding == "utf-16" and head.startswith(codecs.BOM_UTF16_BE):
        raise _bad_encoding(
            name,
            "UTF-16 with its bytes in big-endian order",
            expected="`encoding: utf-16-be`, or UTF-8 (`iconv -f utf-16 -t utf-8`)",
        )
    if encoding not in NATIVE.values():
        return _cut(name, head, encoding=encoding)
    cut = head[: head.rfind(b"\n") + 1] or head
    if encoding == "latin-1" and not cut.isascii():
        _refuse_other(name, cut)
    try:
        return cut.decode(encoding, errors="strict")
    except UnicodeDecodeError as fault:
        line = cut[: fault.start].count(b"\n") + 1
        other = next((other for mark, other in _MARKS.items() if head.startswith(mark)), "latin-1")
        expected = f"`encoding: {other}`" + (", or another" if other == "latin-1" else "")
        raise _bad_encoding(name, f"bytes that are not {encoding} at line {line}", expected=expected) from None


def _cut(name: str, head: bytes, *, encoding: str) -> str:
    """The beginning of a text whose last character may be cut in the middle."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(head, final=False)
    except UnicodeDecodeError as fault:
        line = head[: fault.start].count(b"\n") + 1
        raise _bad_encoding(
            name, f"bytes that are not {encoding} at line {line}", expected="another encoding"
        ) from None


def _refuse_other(name: str, cut: bytes) -> None:
    """Every byte means something in Latin-1, so what shows that it is another encoding is looked for."""
    try:
        cut.decode("utf-8")
    except UnicodeDecodeError:
        control = _CONTROLS.search(cut)
        if control:
            found = f"bytes that are no letter of latin-1 at line {cut[: control.start()].count(10) + 1}"
            raise _bad_encoding(name, found, expected="probably `encoding: windows-1252`") from None
        return
    raise _bad_encoding(name, "accents written in UTF-8 under `latin-1`", expected="`encoding: utf-8`")
