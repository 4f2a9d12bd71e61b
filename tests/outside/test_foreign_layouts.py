"""Layouts of files from elsewhere: without a line of names, of fixed width, and files that are no table at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outside_world import curated, kept, spec_of

from curator.errors import CuratorError

TEXT = {"x": "text"}


def refused(folder: Path, columns: dict[str, object], **parts: object) -> CuratorError:
    with pytest.raises(CuratorError) as caught:
        curated(folder, spec_of(columns, **parts))
    return caught.value


# ------------------------------------------------------------------------------------------- without a line of names


@pytest.mark.parametrize(
    ("encoding", "stated", "start", "lines"),
    [
        ("utf-8", "utf-8", "", 0),
        ("utf-8-sig", "utf-8", "", 0),
        ("latin-1", "latin-1", "", 0),
        ("cp1250", "cp1250", "", 0),
        ("utf-16", "utf-16", "", 0),
        ("utf-8", "utf-8", "A title\n\n", 2),
    ],
)
def test_a_file_without_names_is_read_by_those_of_the_spec(
    tmp_path: Path, encoding: str, stated: str, start: str, lines: int
) -> None:
    (tmp_path / "table.csv").write_bytes((start + "1,a,é,0\n2,b,,0\n3,c,ö,0\n").encode(encoding))
    source = {"header": ["id", "who", "x", "rest"], "encoding": stated, "skip_lines": lines}
    assert set(curated(tmp_path, spec_of(TEXT, source=source))["x"].to_pylist()) == {"é", None, "ö"}


@pytest.mark.parametrize(("row", "cells"), [("1,a,2,3", "4 cells"), ("1;a;2", "1 cell")])
def test_names_are_as_many_as_the_cells(tmp_path: Path, row: str, cells: str) -> None:
    (tmp_path / "table.csv").write_text(row + "\n")
    error = refused(tmp_path, TEXT, source={"header": ["id", "who", "x"]})
    assert (error.code, error.found) == ("source-column-missing", f"{cells} in the first row, 3 names")


def test_a_line_of_names_is_not_read_as_a_row(tmp_path: Path) -> None:
    for year, first in ((2022, "1,a,2\n"), (2023, "ID,who,X \n2,b,3\n")):
        (tmp_path / f"t-{year}.csv").write_text(first)
    error = refused(tmp_path, TEXT, path="t-*.csv", source={"header": ["id", "who", "x"]})
    assert (error.code, error.found) == ("source-column-repeated", "the same names in the first row")


def test_a_declared_column_is_among_the_names(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1,a,2\n")
    error = refused(tmp_path, TEXT, source={"header": ["id", "who", "y"]})
    assert error.found == "no column `x` among id, who, y"


def test_a_file_without_names_is_told_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1,a,2\n")
    assert refused(tmp_path, TEXT).todo.endswith("of a file without a line of names, give them under `header`")


def test_years_without_names_are_one_table(tmp_path: Path) -> None:
    for year in (2022, 2023):
        (tmp_path / f"t-{year}.csv").write_text(f"{year},a,b\n")
    table = curated(tmp_path, spec_of(TEXT, path="t-*.csv", source={"header": ["id", "who", "x"]}))
    assert table.num_rows == 2


def test_columns_of_fixed_width_are_cut_from_one_text(tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text("00001P001 0420  \n00002P002 0007é \n00003P001\n", encoding="utf-8")
    spec = spec_of({}, path="table.txt")
    spec["sources"]["t"] |= {"separator": "\t", "quote": "", "header": ["line"], "columns": {"line": "text"}}
    cut = {"id": "to_int(substr(line, 1, 5))", "who": "trim(substr(line, 6, 4))", "x": "to_int(substr(line, 11, 4))"}
    spec["extract"] |= {"derive": cut, "row_key": ["line"]}
    spec["fields"] |= {"x": kept()}
    assert set(curated(tmp_path, spec)["x"].to_pylist()) == {420, 7, None}


def test_a_name_on_two_lines_is_told_as_it_must_be_written(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b'id,who,"x\r\nin EUR"\r\n1,a,2\r\n')
    spec = spec_of({"x": {"type": "text", "column": "x in EUR"}})
    with pytest.raises(CuratorError) as caught:
        curated(tmp_path, spec)
    assert caught.value.todo == 'write the name as the source does: `column: "x\\r\\nin EUR"` for `x in EUR`'
    spec["sources"]["t"]["columns"]["x"]["column"] = "x\r\nin EUR"
    assert curated(tmp_path, spec)["x"].to_pylist() == ["2"]


# ------------------------------------------------------------------------------------------- no table


@pytest.mark.parametrize(
    ("content", "found", "todo"),
    [
        (b"\r\n<!DOCTYPE html><html><body>Please log in", "a web page (HTML), no table", "fetch it again"),
        (b'<?xml version="1.0"?><rows/>', "an XML document, no table", "CSV"),
        (b"%PDF-1.7\n", "a PDF document, no table", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a workbook of Excel (.xls), no table", "save the sheet"),
        (b"PAR1" + bytes(99), "a Parquet file where a text is declared", "format: parquet"),
        (
            b"PK\x03\x04\x14\x00\x06\x00" + bytes(22) + b"[Content_Types].xml",
            "a workbook of Excel or LibreOffice, no table",
            "save the sheet",
        ),
    ],
)
def test_what_is_no_table_is_called_by_what_it_is(tmp_path: Path, content: bytes, found: str, todo: str) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    error = refused(tmp_path, TEXT)
    assert (error.code, error.found) == ("source-unreadable", found)
    assert todo in error.todo


@pytest.mark.parametrize(
    ("name", "todo"),
    [("a.xlsx", "save the sheet"), ("a.ods.gz", "save the sheet"), ("a.dbf", "ogr2ogr -f CSV"), ("a.dta", "Parquet"),
     ("a.gpkg", "ogr2ogr -f GeoJSON"), ("a.xyz", "state `format` in the source")],
)  # fmt: skip
def test_a_format_that_is_not_read_is_told_what_makes_it_one(tmp_path: Path, name: str, todo: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    error = refused(tmp_path, TEXT, path=name)
    assert error.code == "source-format"
    assert todo in error.todo


@pytest.mark.parametrize("content", ["[]", " [ \n] ", '{"type": "FeatureCollection", "features": []}'])
def test_json_without_rows_has_no_rows(tmp_path: Path, content: str) -> None:
    name = "a.json" if "[" in content[:2] else "a.geojson"
    (tmp_path / name).write_text(content)
    assert refused(tmp_path, TEXT, path=name).code == "no-rows"


def test_geojson_named_json_is_told_its_format(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {"id": 1, "who": "a", "x": "b"}, "geometry": None}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (tmp_path / "a.json").write_text(text)
    assert refused(tmp_path, TEXT, path="a.json").todo == "state `format: geojson` in the source"
    assert curated(tmp_path, spec_of(TEXT, path="a.json", source={"format": "geojson"}))["x"].to_pylist() == ["b"]


# ------------------------------------------------------------------------------------------- days without signs


@pytest.mark.parametrize(
    ("layout", "right", "wrong"),
    [
        ("%Y%m%d", "20180305", "2018035"),  # a zero that was lost: 5 March, or the day of a number cut short?
        ("%Y%m%d", "20181112", "2018112"),  # 2 November or 12 January
        ("%y%m%d", "181102", "18112"),
        ("%d%m%Y", "01122018", "1122018"),
        ("%d.%m.%Y %H%M", "1.2.2018 0123", "1.2.2018 123"),  # 01:23, not 12:03
        ("%Y%j", "2018030", "201830"),
    ],
)
def test_numbers_that_adjoin_have_all_their_digits(tmp_path: Path, layout: str, right: str, wrong: str) -> None:
    (tmp_path / "table.csv").write_text(f"id,who,x\n1,a,{right}\n2,b,{wrong}\n")
    kind = "timestamp" if "%H" in layout else "date"
    found = curated(tmp_path, spec_of({"x": {"type": kind, "format": layout}}))["x"].to_pylist()
    assert [moment.year for moment in found] == [2018]
