"""Footers of received shards: read by few lines of our own, equal to Arrow's reading, and closed to hostile bytes."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.errors import IntegrityError
from curator.footer import Footer, read_footer
from curator.receiving._tables import _check_shard

ROWS = 3_000
TABLE = pa.table(
    {
        "whole": pa.array([None if row % 7 == 0 else row for row in range(ROWS)], pa.int16()),
        "weather": [None if row % 5 == 0 else f"word {row % 90}" for row in range(ROWS)],
        "token": pa.array([row.to_bytes(16, "big") for row in range(ROWS)], pa.binary(16)),
        "day": [date(2024, 1, 1 + row % 28) for row in range(ROWS)],
        "share": [row / 7 for row in range(ROWS)],
        "price": [Decimal(row) / 100 for row in range(ROWS)],
        "flag": [row % 2 == 0 for row in range(ROWS)],
    }
)
OPTIONS = [
    {"write_statistics": False},
    {"write_statistics": True, "write_page_index": True},
    {"compression": "none", "use_dictionary": False, "version": "1.0"},
    {"compression": "gzip", "row_group_size": 100, "store_schema": False, "data_page_version": "2.0"},
    {"store_decimal_as_integer": True, "write_page_checksum": True, "row_group_size": ROWS},
]


def written(table: pa.Table = TABLE, **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def at(folder: Path, data: bytes) -> Path:
    path = folder / "a.parquet"
    path.write_bytes(data)
    return path


def footer_of(path: Path) -> Footer:
    with path.open("rb") as stream:
        return read_footer(stream)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_footer_reads_as_arrow_reads_it(options: dict[str, object], tmp_path: Path) -> None:
    path = at(tmp_path, written(**options))
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    found = footer_of(path)
    assert (found.rows, found.groups) == (metadata.num_rows, tuple(group.num_rows for group in groups))
    names = {"BOOLEAN": 0, "INT32": 1, "INT64": 2, "FLOAT": 4, "DOUBLE": 5, "BYTE_ARRAY": 6, "FIXED_LEN_BYTE_ARRAY": 7}
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    for chunk, column in zip(found.chunks, columns, strict=True):
        assert (chunk.name, chunk.physical) == (column.path_in_schema, names[column.physical_type])
        assert (chunk.values, chunk.unpacked) == (column.num_values, column.total_uncompressed_size)
        assert chunk.packed == column.total_compressed_size
        first = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
        assert chunk.start == first
        assert chunk.tells == (column.is_stats_set or column.has_column_index or column.has_offset_index)
        if column.is_stats_set and column.physical_type in ("INT32", "INT64"):
            told = column.statistics
            assert (chunk.nulls, int.from_bytes(chunk.low, "little", signed=True)) == (told.null_count, told.min_raw)
            assert int.from_bytes(chunk.high, "little", signed=True) == told.max_raw
    _check_shard(path, rows=ROWS, size=path.stat().st_size)


def test_a_nested_column_has_the_name_that_arrow_gives_it(tmp_path: Path) -> None:
    path = at(tmp_path, written(pa.table({"x": [{"y": [1]}]})))
    assert [chunk.name for chunk in footer_of(path).chunks] == [
        pq.read_metadata(path).row_group(0).column(0).path_in_schema
    ]


def without_nulls(data: bytes, *, name: bytes) -> bytes:
    """The schema says that a column is required; its counts of levels still tell of nulls."""
    old = b"\x25\x02\x18" + bytes([len(name)]) + name  # repetition_type OPTIONAL, then the name
    assert data.count(old) == 1
    return data.replace(old, old.replace(b"\x25\x02", b"\x25\x00"))


def test_a_footer_that_ends_a_process_inside_arrow_does_not_reach_it(tmp_path: Path) -> None:
    """Levels that contradict the schema: Arrow's column metadata throws where Python cannot catch."""
    path = at(tmp_path, without_nulls(written(write_statistics=False), name=b"weather"))
    code = (
        "import sys; from pathlib import Path; from curator.receiving._tables import _check_shard\n"
        "from curator.errors import CuratorError\n"
        "path = Path(sys.argv[1])\n"
        f"try: _check_shard(path, rows={ROWS}, size=path.stat().st_size)\n"
        "except CuratorError: pass"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr


def alone(code: str, path: Path) -> None:
    """Run code that is given a path, in a process of its own, which must live to its end."""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr


BIND = """
import sys, tempfile
from pathlib import Path
from curator.engines import open_engine
from curator.errors import CuratorError
from curator.spec.model import Source

for path in sorted(Path(sys.argv[1]).glob("*.parquet")):
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine("duckdb", scratch=Path(folder), threads=1)
        try:
            columns = '{"day": "date", "weather": "text", "whole": "integer"}'
            source = Source.model_validate_json('{"path": "x", "columns": %s}' % columns)
            bound = engine.bind("t", source, path=path)
            engine.rows(f'SELECT count(day), max(weather), sum(whole) FROM "{bound.relation}"')
        except CuratorError as refused:
            assert "word" not in str(refused)
        finally:
            engine.close()
"""
LEAKS = """
import sys
from pathlib import Path
import pyarrow as pa
from curator.attacks import shard_leaks

for path in sorted(Path(sys.argv[1]).glob("*.parquet")):
    try:
        shard_leaks("data/train/part-00000.parquet", path)
    except (ValueError, OSError, pa.ArrowException):
        pass
"""


@pytest.mark.parametrize("code", [BIND, LEAKS], ids=["source", "shard"])
def test_no_footer_of_a_source_or_a_shard_ends_the_process(code: str, tmp_path: Path) -> None:
    """Levels that contradict the schema, and changed bytes, one draw of a fixed generator each."""
    for name in (b"weather", b"day"):
        data = without_nulls(written(write_statistics=name == b"day"), name=name)
        (tmp_path / f"{name.decode()}.parquet").write_bytes(data)
    data = written(TABLE.slice(0, 50), write_statistics=True, use_dictionary=False)
    length, draw = int.from_bytes(data[-8:-4], "little"), random.Random(11)
    for place in sorted(draw.sample(range(len(data) - 8 - length, len(data) - 8), 60)):
        changed = bytearray(data)
        changed[place] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        (tmp_path / f"{place:06}.parquet").write_bytes(changed)
    alone(code, tmp_path)


def footer(*fields: bytes) -> bytes:
    body = b"".join(fields) + b"\0"
    return b"PAR1" + bytes(8) + body + len(body).to_bytes(4, "little") + b"PAR1"


ROWS_FIELD, NO_GROUPS = b"\x36\x06", b"\x19\x0c"  # num_rows 3; an empty list of structures
HOSTILE = {
    "empty": b"",
    "magic alone": b"PAR1PAR1",
    "encrypted": footer(ROWS_FIELD, NO_GROUPS)[:-4] + b"PARE",
    "footer longer than the file": b"PAR1" + bytes(8) + b"\xff\xff\xff\x7fPAR1",
    "a field twice": footer(ROWS_FIELD, b"\x06\x06\x06", NO_GROUPS),
    "rows below zero": footer(b"\x36\x05", NO_GROUPS),
    "rows as text": footer(b"\x38\x01x", NO_GROUPS),
    "no rows": footer(b"\x49\x0c"),
    "no groups": footer(ROWS_FIELD),
    "groups that are numbers": footer(ROWS_FIELD, b"\x19\x15\x02"),
    "a list of a billion": footer(ROWS_FIELD, b"\x19\xfc\xff\xff\xff\xff\x0f"),
    "a list of a billion booleans": footer(ROWS_FIELD, b"\x19\xf1\xff\xff\xff\xff\x0f"),
    "a number without end": footer(b"\x36" + b"\xff" * 40, NO_GROUPS),
    "a text longer than the footer": footer(b"\x18\xff\xff\xff\xff\x0f"),
    "a thousand structures deep": footer(b"\x1c" * 1000),
    "a thousand lists deep": footer(b"\x19" + b"\x19" * 1000),
    "a map": footer(b"\x1b\x00"),
    "a type of no meaning": footer(b"\x1d\x00"),
    "cut short": footer(ROWS_FIELD, NO_GROUPS)[:-10] + b"\x02\0\0\0PAR1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_footer_is_refused(name: str, tmp_path: Path) -> None:
    path = at(tmp_path, HOSTILE[name])
    with pytest.raises(ValueError):
        footer_of(path)
    with pytest.raises(IntegrityError, match="package-table"):
        _check_shard(path, rows=3, size=path.stat().st_size)


def test_the_smallest_footer_reads(tmp_path: Path) -> None:
    found = footer_of(at(tmp_path, footer(ROWS_FIELD, NO_GROUPS)))
    assert (found.rows, found.groups, found.chunks) == (3, (), ())


def test_any_changed_byte_of_a_footer_is_read_or_refused(tmp_path: Path) -> None:
    """Nothing but a value or a ValueError, whatever stands there; every place, one draw of a fixed generator each."""
    data = written(write_statistics=True, row_group_size=ROWS)
    length = int.from_bytes(data[-8:-4], "little")
    draw = random.Random(7)
    for place in range(len(data) - 8 - length, len(data)):
        changed = bytearray(data)
        changed[place] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        try:
            footer_of(at(tmp_path, bytes(changed)))
        except ValueError:
            continue


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    column = pa.array([1, 2, 3])
    path = at(tmp_path, written(pa.table([column, column], names=["x", "x"])))
    with pytest.raises(IntegrityError, match="package-table"):
        _check_shard(path, rows=3, size=path.stat().st_size)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    data = written(store_schema=False)
    path = at(tmp_path, data.replace(b"weather", b"weathe\xff"))
    with pytest.raises(IntegrityError, match="package-table"):
        _check_shard(path, rows=ROWS, size=path.stat().st_size)
