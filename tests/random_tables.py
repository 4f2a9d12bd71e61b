"""Random tables of nasty cells, written by writers that are not ours, and what the manual says that each cell is.

`read_cell` is the manual in plain Python: it knows nothing of any engine.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import random
import re
import sqlite3
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.rowdigest import digest_rows

BAD = "unreadable"
ARROW = {
    "text": pa.string(), "free_text": pa.string(), "integer": pa.int64(), "decimal": pa.decimal128(18, 6),
    "float": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
}  # fmt: skip
TYPES = tuple(ARROW)
NASTY = [
    "", " ", "\u00a0", "\t", '"', '""', "'", ",", ";", "|", 'a"b', "line\nbreak", "crlf\r\nx", "\u2028", "x\ufeffy",
    "\U0001f46e", "\u00c9", "E\u0301", "\u05e9\u05dc", "\u202eabc", "NULL", "NaN", "inf", "-inf", "-0", "0", "-0.0",
    "1e5", "1E5", "+1", "1,5", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "12345678901234567890123456789012345678", "0.123456", "0.1234567", "0.1234560", "0.1234560000000000000001",
    "999999999999.999999", "1000000000000", "1.5e3", "1e-7", "1e-19", "2.500000000000000000e-01", "1e300", "1e309",
    "4.9e-324", "1e-400", ".5", "5.", "-.5", ".", "-", "+", "1_000", "0x1F", "\uff11\uff12", "\u0661", "true", "TRUE",
    "t", "f", "False", "1", "yes", "2020-02-29", "1900-02-29", "1899-12-31", "0001-01-01", "0000-01-01", "9999-12-31",
    "10000-01-01", "2020-1-2", "2020-01-01 24:00", "9999-12-31T24:00", "2020-01-01 24:00:01", "2020-01-01T23:59:60",
    "2020-01-01 00:00:00.123456", "2020-01-01 00:00:00.1234567", "2020-03-29 02:30:00", "2020-01-01T10:00:00Z",
    "2020-01-01 10:00:00+02:00", "2020-01-01T10:00", "2020-01-01 10:00:00.", "infinity", " 42 ", "\u00a042", "42\n",
    "a" * 300, "\\N", "\\", "\\n", "a\\", "#x", "=1+1", "\x7f", "\x01", "\x1f", "\x85", "NA", " NA", "na",
]  # fmt: skip
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": lambda data: _zstd(data), ".zip": lambda data: _zip(data),
}  # fmt: skip


def text_cell(draw: random.Random) -> str | None:
    """A cell of text, or none."""
    lot = draw.random()
    if lot < 0.15:
        return None
    if lot < 0.7:
        return draw.choice(NASTY) + (draw.choice(NASTY) if lot > 0.6 else "")
    day = date.fromordinal(draw.randint(1, date.max.toordinal()))
    moment = datetime(day.year, day.month, day.day) + timedelta(microseconds=draw.randrange(86_400_000_000))
    numbers = (str(draw.randint(-100, 100)), f"{draw.uniform(-1e6, 1e6):.{draw.randint(0, 8)}f}")
    tiny = repr(draw.uniform(-1, 1) * 10.0 ** draw.randint(-30, 30))
    return draw.choice([*numbers, tiny, day.isoformat(), moment.isoformat(draw.choice("T "))])


def read_cell(cell: str | None, kind: str, *, tokens: Sequence[str], mark: str, csv_file: bool) -> Any:
    """What the manual says that a text is: a value, null, or unreadable."""
    if cell is None or cell in tokens or (csv_file and not cell):
        return None
    if kind in ("text", "free_text"):
        return cell
    text = _stripped(cell)
    if text in {"", *(_stripped(token) for token in tokens)}:
        return None
    if kind == "integer":
        whole = re.fullmatch(r"[-+]?[0-9]{1,19}", text)
        return int(text) if whole and -(2**63) <= int(text) < 2**63 else BAD
    if kind in ("decimal", "float"):
        return _number(text, kind, mark=re.escape(mark))
    if kind == "boolean":
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(text.lower(), BAD)
    return _moment(text, kind)


def _stripped(text: str) -> str:
    """Without spaces of any width at both ends."""
    return text.strip("".join(sign for sign in text if unicodedata.category(sign) == "Zs") or " ")


def _number(text: str, kind: str, *, mark: str) -> Any:
    whole = "[0-9]+" if kind == "float" else "[0-9]{1,18}"
    if not re.fullmatch(rf"[-+]?({whole}({mark}[0-9]*)?|{mark}[0-9]+)([eE][-+]?[0-9]{{1,3}})?", text):
        return BAD
    plain = text.replace(",", ".")
    if kind == "float":
        return float(plain) if math.isfinite(float(plain)) else BAD
    return six_digits(Decimal(plain))


def six_digits(value: Decimal) -> Any:
    """A decimal as it is kept: twelve digits before its mark, six behind, none of them rounded."""
    with localcontext(prec=400):
        return value if abs(value) < 10**12 and value.quantize(Decimal("0.000001")) == value else BAD


def _moment(text: str, kind: str) -> Any:
    day, time = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[ T]([0-9]{2}:[0-9]{2})(:[0-9]{2}([.][0-9]{1,6})?)?"
    if not re.fullmatch(day + (time if kind == "timestamp" else ""), text):
        return BAD
    try:
        if kind == "date":
            return date.fromisoformat(text)
        if re.fullmatch(r"24:00(:00([.]0+)?)?", text[11:]):
            return datetime.fromisoformat(text[:10]) + timedelta(1)
        head, _, digits = text.partition(".")
        return datetime.fromisoformat(head) + timedelta(microseconds=int(digits.ljust(6, "0")))
    except (ValueError, OverflowError):
        return BAD


def seen(rows: Sequence[Sequence[Any]], columns: Mapping[str, str]) -> tuple[list[str], str]:
    """Rows in a comparable form, and the digest of those that are readable."""
    lines = sorted(repr([_plain(value) for value in row]) for row in rows)
    sound = [row for row in rows if BAD not in row]
    arrays = [pa.array([row[place] for row in sound], ARROW[kind]) for place, kind in enumerate(columns.values())]
    return lines, str(digest_rows(pa.table(arrays, names=list(columns))))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal(format(value.normalize(), "f")) + 0
    return value + 0.0 if isinstance(value, float) else value


# ---- texts, by writers of the standard library


def texts(draw: random.Random, folder: Path, kind: str) -> tuple[Path, dict[str, Any], list[list[Any]]]:
    """A random file of texts (`csv`, `json`, `sqlite`): its place, its declaration, its rows as the manual reads."""
    columns = {f"c{place}": draw.choice(TYPES) for place in range(draw.randint(1, 6))}
    rows = [[text_cell(draw) for _ in columns] for _ in range(draw.randint(1, 12))]
    mark, tokens = draw.choice("..,"), draw.choice([[], [], ["NA"], ["NULL", "-0"]])
    path, said, rows = {"csv": _csv, "json": _json, "sqlite": _sqlite}[kind](draw, folder, list(columns), rows)
    told = {"columns": columns, "decimal": mark, "null_tokens": tokens, **said}
    how = {"tokens": tokens, "mark": mark, "csv_file": kind == "csv"}
    read = [[read_cell(cell, as_, **how) for cell, as_ in zip(row, columns.values(), strict=True)] for row in rows]
    return path, told, read


Written = tuple[Path, dict[str, Any], list[list[Any]]]


def _csv(draw: random.Random, folder: Path, names: list[str], rows: list[list[Any]]) -> Written:
    encoding = draw.choice(["utf-8", "utf-8", "utf-16", "utf-8-sig", "windows-1252"])
    separator, packing = draw.choice(",;\t|"), draw.choice(["", "", *PACKERS])
    if encoding == "windows-1252":
        rows = [[cell and cell.encode(encoding, "replace").decode(encoding) for cell in row] for row in rows]
    text = io.StringIO(newline="")
    quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(text, delimiter=separator, lineterminator=draw.choice(["\n", "\r\n"]), quoting=quoting)
    writer.writerows([names, *rows])
    path = folder / f"t.csv{packing}"
    path.write_bytes(PACKERS[packing](text.getvalue().encode(encoding)))
    return path, {"separator": separator, "encoding": encoding}, rows


def _json(draw: random.Random, folder: Path, names: list[str], rows: list[list[Any]]) -> Written:
    kind, packing = draw.choice(["jsonl", "json", "geojson"]), draw.choice(["", *PACKERS])
    rich = draw.random() < 0.5
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    if kind == "jsonl":
        text = "".join(json.dumps(one, ensure_ascii=rich) + "\n" for one in objects)
    elif kind == "geojson":
        features = [{"type": "Feature", "properties": one, "geometry": None} for one in objects]
        text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=rich)
    else:
        text = json.dumps(objects, ensure_ascii=rich, indent=draw.choice([None, 1]))
    path = folder / f"t.{kind}{packing}"
    path.write_bytes(PACKERS[packing](text.encode()))
    return path, {}, rows


def _sqlite(draw: random.Random, folder: Path, names: list[str], rows: list[list[Any]]) -> Written:
    path = folder / "t.sqlite"
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA synchronous = off")
        columns = [f"{name} {draw.choice(('', 'TEXT', 'BLOB'))}" for name in names]
        base.execute(f"CREATE TABLE t ({', '.join(columns)})")
        base.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
        base.commit()
    return path, {"table": "t"}, rows


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def _zip(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("t", data)
    return stream.getvalue()


# ---- Parquet, by Arrow

_WHOLE = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
_WORDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
_YEARS = {"ns": (1678, 2261)}


def parquet_file(draw: random.Random, folder: Path, *, width: int) -> tuple[Path, dict[str, Any], list[list[Any]]]:
    """A random Parquet file: its place, its declaration, and its rows as the manual reads."""
    columns = {f"c{place}": draw.choice(TYPES) for place in range(width)}
    tokens, count = draw.choice([[], ["NA"], ["NULL", ""]]), draw.randint(1, 12)
    arrays, read = [], []
    for kind in columns.values():
        type_ = _type(draw, kind)
        cells = [None if draw.random() < 0.15 else _value(draw, type_) for _ in range(count)]
        arrays.append(_array(cells, type_))
        read.append([None if cell is None or cell in tokens else _as(cell, kind) for cell in cells])
    path = folder / "t.parquet"
    parquet.write_table(
        pa.table(arrays, names=list(columns)), path, version=draw.choice(["1.0", "2.4", "2.6"]),
        data_page_version=draw.choice(["1.0", "2.0"]), use_dictionary=draw.random() < 0.5,
        compression=draw.choice(["none", "snappy", "zstd", "gzip"]), row_group_size=draw.choice([3, 100]),
        store_schema=draw.random() < 0.7, write_statistics=draw.random() < 0.7,
        store_decimal_as_integer=draw.random() < 0.3, use_deprecated_int96_timestamps=draw.random() < 0.15,
    )  # fmt: skip
    return path, {"columns": columns, "null_tokens": tokens}, [list(row) for row in zip(*read, strict=True)]


def _type(draw: random.Random, kind: str) -> pa.DataType:
    digits = draw.choice([1, 9, 18, 19, 38])
    sized = pa.decimal128(digits, draw.randint(0, digits))
    moment = pa.timestamp(draw.choice(["s", "ms", "us", "ns"]), draw.choice([None, None, "UTC", "Europe/Paris"]))
    known = {
        "text": _WORDS, "free_text": _WORDS, "integer": [*_WHOLE, pa.decimal128(draw.choice([5, 18, 38]), 0)],
        "decimal": [*_WHOLE, *[sized] * 12], "float": [*_WHOLE, sized, *[pa.float64()] * 8, *[pa.float32()] * 4],
        "boolean": [pa.bool_()], "date": [pa.date32(), pa.date64()], "timestamp": [*[moment] * 6, pa.date32()],
    }  # fmt: skip
    return draw.choice(known[kind])


def _value(draw: random.Random, type_: pa.DataType) -> Any:
    if pa.types.is_boolean(type_):
        return draw.random() < 0.5
    if pa.types.is_integer(type_):
        signed = pa.types.is_signed_integer(type_)
        low, high = -(2 ** (type_.bit_width - 1)) if signed else 0, 2 ** (type_.bit_width - signed) - 1
        return draw.choice([low, high, 0, 1, draw.randint(low, high), draw.randint(0, 100)])
    if pa.types.is_decimal(type_):
        most = 10**type_.precision
        number = draw.choice([0, 1, -1, most - 1, 1 - most, draw.randrange(most), draw.randrange(most)])
        digits = abs(number) - (abs(number) % 10 ** max(type_.scale - 6, 0) if draw.random() < 0.5 else 0)
        return Decimal((number < 0, tuple(map(int, str(digits))), -type_.scale))
    if pa.types.is_floating(type_):
        value = draw.choice([0.0, -0.0, 0.1, 1.5, 1e30, -1e-7, draw.uniform(-1e6, 1e6)])
        return pa.scalar(value, type_).as_py()
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        first, last = _YEARS.get(getattr(type_, "unit", ""), (1, 9999))
        edges = [date(1582, 10, 4), date(1900, 1, 1), date(1969, 12, 31), date(first, 1, 1), date(last, 12, 31)]
        some = date.fromordinal(draw.randint(edges[-2].toordinal(), edges[-1].toordinal()))
        day = draw.choice([some, *(edge for edge in edges if first <= edge.year <= last)])
        if pa.types.is_date(type_):
            return day
        step = {"s": 1_000_000, "ms": 1_000}.get(type_.unit, 1)
        time = draw.choice([0, 1, 86_399_999_999, draw.randrange(86_400_000_000)])
        return datetime(day.year, day.month, day.day) + timedelta(microseconds=time - time % step)
    return draw.choice(NASTY)


def _array(cells: list[Any], type_: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(type_):
        return pa.array(cells, type_.value_type).dictionary_encode().cast(type_)
    if pa.types.is_decimal(type_):
        return pa.array(cells, pa.decimal256(76, type_.scale)).cast(type_)
    if pa.types.is_timestamp(type_) and type_.tz:
        return pa.array([cell and cell.replace(tzinfo=UTC) for cell in cells], type_)
    return pa.array(cells, type_)


def _as(cell: Any, kind: str) -> Any:
    """A typed value as its declared type."""
    if kind == "integer":
        return int(cell) if -(2**63) <= cell < 2**63 else BAD
    if kind == "decimal":
        return six_digits(Decimal(cell))
    if kind == "float":
        return float(cell)
    if kind == "timestamp" and not isinstance(cell, datetime):
        return datetime(cell.year, cell.month, cell.day)
    return cell
