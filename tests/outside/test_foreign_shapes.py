"""Shapes and dirt of files from elsewhere: titles, names that look alike, days and numbers at an edge."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from outside_world import TOKEN, curated, kept, spec_of

from curator.errors import SourceError

TEXT = {"x": "text"}


def written(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "table.csv") -> None:
    (folder / name).write_bytes(text.encode(encoding))


def read(folder: Path, text: str, columns: dict[str, object], **parts: object) -> list[object]:
    written(folder, text)
    return sorted(curated(folder, spec_of(columns, **parts))["x"].to_pylist(), key=str)


def refused(folder: Path, columns: dict[str, object], **parts: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        curated(folder, spec_of(columns, **parts))
    return caught.value


def parquet_of(folder: Path, column: pa.Array, **options: object) -> None:
    names = {"id": pa.array(range(len(column))), "who": pa.array([f"p{place}" for place in range(len(column))])}
    parquet.write_table(pa.table({**names, "x": column}), folder / "table.parquet", **options)


# ------------------------------------------------------------------------------------------------ above the header


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Report of 2024\nid,who,x\n1,a,5\n", 1),
        ("sep=,\r\nid,who,x\r\n1,a,5\r\n", 1),
        ("\n\nid,who,x\n1,a,5", 2),
        ('"Title; ""with"" quotes\nof two lines"\nid,who,x\n1,a,5\n', 2),
        ("Old Macintosh\rid,who,x\r1,a,5\r", 1),
        ("\ufeffRésumé\nid,who,x\n1,a,5\n", 1),
    ],
)
def test_lines_above_the_header_are_skipped_and_no_row_with_them(tmp_path: Path, text: str, lines: int) -> None:
    assert read(tmp_path, text, TEXT, source={"skip_lines": lines}) == ["5"]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1250"])
def test_lines_are_skipped_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    written(tmp_path, "Año 2024\r\nid,who,x\r\n1,a,é\r\n".replace("ñ", "n"), encoding=encoding)
    spec = spec_of(TEXT, source={"skip_lines": 1, "encoding": encoding})
    assert curated(tmp_path, spec)["x"].to_pylist() == ["é"]


def test_a_title_above_the_header_is_named_with_the_line_to_write(tmp_path: Path) -> None:
    written(tmp_path, "Report of 2024\n\nid,who,x\n1,a,5\n")
    assert refused(tmp_path, TEXT).todo == "state `skip_lines: 2` in the source"


@pytest.mark.parametrize(("name", "content"), [("t.csv", b""), ("t.csv", b"\xef\xbb\xbf"), ("t.jsonl", b"")])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path, TEXT, path=name).found == "an empty file"


# ------------------------------------------------------------------------------------------------ names alike


@pytest.mark.parametrize(
    ("header", "spelt"),
    [
        ("id,who,re\u0301sultat", '"re\\u0301sultat"'),
        ("id,who, résultat", '" r\\u00e9sultat"'),
        ("id,who,RÉSULTAT", '"R\\u00c9SULTAT"'),
        ("id,who,r\u200bésultat", '"r\\u200b\\u00e9sultat"'),
    ],
)
def test_a_name_that_looks_alike_is_told_as_it_must_be_written(tmp_path: Path, header: str, spelt: str) -> None:
    written(tmp_path, f"{header}\n1,a,5\n")
    error = refused(tmp_path, {"x": {"type": "text", "column": "résultat"}})
    assert error.todo == f"write the name as the source does: `column: {spelt}` for `résultat`"
    written(tmp_path, f"{header}\n1,a,5\n")
    spec = spec_of({"x": {"type": "text", "column": header.split(",")[2]}})
    assert curated(tmp_path, spec)["x"].to_pylist() == ["5"]


@pytest.mark.parametrize("other", ["x", "X"])
def test_a_parquet_column_that_is_there_twice_is_not_guessed(tmp_path: Path, other: str) -> None:
    columns = [pa.array([1]), pa.array(["a"]), pa.array([7]), pa.array([8])]
    parquet.write_table(pa.table(columns, names=["id", "who", "x", other]), tmp_path / "table.parquet")
    assert refused(tmp_path, {"x": "integer"}, path="table.parquet").code == "source-column-repeated"


@pytest.mark.parametrize(("encoding", "stated"), [("utf-16-le", "utf-16"), ("utf-16-be", "utf-16-be")])
def test_utf_16_under_utf_8_is_named(tmp_path: Path, encoding: str, stated: str) -> None:
    written(tmp_path, "\ufeffid,who,x\n1,a,5\n", encoding=encoding)
    assert refused(tmp_path, TEXT).expected == f"`encoding: {stated}`"
    assert curated(tmp_path, spec_of(TEXT, source={"encoding": stated}))["x"].to_pylist() == ["5"]


def test_mixed_line_ends_are_refused_with_what_mends_them(tmp_path: Path) -> None:
    written(tmp_path, "id,who,x\r\n1,a,1\n2,b,2\r\n3,c,3\n")
    assert "dos2unix" in refused(tmp_path, TEXT).todo


# ------------------------------------------------------------------------------------------------ the edges of types


def test_whole_numbers_reach_to_64_bits_and_no_farther(tmp_path: Path) -> None:
    edge = [2**63 - 1, -(2**63)]
    rows = [*edge, 2**63, -(2**63) - 1, 10**19]
    text = "id,who,x\n" + "".join(f"{place},p,{value}\n" for place, value in enumerate(rows))
    assert set(read(tmp_path, text, {"x": "integer"})) == set(edge)


def test_the_year_0_is_no_year(tmp_path: Path) -> None:
    days = "id,who,x\n1,a,0000-02-28\n2,b,0001-01-01\n3,c,9999-12-31\n"
    assert read(tmp_path, days, {"x": "date"}) == [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]
    moments = "id,who,x\n1,a,0000-02-28 10:00\n2,b,0001-01-01 10:00\n"
    assert read(tmp_path, moments, {"x": "timestamp"}) == [datetime.datetime(1, 1, 1, 10)]


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        (pa.date32(), [2**31 - 1, -(2**31) + 1, 2_932_897, -719_163]),
        (pa.timestamp("us"), [2**63 - 1, -(2**63) + 1, 253_402_300_800_000_000]),
        (pa.timestamp("ms", "Asia/Tokyo"), [253_402_300_800_000]),
        (pa.timestamp("ns"), [2**63 - 1]),
    ],
    ids=str,
)
def test_days_beyond_the_calendar_set_their_row_apart(
    tmp_path: Path, kind: pa.DataType, odd: list[int], statistics: bool
) -> None:
    parquet_of(tmp_path, pa.array([0, None, *odd], kind), write_statistics=statistics)
    logical = "date" if pa.types.is_date(kind) else "timestamp"
    rows = curated(tmp_path, spec_of({"x": logical}, path="table.parquet"))["x"].to_pylist()
    assert [str(row)[:10] for row in sorted(rows, key=str)] == ["1970-01-01", "None"]


def test_moments_are_microseconds_without_a_zone(tmp_path: Path) -> None:
    parquet_of(tmp_path, pa.array([1_709_168_400_123_456_000], pa.timestamp("ns", "Asia/Tokyo")))
    found = curated(tmp_path, spec_of({"x": "timestamp"}, path="table.parquet"))["x"]
    assert found.type == pa.timestamp("us")
    assert found.to_pylist() == [datetime.datetime(2024, 2, 29, 1, 0, 0, 123456)]


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_a_moment_in_nanoseconds_is_cut_and_never_falls_into_the_next_year(tmp_path: Path, zone: str | None) -> None:
    last = 1_704_067_199_999_999_999  # of 2023: what pandas gives as the end of that year
    parquet_of(tmp_path, pa.array([last, -1, 1_000, None], pa.timestamp("ns", zone)))
    found = curated(tmp_path, spec_of({"x": "timestamp"}, path="table.parquet"))["x"].to_pylist()
    assert sorted(found, key=str) == [
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999),
        datetime.datetime(1970, 1, 1, 0, 0, 0, 1),
        datetime.datetime(2023, 12, 31, 23, 59, 59, 999_999),
        None,
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_moment_that_is_declared_as_text_is_a_text(tmp_path: Path, unit: str) -> None:
    parquet_of(tmp_path, pa.array([0, None], pa.timestamp(unit)))
    found = curated(tmp_path, spec_of(TEXT, path="table.parquet"))["x"]
    assert found.type == pa.string()
    assert sorted(found.to_pylist(), key=str) == ["1970-01-01 00:00:00", None]


def test_moments_of_96_bits_are_read(tmp_path: Path) -> None:
    moment = datetime.datetime(2024, 2, 29, 1)
    parquet_of(tmp_path, pa.array([moment, None], pa.timestamp("ns")), use_deprecated_int96_timestamps=True)
    found = curated(tmp_path, spec_of({"x": "timestamp"}, path="table.parquet"))["x"]
    assert sorted(found.to_pylist(), key=str) == [moment, None]


@pytest.mark.parametrize(
    ("column", "kind", "values"),
    [
        (pa.array([2**63 - 1], pa.uint64()), "integer", [2**63 - 1]),
        (pa.array([2**64 - 1], pa.uint64()), "text", [str(2**64 - 1)]),
        (pa.array([Decimal(7)], pa.decimal128(18, 0)), "integer", [7]),
        (pa.array([datetime.time(7, 5)]), "text", ["07:05:00"]),
    ],
    ids=["unsigned", "wide", "decimal without fraction", "time of day"],
)
def test_types_of_other_writers_have_a_type_here(
    tmp_path: Path, column: pa.Array, kind: str, values: list[object]
) -> None:
    parquet_of(tmp_path, column)
    assert curated(tmp_path, spec_of({"x": kind}, path="table.parquet"))["x"].to_pylist() == values


def test_a_blank_cell_of_a_number_is_no_number_and_no_fault(tmp_path: Path) -> None:
    written(tmp_path, 'id, who, x, t\n1, a, , \n2, b, -1, -1\n3, c, "  7 ", 7\n')
    names = {
        name: {"type": kind, "column": f" {name}"} for name, kind in (("who", "text"), ("x", "integer"), ("t", "text"))
    }
    found = curated(tmp_path, spec_of(names, source={"null_tokens": ["-1"]}))
    assert sorted(zip(found["x"].to_pylist(), found["t"].to_pylist(), strict=True), key=str) == [
        (7, " 7"),
        (None, " "),
        (None, " -1"),
    ]


def test_rows_deep_in_json_are_asked_for_at_the_top(tmp_path: Path) -> None:
    written(tmp_path, '{"name": "season", "matches": [{"id": 1, "who": "a", "x": 2}]}', name="t.json")
    assert "jq" in refused(tmp_path, {"x": "integer"}, path="t.json").todo


def test_a_formula_beyond_64_bits_is_not_called_a_wrong_separator(tmp_path: Path) -> None:
    written(tmp_path, "id,who,x\n1,a,999999999999999999\n")
    fields = {"who": TOKEN, "y": kept()}
    error = refused(tmp_path, {"x": "integer"}, extract={"derive": {"y": "x * 1000"}}, fields=fields)
    assert (error.code, "999" in str(error)) == ("number-overflow", False)


def test_an_object_with_one_key_twice_is_refused_by_that_name(tmp_path: Path) -> None:
    written(tmp_path, '{"id":1,"who":"a","x":1,"x":2}\n', name="t.jsonl")
    assert refused(tmp_path, {"x": "integer"}, path="t.jsonl").found.startswith("an object with one key twice")


# -------------------------------------------------------------------------------------------- faults that help to mend


def test_a_value_within_an_object_is_asked_for_by_its_path(tmp_path: Path) -> None:
    written(tmp_path, '{"id": 1, "who": "a", "car": {"speed": 3}, "CANARY": 5}\n', name="table.jsonl")
    fault = refused(tmp_path, {"x": {"type": "integer", "column": "car.speed"}}, path="table.jsonl")
    assert fault.found == "no column `car.speed` among id, who and 2 more, which the spec does not declare"
    assert """`jq -c '.["car.speed"] = .["car"]?["speed"]?' IN > OUT.jsonl`""" in fault.todo


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "CANARY", "coordinates": [0, 0]},
        {"type": "Point", "coordinates": ["CANARY", 0]},
        {"type": "Polygon", "coordinates": [1]},
        ["CANARY"],
    ],
    ids=["kind", "text", "depth", "list"],
)
def test_a_geometry_that_is_none_is_told_by_the_place_of_its_feature(tmp_path: Path, geometry: object) -> None:
    places = [{"type": "Point", "coordinates": [2, 48]}, None, geometry]
    features = [
        {"type": "Feature", "geometry": place, "properties": {"id": number, "who": "a"}}
        for number, place in enumerate(places)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    written(tmp_path, text, name="table.geojson")
    fault = refused(tmp_path, {"x": {"type": "text", "column": "geometry.wkt"}}, path="table.geojson")
    assert "in feature 3" in fault.found
    assert "CANARY" not in str(fault)


def test_a_year_whose_columns_are_spelt_otherwise_gets_a_rule_of_renames(tmp_path: Path) -> None:
    written(tmp_path, "id,who,x\n1,a,5\n", name="a_2023.csv")
    written(tmp_path, "ID,Who,X \n2,b,6\n", name="a_2024.csv")
    fault = refused(tmp_path, {"x": "integer"}, path="a_*.csv")
    assert fault.found == "a_2024.csv has no `id`, `who`, `x`"
    rule = '{files: "a_2024.csv", rename: {"ID": id, "Who": who, "X ": x}}'
    assert rule in fault.todo
    drift = [{"files": "a_2024.csv", "rename": {"ID": "id", "Who": "who", "X ": "x"}}]
    rows = curated(tmp_path, spec_of({"x": "integer"}, path="a_*.csv", source={"drift": drift}))
    assert sorted(rows["x"].to_pylist()) == [5, 6]


def test_a_cell_too_long_for_a_text_file_is_sent_to_another_format(tmp_path: Path) -> None:
    written(tmp_path, f"id,who,x\n1,a,{'y' * 3_000_000}\n")
    assert "Parquet or JSON lines" in refused(tmp_path, {"x": "text"}).todo
