"""Files as other countries write them: each is read as its writer meant it, or refused in words that help."""

from __future__ import annotations

import bz2
import datetime
import gzip
import json
import lzma
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from outside_world import curated, spec_of

from curator.errors import QualityError, SourceError

DAY = {"type": "date", "format": "%d/%m/%Y"}


def refused(folder: Path, spec: dict[str, object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        curated(folder, spec)
    return caught.value


def values(folder: Path, lines: list[str], column: object, **parts: object) -> list[object]:
    """What is read of a column `x`, in the order of `id`; None for a row set apart."""
    body = "\n".join(["id,who,x", *(f'{place},p,"{line}"' for place, line in enumerate(lines))])
    (folder / "table.csv").write_text(body + "\n", encoding="utf-8")
    spec = spec_of({"x": column, "n": {"type": "integer", "column": "id"}}, **parts)
    spec["sources"]["t"]["columns"].pop("n")
    spec["fields"]["n"]["from"] = "id"
    rows = {row["n"]: row["x"] for row in curated(folder, spec).to_pylist()}
    return [rows.get(place) for place in range(len(lines))]


def test_a_day_without_padding_is_read_and_a_year_of_two_digits_is_not_the_year_24(tmp_path: Path) -> None:
    read = values(tmp_path, ["3/2/2024", "03/02/2024", "3/2/24", "31/2/2024"], DAY)
    assert read == [datetime.date(2024, 2, 3), datetime.date(2024, 2, 3), None, None]


def test_a_year_of_two_digits_is_read_where_it_is_declared(tmp_path: Path) -> None:
    read = values(tmp_path, ["3/2/24", "3/2/85"], {"type": "date", "format": "%d/%m/%y"})
    assert read == [datetime.date(2024, 2, 3), datetime.date(1985, 2, 3)]


def test_a_zone_in_a_layout_gives_utc_without_a_zone(tmp_path: Path) -> None:
    moment = "2024-02-03 10:00"
    cells = [moment + zone for zone in ("+0200", "Z", "z", "", "ZZ")]
    read = values(tmp_path, cells, {"type": "timestamp", "format": "%Y-%m-%d %H:%M%z"})
    assert read == [datetime.datetime(2024, 2, 3, 8), *[datetime.datetime(2024, 2, 3, 10)] * 2, None, None]


def test_a_number_too_large_for_a_float_is_unreadable_not_infinite(tmp_path: Path) -> None:
    assert values(tmp_path, ["1e999", "-1e999", "1e3"], "float") == [None, None, 1000.0]


def test_a_file_of_the_old_macintosh_is_read(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"id,who,x\r1,a,10\r2,b,20\r")
    assert sorted(curated(tmp_path, spec_of({"x": "integer"}))["x"].to_pylist()) == [10, 20]


def test_a_separator_of_two_characters(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id||who||x\n1||a|b||10\n2||c||20\n")
    spec = spec_of({"x": "integer"}, source={"separator": "||"})
    assert sorted(curated(tmp_path, spec)["x"].to_pylist()) == [10, 20]


def test_a_first_line_that_is_no_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text('id,"' + "z" * 200_000 + '",x\n1,a,2\n')
    error = refused(tmp_path, spec_of({"x": "integer"}))
    assert (error.code, error.found) == ("source-unreadable", "a first line that is no header")


def test_windows_1252_under_latin_1_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes("id,who,x\n1,Peña,10\n2,b,20 €\n".encode("windows-1252"))
    error = refused(tmp_path, spec_of({"x": "text"}, source={"encoding": "latin-1"}))
    assert (error.code, error.found) == ("source-encoding", "bytes that are no letter of latin-1 at line 3")
    assert "encoding: windows-1252" in error.expected


def test_utf_16_in_big_endian_order_is_not_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"\xfe\xff" + "id,who,x\n1,ñ,10\n".encode("utf-16-be"))
    error = refused(tmp_path, spec_of({"x": "text"}, source={"encoding": "utf-16"}))
    assert (error.code, error.found) == ("source-encoding", "UTF-16 with its bytes in big-endian order")


def test_utf_16_with_its_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text('id;who;x\n1;ñ;"línea\nuno"\n', encoding="utf-16")
    spec = spec_of({"x": "text"}, source={"encoding": "utf-16", "separator": ";"})
    assert curated(tmp_path, spec)["x"].to_pylist() == ["línea\nuno"]


# ------------------------------------------------------------------------------------------------ Parquet


def parquet_table(folder: Path, column: pa.Array) -> None:
    rows = len(column)
    table = {"id": pa.array(range(rows)), "who": pa.array([f"p{i}" for i in range(rows)]), "x": column}
    parquet.write_table(pa.table(table), folder / "table.parquet")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([["SECRET"], ["b"]]), "text"),
        (pa.array([[1], [2]]), "integer"),
        (pa.array([[1.5], [2.5]]), "float"),
        (pa.array([[datetime.date(2020, 1, 1)]]), "date"),
        (pa.array([{"a": 1}]), "text"),
        (pa.array([b"\x00"]), "text"),
    ],
)
def test_a_nested_or_binary_column_is_refused_by_its_type(tmp_path: Path, column: pa.Array, kind: str) -> None:
    parquet_table(tmp_path, column)
    error = refused(tmp_path, spec_of({"x": kind}, path="table.parquet"))
    assert error.code == "source-column-type"
    assert error.todo.startswith("no declared type reads this one")


def test_a_refused_type_names_the_type_that_would_do(tmp_path: Path) -> None:
    parquet_table(tmp_path, pa.array([True, False]))
    error = refused(tmp_path, spec_of({"x": "integer"}, path="table.parquet"))
    assert error.todo.startswith("declare it as boolean in the spec")


def test_a_date_declared_as_a_timestamp_is_one(tmp_path: Path) -> None:
    parquet_table(tmp_path, pa.array([datetime.date(1885, 3, 1)]))
    table = curated(tmp_path, spec_of({"x": "timestamp"}, path="table.parquet"))
    assert table.schema.field("x").type == pa.timestamp("us")
    assert table["x"].to_pylist() == [datetime.datetime(1885, 3, 1)]


@pytest.mark.parametrize(("kind", "written"), [("text", pa.string()), ("integer", pa.int64()), ("date", pa.date32())])
def test_a_column_of_nulls_without_a_type_has_the_declared_one(tmp_path: Path, kind: str, written: pa.DataType) -> None:
    parquet_table(tmp_path, pa.nulls(3))
    table = curated(tmp_path, spec_of({"x": kind}, path="table.parquet"))
    assert table.schema.field("x").type == written
    assert table["x"].to_pylist() == [None] * 3


# ------------------------------------------------------------------------------------------------ JSON


def test_a_key_that_no_object_has_is_a_missing_column(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": 1, "who": "a", "age": 30}\n{"id": 2, "who": "b"}\n')
    error = refused(tmp_path, spec_of({"agee": "integer"}, path="t.jsonl"))
    found = "no column `agee` among id, who and 1 more, which the spec does not declare"
    assert (error.code, error.found) == ("source-column-missing", found)


def test_keys_that_are_identifiers_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": 1, "who": "a", "x": 1, "12345678Z": true}\n')
    strict = spec_of({"x": "integer"}, path="t.jsonl", source={"strict": True})
    error = refused(tmp_path, strict)
    assert (error.code, error.found) == ("source-column-extra", "columns that the spec does not declare: .4")


def test_a_key_that_only_a_late_object_has_is_read(tmp_path: Path) -> None:
    lines = [json.dumps({"id": place, "who": "a"}) for place in range(25_000)]
    (tmp_path / "t.jsonl").write_text("\n".join([*lines, '{"id": 25000, "who": "b", "x": 7}']) + "\n")
    read = curated(tmp_path, spec_of({"x": "integer"}, path="t.jsonl"))["x"]
    assert (len(read), read.null_count, read.drop_null().to_pylist()) == (25_001, 25_000, [7])


def test_a_json_list_of_numbers_shows_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("[1, 2, 424242]")
    error = refused(tmp_path, spec_of({"x": "integer"}, path="t.json"))
    assert error.code == "source-column-missing"
    assert "424242" not in str(error)


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id,who,x\n")
    with pytest.raises(QualityError) as caught:
        curated(tmp_path, spec_of({"x": "integer"}))
    assert caught.value.code == "no-rows"


# ------------------------------------------------------------------------------------------------ other wrappings


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bzip2", "xz"])
@pytest.mark.parametrize("stated", [True, False])
def test_what_the_engine_cannot_unpack_is_not_an_empty_table(
    tmp_path: Path, pack: Callable[[bytes], bytes], stated: bool
) -> None:
    (tmp_path / "table.csv.packed").write_bytes(pack(b"id,who,x\n1,a,2\n" * 50))
    error = refused(
        tmp_path, spec_of({"x": "integer"}, path="table.csv.packed", source={"format": "csv"} if stated else {})
    )
    assert error.code == ("source-unreadable" if stated else "source-format")


def test_gzip_is_read_of_a_file_named_so(tmp_path: Path) -> None:
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"id,who,x\n1,a,2\n"))
    assert curated(tmp_path, spec_of({"x": "integer"}, path="table.csv.gz"))["x"].to_pylist() == [2]
    (tmp_path / "table.csv").write_bytes(gzip.compress(b"id,who,x\n1,a,2\n"))
    assert "compressed by gzip" in refused(tmp_path, spec_of({"x": "integer"})).found


def test_a_decimal_is_never_rounded(tmp_path: Path) -> None:
    read = values(tmp_path, ["0.1234560000", "0.12345678", "1e-7", "999999999999.999999", "1.5"], "decimal")
    assert read == [Decimal("0.123456"), None, None, Decimal("999999999999.999999"), Decimal("1.5")]


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"{place},p{place * 7919 % 10007},{place}\n" for place in range(500))
    packed = bytearray(gzip.compress(f"id,who,x\n{rows}".encode()))
    for place in (len(packed) // 2, len(packed) // 3, 12):
        damaged = packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :]
        (tmp_path / "table.csv.gz").write_bytes(damaged)
        assert refused(tmp_path, spec_of({"x": "integer"}, path="table.csv.gz")).code == "source-unreadable"


@pytest.mark.parametrize("kept_bytes", [-1, -8, -9])
def test_a_gzip_file_without_its_last_bytes_is_not_a_shorter_table(tmp_path: Path, kept_bytes: int) -> None:
    rows = "".join(f"{place},{place * 7919 % 1000003},{place}\n" for place in range(60_000))  # more than a megabyte
    packed = gzip.compress(f"id,who,x\n{rows}".encode(), 1)
    (tmp_path / "table.csv.gz").write_bytes(packed[:kept_bytes])
    error = refused(tmp_path, spec_of({"x": "integer"}, path="table.csv.gz"))
    assert error.found == "a gzip file that was cut short or damaged"
