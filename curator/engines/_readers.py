"""The SQL that reads one declared source: only declared columns, typed strictly, null tokens applied.

A cell of a text file that cannot be read as its declared type becomes null, and its text stays reachable so that the
row can be rejected with its reason; nothing is guessed (`_cells.py` says how a cell is read).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from curator.engines._cells import NOTHING, may_exceed, physical_of, read_as, stated, typed, within, worded
from curator.engines._columns import require_columns, require_type
from curator.engines._columns import require_table as require_table
from curator.engines._days import odd_days, sound_day
from curator.engines._headers import header_of, require_once, separator_of
from curator.engines._strangers import require_objects, unknown_format
from curator.engines._streams import FileStreams
from curator.engines._whole import require_whole_gzip
from curator.errors import SourceError
from curator.files import (
    NATIVE,
    FileReading,
    LocalPlace,
    Packing,
    Place,
    Snapshot,
    below,
    clear_text,
    codec_of,
    compare,
    feature_lines,
    packing_of,
    reading_of,
    unpacked,
    unreadable,
)
from curator.spec.model import Column, LogicalType, Source, SourceFormat
from curator.sqltext import literal, quoted

_SUFFIXES = {
    ".csv": SourceFormat.csv, ".tsv": SourceFormat.csv, ".tab": SourceFormat.csv, ".txt": SourceFormat.csv,
    ".parquet": SourceFormat.parquet, ".json": SourceFormat.json, ".jsonl": SourceFormat.json,
    ".ndjson": SourceFormat.json, ".geojson": SourceFormat.geojson, ".geojsonl": SourceFormat.geojson,
    ".duckdb": SourceFormat.duckdb, ".sqlite": SourceFormat.sqlite,
}  # fmt: skip
_SQLITE = b"SQLite format 3\x00"  # the first bytes of a database file (sqlite.org/fileformat.html, 1.3)
_DUCKDB = b"DUCK"  # bytes 8 to 11 (duckdb.org, storage)
_PROSE = (LogicalType.text, LogicalType.free_text)
_HEAD = 1 << 14
_NO_ROWS = re.compile(rb"\s*(\[\s*\])?\s*")  # of JSON
_BYTES_PER_ROW = 64  # a low guess, so that text files get enough shards
_UNPACKED = 6  # times the bytes of a packed file, a guess

Describe = Callable[[str], dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A source made readable; see `curator.protocols.BoundSource`."""

    relation: str
    sql: str
    estimated_rows: int
    raw_columns: Mapping[str, str] = field(default_factory=dict)
    unread: Sequence[str] = ()
    fingerprint: tuple[int, int] = (0, 0)
    places: Sequence[Place] = ()
    snapshot: Snapshot | None = None

    def unchanged(self) -> None:
        """Refuse files that changed since they were bound."""
        if self.snapshot is not None:
            self.snapshot.unchanged()

    def facts(self) -> dict[str, Any]:
        """The names of the files and their bytes."""
        names = [place.name for place in self.places]
        return {"file": names[0] if len(names) == 1 else names, "bytes": self.fingerprint[0]}


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file of a source as the engine reads it: its table function and the columns that gives."""

    place: Place
    reading: FileReading
    kind: SourceFormat
    scan: str
    physical: Mapping[str, str]
    odd: frozenset[str] = frozenset()

    @property
    def textual(self) -> bool:
        """Whether its cells are texts, or of any type each, and read as the declared types say."""
        return self.kind in (SourceFormat.csv, SourceFormat.sqlite, SourceFormat.json, SourceFormat.geojson)


def read_sql(name: str, source: Source, *, places: Sequence[Place], describe: Describe, streams: FileStreams) -> Bound:
    """The typed query over a source's files. Raises SourceError when a file or a column is not as declared."""
    files = [_opened(name, source, place=place, describe=describe, streams=streams) for place in places]
    compare(name, source, headers={file.place.name: (file.reading, list(file.physical)) for file in files})
    for file in files:
        require_columns(name, file.reading, present=list(file.physical))
    raw = [
        key
        for key, column in source.columns.items()
        if column.type not in _PROSE
        and any(file.textual or _constant(file, key, column=column) or _odd(file, column, key=key) for file in files)
    ]
    queries = [f"SELECT {', '.join(_selected(name, file, raw=raw))} FROM {file.scan}" for file in files]  # noqa: S608
    return Bound(
        relation=f"source {name}",
        sql=" UNION ALL ".join(queries),
        estimated_rows=sum(_estimate(file) for file in files),
        raw_columns={key: quoted(f"raw {key}") for key in raw},
        unread=tuple(dict.fromkeys(column for file in files for column in _unread(file))),
    )


def _opened(name: str, source: Source, *, place: Place, describe: Describe, streams: FileStreams) -> _File:
    """One file with its table function; database files are bound to relations beforehand."""
    kind = kind_of(name, source, place=place)
    reading = reading_of(name, source, file=place.name)
    reading = reading.written(separator=separator_of(reading.source, place.name))
    if kind in (SourceFormat.duckdb, SourceFormat.sqlite):
        scan = quoted(f"{kind}_{name}")
        physical = describe(f"SELECT * FROM {scan}")  # noqa: S608
        odd = frozenset(found for found, held in physical.items() if held.startswith(("DATE", "TIMESTAMP")))
        return _file(place, reading, kind=kind, scan=scan, physical=physical, odd=odd)
    file = _literal_of(name, reading.source, place=place, kind=kind, streams=streams)
    if kind == SourceFormat.csv:
        header = header_of(name, reading.source, stream=_unpacked(name, place))
        scan = _csv_scan(reading.source, file, header=header)
        return _file(place, reading, kind=kind, scan=scan, physical=dict.fromkeys(header, "VARCHAR"))
    if kind == SourceFormat.parquet:
        scan = f"read_parquet({file}, hive_partitioning = false)"
        physical = {**describe(f"SELECT * FROM {scan}"), **_untyped(name, reading.source, place=place)}  # noqa: S608 (escaped)
        names = {reading.name_in_file(found) for found in reading.needed()}
        days = {found for found in names if physical.get(found, "").startswith(("DATE", "TIMESTAMP"))}
        odd = odd_days(place, days) if days else frozenset()  # looking costs a request where the file is far
        return _file(place, reading, kind=kind, scan=scan, physical=physical, odd=odd)
    if not packing_of(place.name) and (state := place.identity()) and not state.size:
        raise unreadable(name, "an empty file")
    declared = reading.needed()
    form = ", format = 'newline_delimited'" if kind == SourceFormat.geojson else ""
    keys = _json_keys(declared, file + form, describe=describe)
    if not declared & set(keys) and _without_rows(name, reading.source, place=place, kind=kind):
        keys = sorted(declared)
    columns = ", ".join(f"{literal(key)}: 'VARCHAR'" for key in sorted(declared))
    scan = f"read_json({file}{form}, hive_partitioning = false, columns = {{{columns}}})"
    return _file(place, reading, kind=kind, scan=scan, physical=dict.fromkeys(keys, "VARCHAR"))


def _file(
    place: Place,
    reading: FileReading,
    *,
    kind: SourceFormat,
    scan: str,
    physical: Mapping[str, str],
    odd: frozenset[str] = frozenset(),
) -> _File:
    return _File(place=place, reading=reading, kind=kind, scan=scan, physical=physical, odd=odd)


def _selected(name: str, file: _File, *, raw: Sequence[str]) -> list[str]:
    """The expressions of one file, the same names and types in every file."""
    source, selected = file.reading.source, []
    for key, column in source.columns.items():
        spelt = column.column or key
        wants_raw = f", {{}} AS {quoted(f'raw {key}')}" if key in raw else ""
        constant = file.reading.constants.get(spelt)
        if constant is not None:
            cell = f"CAST({literal(constant)} AS VARCHAR)"
            value = cell if column.type in _PROSE else read_as(cell, column, source=source)
        elif spelt in file.reading.absent:
            cell, value = "CAST(NULL AS VARCHAR)", f"CAST(NULL AS {physical_of(column)})"
        else:
            found = file.reading.name_in_file(spelt)
            physical = file.physical[found]
            cell = cell_of(quoted(found), source, apply_nulls=physical == "VARCHAR" and file.kind != SourceFormat.csv)
            if (file.textual and column.type not in _PROSE) or worded(column, physical):
                cell = stated(cell if physical == "VARCHAR" else f"CAST({cell} AS VARCHAR)", source)
                value = read_as(cell, column, source=source)
            else:
                require_type(name, key, column=column, physical=physical)
                value, cell = _typed(file, found, column=column, cell=cell)
        selected.append(f"{value} AS {quoted(key)}{wants_raw.format(cell)}")
    return selected


def _typed(file: _File, found: str, *, column: Column, cell: str) -> tuple[str, str]:
    """A typed cell, and the text of one that no file of text could hold: a day of no calendar, a number too large."""
    physical = file.physical[found]
    if may_exceed(column, physical):
        value, sound = within(cell, column, physical=physical)
    elif found in file.odd:
        value = typed(cell, column, physical=physical)
        sound = sound_day(f"CAST({value} AS {physical_of(column)})")
    else:
        return typed(cell, column, physical=physical), "CAST(NULL AS VARCHAR)"
    return f"CASE WHEN {sound} THEN {value} END", f"CASE WHEN NOT ({sound}) THEN CAST({cell} AS VARCHAR) END"


def _odd(file: _File, column: Column, *, key: str) -> bool:
    """Whether typed cells of a column may be unreadable: days of no calendar, numbers too large, words unsaid."""
    found = file.reading.name_in_file(column.column or key)
    physical = file.physical.get(found, "")
    return found in file.odd or may_exceed(column, physical) or worded(column, physical)


def _constant(file: _File, key: str, *, column: Column) -> bool:
    return (column.column or key) in file.reading.constants


def _unread(file: _File) -> list[str]:
    read = {file.reading.name_in_file(column.column or key) for key, column in file.reading.source.columns.items()}
    return [column for column in file.physical if column not in read]


# ---- how the engine comes to the bytes


def _literal_of(name: str, source: Source, *, place: Place, kind: SourceFormat, streams: FileStreams) -> str:
    """The literal that names a file to the engine: its path when the engine reads it alone, else an offered stream."""
    packing, state = packing_of(place.name), place.identity()
    size = state.size if state else 0
    if kind == SourceFormat.parquet:
        if place.path:
            return one_file(place.path)
        return literal(streams.offer(place.name, functools.partial(place.open, parts=True), size=size, seekable=True))
    if place.path and _alone(source, kind) and not source.skip_lines and packing in (Packing.none, Packing.gzip):
        if packing is Packing.gzip:
            require_whole_gzip(name, place.path)
        return one_file(place.path)
    encoding = codec_of(source.encoding, source=name)
    suffix = ".csv" if kind == SourceFormat.csv else ".json"
    opener = functools.partial(
        _clear, name, place, encoding=encoding, features=kind == SourceFormat.geojson, skip=source.skip_lines
    )
    address = streams.offer(f"{name}{suffix}", opener, size=size * _UNPACKED)
    return f"{literal(address)}, compression = 'gzip'"


def _alone(source: Source, kind: SourceFormat) -> bool:
    """Whether the engine decodes a text file alone."""
    known = {SourceFormat.csv: tuple(NATIVE), SourceFormat.json: ("utf-8", "utf8", "ascii")}
    return source.encoding.lower() in known.get(kind, ())


def _unpacked(name: str, place: Place) -> IO[bytes]:
    return unpacked(place.open(), packing_of(place.name), source=name)


def _clear(name: str, place: Place, *, encoding: str, features: bool, skip: int) -> IO[bytes]:
    """A file as a stream of UTF-8, below its first lines; of a GeoJSON file, one line a feature."""
    text = clear_text(_unpacked(name, place), encoding, source=name)
    return feature_lines(text, source=name) if features else below(text, skip)


def _encoding(source: Source, file: str) -> str:
    """What the engine must decode: nothing, when the file comes as a stream that is decoded already."""
    return "utf-8" if file.startswith("'curator://") else NATIVE[source.encoding.lower()]


def _untyped(name: str, source: Source, *, place: Place) -> dict[str, str]:
    """The columns of a Parquet file that hold nulls only and have no type; the engine calls them integers.

    Raises SourceError when a declared column is there twice: the engine would take the first of them.
    """
    import pyarrow.parquet as parquet

    with place.open(parts=True) as stream:
        schema = parquet.read_schema(stream)
    require_once(name, source, header=schema.names)
    return {column.name: NOTHING for column in schema if str(column.type) == "null"}


def _json_keys(declared: set[str], file: str, *, describe: Describe) -> list[str]:
    """The keys that the objects of a JSON file have; one that no object has would be read as nulls without a word.

    The first objects are looked at, and all of them when a declared key is in none of the first. A key that is not
    declared is called by its place, `.3`: where objects are used as maps, a key may be somebody's identifier.
    """
    found: list[str] = []
    for objects in (20_480, -1):
        options = f"maximum_depth = 1, map_inference_threshold = -1, sample_size = {objects}"
        scan = f"read_json({file}, hive_partitioning = false, {options})"
        found = list(describe(f"SELECT * FROM {scan}"))  # noqa: S608 (escaped literal)
        if declared <= set(found):
            break
    return [key if key in declared else f".{place}" for place, key in enumerate(found, start=1)]


def _without_rows(name: str, source: Source, *, place: Place, kind: SourceFormat) -> bool:
    """Whether a JSON file is an empty list, a GeoJSON file without feature. Raises SourceError on GeoJSON as JSON."""
    encoding, features = codec_of(source.encoding, source=name), kind == SourceFormat.geojson
    with _clear(name, place, encoding=encoding, features=features, skip=source.skip_lines) as stream:
        head = stream.read(_HEAD)
    if not features:
        require_objects(name, head)
    return _NO_ROWS.fullmatch(head) is not None


def one_file(path: Path) -> str:
    """The literal that names exactly this file: the engine would take `*`, `?` and `[` in it for a pattern of many.

    Give `hive_partitioning = false` with it: else a folder called `sex=1` would replace the column `sex` of the file.
    """
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def _csv_scan(source: Source, file: str, *, header: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in header)
    nulls = ", ".join(literal(token) for token in ("", *source.null_tokens))
    return (
        f"read_csv({file}, hive_partitioning = false, auto_detect = false, header = {str(not source.header).lower()}, "
        f"columns = {{{columns}}}, "
        f"delim = {literal(source.separator)}, quote = {literal(source.quote)}, escape = {literal(source.quote)}, "
        f"nullstr = [{nulls}], encoding = {literal(_encoding(source, file))})"
    )


def cell_of(column: str, source: Source, *, apply_nulls: bool) -> str:
    """A column with the declared null tokens turned into nulls."""
    if not (apply_nulls and source.null_tokens):
        return column
    tokens = ", ".join(literal(token) for token in source.null_tokens)
    return f"CASE WHEN {column} IN ({tokens}) THEN NULL ELSE {column} END"


def only_database(name: str, places: Sequence[Place]) -> Path:
    """The one file that a database source is. Raises SourceError when there are several, or it is elsewhere."""
    if len(places) == 1 and places[0].path is not None:
        return places[0].path
    raise SourceError(
        "source-format",
        asked=f"read the source `{name}`",
        found=f"{len(places)} files, a database among them" if len(places) > 1 else "a database in an object store",
        expected="one database file on this machine, or files of rows (CSV, Parquet, JSON)",
        todo="name one database file, or have its tables written as Parquet",
    )


def kind_of(name: str, source: Source, *, place: Place | Path) -> SourceFormat:
    """The format stated, else what a database file says of itself, else what the file's name says.

    Raises:
        SourceError: `source-missing` when there is no such file, `source-format` when nothing tells.
    """
    place = LocalPlace(place) if isinstance(place, Path) else place
    _require_file(name, place)
    if source.format is not None:
        return source.format
    if place.path is not None:
        with place.open() as stream:
            head = stream.read(16)
        if head == _SQLITE:
            return SourceFormat.sqlite
        if head[8:12] == _DUCKDB:
            return SourceFormat.duckdb
    bare = place.name.lower().removesuffix(packing_of(place.name))
    suffix = f".{bare.rpartition('.')[2]}"
    if "." in bare and suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    raise unknown_format(name, place.name, ending=suffix)


def _require_file(name: str, place: Place) -> None:
    if place.identity() is not None and (place.path is None or place.path.is_file()):
        return
    raise SourceError(
        "source-missing",
        asked=f"read the source `{name}`",
        found=f"{'a folder' if place.path and place.path.is_dir() else 'no file'} at {place.name}",
        expected="the file that the spec names",
        todo=f"give its place with `--source {name}=PATH`, or the folder of all with `--data FOLDER`",
    )


def _estimate(file: _File) -> int:
    """Rows by the file's own account, or by its size; the same for the same bytes."""
    if file.kind == SourceFormat.parquet:
        import pyarrow.parquet as parquet

        with file.place.open(parts=True) as stream:
            return int(parquet.ParquetFile(stream).metadata.num_rows)
    state = file.place.identity()
    factor = _UNPACKED if packing_of(file.place.name) else 1
    return (state.size if state else 0) * factor // _BYTES_PER_ROW
