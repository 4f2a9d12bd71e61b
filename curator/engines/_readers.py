"""The SQL that reads one declared source: only declared columns, typed strictly, null tokens applied.

A cell of a text file that cannot be read as its declared type becomes null, and its text stays reachable so that the
row can be rejected with its reason; nothing is guessed (`_cells.py` says how a cell is read).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.engines._cells import NOTHING, read_as, typed
from curator.engines._whole import require_whole_gzip, unreadable
from curator.errors import SourceError
from curator.spec.model import Column, LogicalType, Source, SourceFormat
from curator.sqltext import literal, quoted

_SUFFIXES = {
    ".csv": SourceFormat.csv, ".tsv": SourceFormat.csv, ".txt": SourceFormat.csv, ".parquet": SourceFormat.parquet,
    ".json": SourceFormat.json, ".jsonl": SourceFormat.json, ".ndjson": SourceFormat.json,
    ".duckdb": SourceFormat.duckdb, ".sqlite": SourceFormat.sqlite,
}  # fmt: skip
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open}
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"(\xb5/\xfd": "Zstandard"}
_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "latin-1": "latin-1", "iso-8859-1": "latin-1", "utf-16": "utf-16"}
_CONTROLS = re.compile(rb"[\x80-\x9f]")  # in Latin-1; a file in windows-1252 has its signs there
_SQLITE = b"SQLite format 3\x00"  # the first bytes of a database file (sqlite.org/fileformat.html, 1.3)
_DUCKDB = b"DUCK"  # bytes 8 to 11 (duckdb.org, storage)
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
    if path.suffix.lower() in _OPENERS:
        require_whole_gzip(name, path)
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
            selected += [f"{read_as(cell, column, source)} AS {quoted(key)}", f"{cell} AS {quoted(raw_name)}"]
        else:
            _require_type(name, key, column, physical[found])
            selected.append(f"{typed(cell, column, physical[found])} AS {quoted(key)}")
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
        scan = f"read_parquet({one_file(path)}, hive_partitioning = false)"
        return scan, {**describe(f"SELECT * FROM {scan}"), **_untyped(path)}  # noqa: S608 (escaped literal)
    elif kind == SourceFormat.json:
        keys = _json_keys(source, path, describe)
        _require_columns(name, source, keys)
        columns = ", ".join(f"{literal(c.column or k)}: 'VARCHAR'" for k, c in source.columns.items())
        scan = f"read_json({one_file(path)}, hive_partitioning = false, columns = {{{columns}}})"
        return scan, dict.fromkeys(keys, "VARCHAR")
    elif kind == SourceFormat.sqlite:
        scan = quoted("sqlite_" + name)
    else:
        scan = quoted("duckdb_" + name)
    return scan, describe(f"SELECT * FROM {scan}")  # noqa: S608 (identifiers quoted, literals escaped)


def _untyped(path: Path) -> dict[str, str]:
    """The columns of a Parquet file that hold nulls only and have no type; the engine calls them integers."""
    import pyarrow.parquet as parquet

    return {column.name: NOTHING for column in parquet.read_schema(path) if str(column.type) == "null"}


def _json_keys(source: Source, path: Path, describe: Callable[[str], dict[str, str]]) -> list[str]:
    """The keys that the objects of a JSON file have; one that no object has would be read as nulls without a word.

    The first objects are looked at, and all of them when a declared key is in none of the first. A key that is not
    declared is called by its place, `.3`: where objects are used as maps, a key may be somebody's identifier.
    """
    found: list[str] = []
    declared = {column.column or key for key, column in source.columns.items()}
    for objects in (20_480, -1):
        options = f"maximum_depth = 1, map_inference_threshold = -1, sample_size = {objects}"
        scan = f"read_json({one_file(path)}, hive_partitioning = false, {options})"
        found = list(describe(f"SELECT * FROM {scan}"))  # noqa: S608 (escaped literal)
        if declared <= set(found):
            break
    return [key if key in declared else f".{place}" for place, key in enumerate(found, start=1)]


def one_file(path: Path) -> str:
    """The literal that names exactly this file: the engine would take `*`, `?` and `[` in it for a pattern of many.

    Give `hive_partitioning = false` with it: else a folder called `sex=1` would replace the column `sex` of the file.
    """
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def _csv_scan(source: Source, path: Path, header: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    nulls = ", ".join(literal(token) for token in ("", *source.null_tokens))
    return (
        f"read_csv({one_file(path)}, hive_partitioning = false, auto_detect = false, header = true, "
        f"columns = {{{columns}}}, "
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
    except OSError as fault:
        raise unreadable(name, type(fault).__name__) from None
    if not head:
        raise unreadable(name, "an empty file")
    for start, packing in _PACKED.items():
        if head.startswith(start):
            raise unreadable(name, f"a file compressed by {packing} (gzip is read, of a file named .gz)")
    text = _decoded(name, head, encoding).lstrip("\ufeff")
    try:
        return _first_line(text, source)
    except csv.Error:
        raise unreadable(name, "a first line that is no header") from None


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
    if encoding == "utf-16" and head.startswith(codecs.BOM_UTF16_BE):
        raise _bad_encoding(
            name,
            "UTF-16 with its bytes in big-endian order",
            "little-endian order, or UTF-8 (`iconv -f utf-16 -t utf-8`)",
        )
    cut = head[: head.rfind(b"\n") + 1] or head if encoding != "utf-16" else head
    if encoding == "latin-1" and not cut.isascii():
        _refuse_other(name, cut)
    try:
        return cut.decode(encoding, errors="strict" if encoding != "utf-16" else "ignore")
    except UnicodeDecodeError as fault:
        line = cut[: fault.start].count(b"\n") + 1
        raise _bad_encoding(
            name, f"bytes that are not {encoding} at line {line}", "`encoding: latin-1`, or another"
        ) from None


def _refuse_other(name: str, cut: bytes) -> None:
    """Every byte means something in Latin-1, so what shows that it is another encoding is looked for."""
    try:
        cut.decode("utf-8")
    except UnicodeDecodeError:
        control = _CONTROLS.search(cut)
        if control:
            found = f"bytes that are no letter of latin-1 at line {cut[: control.start()].count(10) + 1}"
            expected = "UTF-8; of what is probably windows-1252, `iconv -f windows-1252 -t utf-8` makes it"
            raise _bad_encoding(name, found, expected) from None
        return
    raise _bad_encoding(name, "accents written in UTF-8 under `latin-1`", "`encoding: utf-8`")


def _cell(column: str, source: Source, apply_nulls: bool) -> str:
    """A column with the declared null tokens turned into nulls."""
    if not (apply_nulls and source.null_tokens):
        return column
    tokens = ", ".join(literal(token) for token in source.null_tokens)
    return f"CASE WHEN {column} IN ({tokens}) THEN NULL ELSE {column} END"


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
        columns = f"{len(present)} column" + ("s" if len(present) != 1 else "")
        hint = f" among {', '.join(present)}" if known else f" in {columns}, none of which is declared"
        raise SourceError(
            "source-column-missing",
            asked=f"read the declared columns of the source `{name}`",
            found=(found + hint)[:600],
            expected="every declared column in the source",
            todo="correct the name in the spec (`column:` is the source's own spelling), or ask the holder what changed"
            if known
            else _other_separator(present, declared)
            or "correct the names, or `separator`, `encoding` and `column:` in the source",
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


def _other_separator(present: Sequence[str], declared: set[str]) -> str:
    """What to do about a header that another separator would cut into declared columns; empty when none would."""
    for separator, spelt in {";": ";", "\t": "\\t", "|": "|", ",": ","}.items():
        if len(present) == 1 and declared & set(present[0].split(separator)):
            return f'state `separator: "{spelt}"` in the source'
    return ""


def require_table(name: str, table: str, present: Sequence[str]) -> None:
    """Refuse a database without the table. Raises SourceError, which lists the tables there are."""
    if table not in present:
        raise SourceError(
            "source-table-missing",
            asked=f"read the table `{table}` of the source `{name}`",
            found=f"no such table among {', '.join(sorted(present)) or 'none at all'}"[:600],
            expected="the table that the spec names",
            todo="correct `table` in the source, or ask the holder what changed",
        )


def _require_type(name: str, key: str, column: Column, physical: str) -> None:
    if physical == NOTHING or (physical.startswith(_COMPATIBLE[column.type]) and not physical.endswith("]")):
        return
    fitting = [kind for kind, types in _COMPATIBLE.items() if physical.startswith(types) and not physical.endswith("]")]
    raise SourceError(
        "source-column-type",
        asked=f"read `{key}` of the source `{name}` as {column.type}",
        found=f"a column of type {physical}",
        expected=f"one of {', '.join(_COMPATIBLE[column.type])}",
        todo=f"declare it as {' or '.join(fitting)} in the spec, or ask the holder why the column changed"
        if fitting
        else "no declared type reads this one: ask the holder for a text, a 64-bit number, a date or a timestamp",
    )


def _bad_encoding(name: str, found: str, expected: str) -> SourceError:
    return SourceError(
        "source-encoding",
        asked=f"read the source `{name}`",
        found=found,
        expected=expected,
        todo="state the encoding that the file was written in",
    )


def _estimate(path: Path, kind: SourceFormat, size: int) -> int:
    if kind == SourceFormat.parquet:
        import pyarrow.parquet as parquet

        return int(parquet.ParquetFile(path).metadata.num_rows)
    factor = 6 if path.suffix.lower() in _OPENERS else 1
    return size * factor // _BYTES_PER_ROW
