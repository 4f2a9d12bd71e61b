"""The SQL that reads one declared source: only declared columns, typed strictly, null tokens applied.

A cell of a text file that cannot be read as its declared type becomes null, and its text stays reachable so that the
row can be rejected with its reason; nothing is guessed. Guards are full matches, because an engine's own cast takes
more than a person would (`0x1F`, `1e3`, `-3.7` as an integer).
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.errors import SourceError
from curator.spec.model import Column, LogicalType, Source, SourceFormat
from curator.sqltext import literal, quoted

_SUFFIXES = {
    ".csv": SourceFormat.csv, ".tsv": SourceFormat.csv, ".txt": SourceFormat.csv, ".parquet": SourceFormat.parquet,
    ".json": SourceFormat.json, ".jsonl": SourceFormat.json, ".ndjson": SourceFormat.json,
    ".duckdb": SourceFormat.duckdb, ".sqlite": SourceFormat.sqlite,
}  # fmt: skip
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "latin-1": "latin-1", "iso-8859-1": "latin-1", "utf-16": "utf-16"}
_SQLITE = b"SQLite format 3\x00"  # the first bytes of a database file (sqlite.org/fileformat.html, 1.3)
_DUCKDB = b"DUCK"  # bytes 8 to 11 (duckdb.org, storage)
_ISO_MOMENT = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"  # ISO 8601, no zone
_PROBE = 1 << 20
_BYTES_PER_ROW = 64  # a low guess, so that text files get enough shards

# Physical types that hold a logical type without loss.
_COMPATIBLE: dict[LogicalType, tuple[str, ...]] = {
    LogicalType.text: ("VARCHAR", "ENUM", "UUID"),
    LogicalType.free_text: ("VARCHAR",),
    LogicalType.integer: ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    LogicalType.decimal: ("DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    LogicalType.float: ("FLOAT", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DECIMAL"),
    LogicalType.boolean: ("BOOLEAN",),
    LogicalType.date: ("DATE",),
    LogicalType.timestamp: ("TIMESTAMP", "DATE"),
}


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A source made readable; see `curator.protocols.BoundSource`."""

    relation: str
    sql: str
    estimated_rows: int
    raw_columns: Mapping[str, str] = field(default_factory=dict)
    unread: Sequence[str] = ()
    fingerprint: tuple[int, int] = (0, 0)


def read_sql(name: str, source: Source, path: Path, *, describe: Callable[[str], dict[str, str]]) -> Bound:
    """The typed query over a source. Raises SourceError when the file or one of its columns is not as declared."""
    kind = kind_of(name, source, path)
    scan, physical = _scan(name, source, path, kind, describe)
    _require_columns(name, source, list(physical))
    textual = kind in (SourceFormat.csv, SourceFormat.sqlite, SourceFormat.json)
    selected, raw = [], {}
    for key, column in source.columns.items():
        found = column.column or key
        cell = _cell(quoted(found), source, physical[found] == "VARCHAR" and kind != SourceFormat.csv)
        if textual and column.type not in (LogicalType.text, LogicalType.free_text):
            raw_name = f"raw {key}"
            raw[key] = quoted(raw_name)
            selected += [f"{_read_as(cell, column, source)} AS {quoted(key)}", f"{cell} AS {quoted(raw_name)}"]
        else:
            _require_type(name, key, column, physical[found])
            selected.append(f"{_typed(cell, column, physical[found])} AS {quoted(key)}")
    declared = {column.column or key for key, column in source.columns.items()}
    status = path.stat()
    return Bound(
        relation=f"source {name}",
        sql=f"SELECT {', '.join(selected)} FROM {scan}",  # noqa: S608 (identifiers quoted, literals escaped)
        estimated_rows=_estimate(path, kind, status.st_size),
        raw_columns=raw,
        unread=tuple(column for column in physical if column not in declared),
        fingerprint=(status.st_size, status.st_mtime_ns),
    )


def _scan(
    name: str, source: Source, path: Path, kind: SourceFormat, describe: Callable[[str], dict[str, str]]
) -> tuple[str, dict[str, str]]:
    """The engine's table function over the file, and the physical columns it gives."""
    if kind == SourceFormat.csv:
        header = _named(name, source, _header(name, source, path))
        _require_columns(name, source, header)
        return _csv_scan(source, path, header), dict.fromkeys(header, "VARCHAR")
    if kind == SourceFormat.parquet:
        scan = f"read_parquet({literal(str(path))})"
    elif kind == SourceFormat.json:
        columns = ", ".join(f"{literal(c.column or k)}: 'VARCHAR'" for k, c in source.columns.items())
        scan = f"read_json({literal(str(path))}, columns = {{{columns}}})"
    elif kind == SourceFormat.sqlite:
        scan = quoted("sqlite_" + name)
    else:
        scan = f"{quoted('db_' + name)}.{quoted(source.table or name)}"
    return scan, describe(f"SELECT * FROM {scan}")  # noqa: S608 (identifiers quoted, literals escaped)


def _csv_scan(source: Source, path: Path, header: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    nulls = ", ".join(literal(token) for token in ("", *source.null_tokens))
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, columns = {{{columns}}}, "
        f"delim = {literal(source.separator)}, quote = {literal(source.quote)}, escape = {literal(source.quote)}, "
        f"nullstr = [{nulls}], encoding = {literal(_ENCODINGS[source.encoding.lower()])})"
    )


def _header(name: str, source: Source, path: Path) -> list[str]:
    """Column names of a text file, read here so that nothing is guessed; checks the encoding on the first megabyte."""
    encoding = _ENCODINGS.get(source.encoding.lower())
    if encoding is None:
        raise _bad_encoding(name, f"`{source.encoding}`", "one of utf-8, latin-1, utf-16 (convert the file otherwise)")
    opener = _OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as stream:
            head = stream.read(_PROBE)
    except (OSError, EOFError, lzma.LZMAError) as fault:
        raise _unreadable(name, type(fault).__name__) from None
    if not head:
        raise _unreadable(name, "an empty file")
    text = _decoded(name, head, encoding)
    lines = csv.reader(
        io.StringIO(text.lstrip("\ufeff")), delimiter=source.separator[:1], quotechar=source.quote or None
    )
    return next(lines, [])


def _named(name: str, source: Source, header: Sequence[str]) -> list[str]:
    """A header that the engine takes: a column without a name, or with an earlier one's, is called by place (`.3`).

    Letter case does not tell columns apart: engines ignore it. A declared column must be there once.
    """
    seen: set[str] = set()
    names = []
    for place, column in enumerate(header, start=1):
        folded = column.lower()
        names.append(f".{place}" if not folded or folded in seen else column)
        seen.add(folded)
    repeated = {column.lower() for column, given in zip(header, names, strict=True) if column and column != given}
    declared = sorted({column.column or key for key, column in source.columns.items()})
    twice = [column for column in declared if column.lower() in repeated]
    if twice:
        shown = ", ".join(f"`{column}`" for column in twice)
        raise SourceError(
            "source-column-repeated",
            asked=f"read the declared columns of the source `{name}`",
            found=f"more than one column named {shown} (letter case apart)"[:600],
            expected="each declared column once",
            todo="ask the holder which of them is meant, and have the other renamed or left out",
        )
    return names


def _decoded(name: str, head: bytes, encoding: str) -> str:
    cut = head[: head.rfind(b"\n") + 1] or head if encoding != "utf-16" else head
    if encoding == "latin-1" and any(byte > 0x7F for byte in cut):
        try:
            cut.decode("utf-8")
        except UnicodeDecodeError:
            return cut.decode("latin-1")
        raise _bad_encoding(name, "accents written in UTF-8 under `latin-1`", "`encoding: utf-8`")
    try:
        return cut.decode(encoding, errors="strict" if encoding != "utf-16" else "ignore")
    except UnicodeDecodeError as fault:
        line = cut[: fault.start].count(b"\n") + 1
        raise _bad_encoding(
            name, f"bytes that are not {encoding} at line {line}", "`encoding: latin-1`, or another"
        ) from None


def _cell(column: str, source: Source, apply_nulls: bool) -> str:
    """A column with the declared null tokens turned into nulls."""
    if not (apply_nulls and source.null_tokens):
        return column
    tokens = ", ".join(literal(token) for token in source.null_tokens)
    return f"CASE WHEN {column} IN ({tokens}) THEN NULL ELSE {column} END"


def _read_as(cell: str, column: Column, source: Source) -> str:
    """A text cell read as its declared type, null when it cannot be."""
    text = f"trim({cell})"
    if source.decimal == ",":
        number = f"replace({text}, ',', '.')"
        guard = f"regexp_full_match({text}, '[-+]?([0-9]{{1,18}}(,[0-9]*)?|,[0-9]+)([eE][-+]?[0-9]{{1,3}})?')"
    else:
        number = text
        guard = f"regexp_full_match({text}, '[-+]?([0-9]{{1,18}}([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{{1,3}})?')"
    if column.type == LogicalType.integer:
        return f"CASE WHEN regexp_full_match({text}, '[-+]?[0-9]{{1,18}}') THEN CAST({text} AS BIGINT) END"
    if column.type == LogicalType.decimal:
        return f"CASE WHEN {guard} THEN TRY_CAST({number} AS DECIMAL(18, 6)) END"
    if column.type == LogicalType.float:
        return f"CASE WHEN {guard} THEN CAST({number} AS DOUBLE) END"
    if column.type == LogicalType.boolean:
        return f"CASE WHEN lower({text}) IN ('true', '1') THEN true WHEN lower({text}) IN ('false', '0') THEN false END"
    if column.format:
        parsed = f"try_strptime({text}, {literal(column.format)})"
        return parsed if column.type == LogicalType.timestamp else f"CAST({parsed} AS DATE)"
    if column.type == LogicalType.date:
        iso = f"regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        return f"CASE WHEN {iso} THEN TRY_CAST({text} AS DATE) END"
    return f"CASE WHEN regexp_full_match({text}, '{_ISO_MOMENT}') THEN TRY_CAST({text} AS TIMESTAMP) END"


def _typed(cell: str, column: Column, physical: str) -> str:
    """A typed cell widened to the logical type's own width."""
    if column.type == LogicalType.float:
        return f"CAST({cell} AS DOUBLE)"
    if column.type == LogicalType.timestamp and physical == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {cell})"
    if column.type == LogicalType.text and physical.startswith(("ENUM", "UUID")):
        return f"CAST({cell} AS VARCHAR)"
    return cell


def _require_file(name: str, path: Path) -> None:
    if path.is_file():
        return
    raise SourceError(
        "source-missing",
        asked=f"read the source `{name}`",
        found=f"{'a folder' if path.is_dir() else 'no file'} at {path.name}",
        expected="the file that the spec names",
        todo=f"give its place with `--source {name}=PATH`, or the folder of all with `--data FOLDER`",
    )


def kind_of(name: str, source: Source, path: Path) -> SourceFormat:
    """The format stated, else what a database file says of itself, else what the file's name says.

    Raises:
        SourceError: `source-missing` when there is no such file, `source-format` when nothing tells.
    """
    _require_file(name, path)
    if source.format is not None:
        return source.format
    with path.open("rb") as stream:
        head = stream.read(16)
    if head == _SQLITE:
        return SourceFormat.sqlite
    if head[8:12] == _DUCKDB:
        return SourceFormat.duckdb
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _OPENERS]
    if suffixes and suffixes[-1] in _SUFFIXES:
        return _SUFFIXES[suffixes[-1]]
    raise SourceError(
        "source-format",
        asked=f"read the source `{name}`",
        found=f"no format stated, and none guessed from {path.name}",
        expected="`format: csv`, parquet, json, duckdb or sqlite",
        todo="state `format` in the source",
    )


def _require_columns(name: str, source: Source, present: Sequence[str]) -> None:
    declared = {column.column or key for key, column in source.columns.items()}
    missing = sorted(declared - set(present))
    if missing:
        # Names of columns may be shown only when they are names: a file without header would show its first row.
        known = declared & set(present)
        found = f"no column {', '.join(f'`{column}`' for column in missing)}"
        hint = f" among {', '.join(present)}" if known else f" among {len(present)} columns, none of which is declared"
        raise SourceError(
            "source-column-missing",
            asked=f"read the declared columns of the source `{name}`",
            found=(found + hint)[:600],
            expected="every declared column in the source",
            todo="correct the name in the spec (`column:` is the source's own spelling), or ask the holder what changed"
            if known
            else "correct the names, or `separator`, `encoding` and `column:` in the source",
        )
    extra = [column for column in present if column not in declared]
    if source.strict and extra:
        raise SourceError(
            "source-column-extra",
            asked=f"read the source `{name}`, declared strict",
            found=f"columns that the spec does not declare: {', '.join(extra)}"[:600],
            expected="only declared columns",
            todo="declare them, or leave `strict` out: an undeclared column is never read",
        )


def _require_type(name: str, key: str, column: Column, physical: str) -> None:
    if physical.startswith(_COMPATIBLE[column.type]):
        return
    raise SourceError(
        "source-column-type",
        asked=f"read `{key}` of the source `{name}` as {column.type}",
        found=f"a column of type {physical}",
        expected=f"one of {', '.join(_COMPATIBLE[column.type])}",
        todo="correct the type in the spec, or ask the holder why the column changed",
    )


def _bad_encoding(name: str, found: str, expected: str) -> SourceError:
    return SourceError(
        "source-encoding",
        asked=f"read the source `{name}`",
        found=found,
        expected=expected,
        todo="state the encoding that the file was written in",
    )


def _unreadable(name: str, found: str) -> SourceError:
    return SourceError(
        "source-unreadable",
        asked=f"read the source `{name}`",
        found=found,
        expected="a readable file of the declared format",
        todo="check the file, its `format` and its permissions",
    )


def _estimate(path: Path, kind: SourceFormat, size: int) -> int:
    if kind == SourceFormat.parquet:
        import pyarrow.parquet as parquet

        return int(parquet.ParquetFile(path).metadata.num_rows)
    factor = 6 if path.suffix.lower() in _OPENERS else 1
    return size * factor // _BYTES_PER_ROW
