"""Files as sources: packed, encoded, several, and different from year to year."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.engines import open_engine
from curator.errors import SourceError
from curator.files import Packing, clear_text, feature_lines, packing_of, unpacked, where_of
from curator.protocols import Engine
from curator.spec.model import Source

ROWS = [(1, "Zoé", "1,5"), (2, "L’Haÿ", "2"), (3, None, "x")]
TEXT = "id;name;cost\n1;Zoé;1,5\n2;L’Haÿ;2\n3;;x\n"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=tmp_path / "scratch", threads=1)
    yield engine
    engine.close()


def source(path: Any, columns: dict[str, Any] | None = None, **changes: Any) -> Source:
    columns = columns or {"id": "integer", "name": "text", "cost": "text"}
    return Source.model_validate_json(json.dumps({"path": path, "columns": columns, **changes}))


def rows(engine: Engine, declared: Source, folder: Path, names: str = "id, name, cost") -> list[tuple[Any, ...]]:
    bound = engine.bind("t", declared, path=where_of(declared.addresses, source="t", folder=folder))
    return engine.rows(f'SELECT {names} FROM "{bound.relation}" ORDER BY ALL')


def refused(engine: Engine, declared: Source, folder: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        rows(engine, declared, folder, "*")
    return caught.value


def zipped(data: bytes, *names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("rows.csv",):
            archive.writestr(name, data)
    return held.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
    ".zip": zipped,
}


# ---- packed


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16", "mac-roman"])
def test_a_packed_file_in_any_encoding_gives_its_rows(
    suffix: str, encoding: str, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / f"rows.csv{suffix}").write_bytes(PACKERS[suffix](TEXT.encode(encoding)))
    assert rows(engine, source(f"rows.csv{suffix}", separator=";", encoding=encoding), tmp_path) == ROWS


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("damage", ["cut", "end cut", "garbage", "empty"])
def test_a_damaged_packed_file_is_refused(suffix: str, damage: str, engine: Engine, tmp_path: Path) -> None:
    text = "id;name;cost\n" + "".join(f"{number};{os.urandom(4).hex()};1\n" for number in range(20_000))
    packed = PACKERS[suffix](text.encode())
    changed = {"cut": packed[: len(packed) // 2], "end cut": packed[:-3], "garbage": b"id;name;cost\n", "empty": b""}
    (tmp_path / f"rows.csv{suffix}").write_bytes(changed[damage])
    refusal = refused(engine, source(f"rows.csv{suffix}", separator=";"), tmp_path)
    assert refusal.code == "source-unreadable"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_packed_streams_one_after_the_other_are_one_file(suffix: str, engine: Engine, tmp_path: Path) -> None:
    first, rest = TEXT.encode()[:20], TEXT.encode()[20:]
    (tmp_path / f"rows.csv{suffix}").write_bytes(PACKERS[suffix](first) + PACKERS[suffix](rest))
    assert rows(engine, source(f"rows.csv{suffix}", separator=";"), tmp_path) == ROWS


@pytest.mark.parametrize(("names", "found"), [(("a.csv", "b.csv"), "2 files in it"), (("folder/",), "no file in it")])
def test_a_zip_holds_one_file(names: tuple[str, ...], found: str, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "rows.csv.zip").write_bytes(zipped(TEXT.encode(), *names))
    refusal = refused(engine, source("rows.csv.zip", separator=";"), tmp_path)
    assert (refusal.code, refusal.found) == ("source-zip-members", found)


def test_a_large_packed_file_is_read_in_flat_memory_and_never_unpacked_to_disk(tmp_path: Path) -> None:
    line = "{};some text that repeats, some text that repeats;12\n"
    with bz2.open(tmp_path / "rows.csv.bz2", "wt") as stream:
        stream.write("id;name;cost\n")
        for start in range(0, 1_000_000, 1000):
            stream.write("".join(line.format(number) for number in range(start, start + 1000)))
    (tmp_path / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=tmp_path / "scratch", threads=2, memory="300MB")
    declared = source("rows.csv.bz2", {"id": "integer", "name": "text", "cost": "integer"}, separator=";")
    bound = engine.bind("t", declared, path=tmp_path / "rows.csv.bz2")
    for _ in range(2):  # the engine may read it again
        assert engine.rows(f'SELECT count(*), sum(id), sum(cost) FROM "{bound.relation}"') == [
            (1_000_000, 499_999_500_000, 12_000_000)
        ]
    engine.close()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"rows.csv.bz2"}


def test_streams_are_unpacked_by_the_block() -> None:
    data = os.urandom(1 << 20) * 3
    for suffix, pack in PACKERS.items():
        stream = unpacked(io.BytesIO(pack(data)), packing_of(f"x{suffix.upper()}"), source="t")
        assert b"".join(iter(lambda: stream.read(70_001), b"")) == data  # noqa: B023 (used at once)
        stream.close()
    assert packing_of("rows.csv") is Packing.none


# ---- encodings


@pytest.mark.parametrize(
    "encoding", ["windows-1252", "iso-8859-15", "cp850", "mac-roman", "koi8-r", "shift_jis", "utf-32"]
)
def test_every_byte_of_an_encoding_is_decoded_or_refused(encoding: str, engine: Engine, tmp_path: Path) -> None:
    held = []
    for code in range(0xA0, 0x600):
        try:
            chr(code).encode(encoding)
            held.append(chr(code))
        except UnicodeEncodeError:
            continue
    wanted = [(number, sign.encode(encoding).decode(encoding), "x") for number, sign in enumerate(held)]
    text = "id,name,cost\n" + "".join(f"{number},{sign},x\n" for number, sign in enumerate(held))
    (tmp_path / "rows.csv").write_bytes(text.encode(encoding))
    assert rows(engine, source("rows.csv", encoding=encoding), tmp_path) == wanted


def test_a_byte_that_means_nothing_is_refused_at_its_line(engine: Engine, tmp_path: Path) -> None:
    lines = b"id,name,cost\n" + b"1,a,b\n" * 400_000  # behind what is looked at first
    (tmp_path / "rows.csv").write_bytes(lines + b"2,\x81,x\n")
    refusal = refused(engine, source("rows.csv", encoding="windows-1252"), tmp_path)
    assert (refusal.code, refusal.found) == ("source-encoding", "bytes that are not cp1252 at line 400002")


@pytest.mark.parametrize("encoding", ["rot13", "hex", "klingon", "zip", "base64"])
def test_what_is_no_encoding_of_texts_is_refused(encoding: str, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,name,cost\n1,a,b\n")
    assert refused(engine, source("rows.csv", encoding=encoding), tmp_path).code == "source-encoding"


def test_a_character_cut_by_a_block_is_whole() -> None:
    text = "é€" * 300_000
    for encoding in ("utf-16", "shift_jisx0213", "utf-8-sig"):
        stream = clear_text(io.BytesIO(text.encode(encoding)), codecs.lookup(encoding).name, source="t")
        assert stream.read().decode() == text


# ---- other forms


def test_a_tsv_needs_no_separator(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "rows.tsv.gz").write_bytes(gzip.compress(TEXT.replace(";", "\t").encode()))
    assert rows(engine, source("rows.tsv.gz"), tmp_path) == ROWS


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zip"])
def test_json_lines_packed(suffix: str, engine: Engine, tmp_path: Path) -> None:
    text = "".join(json.dumps({"id": a, "name": b, "cost": c}, ensure_ascii=False) + "\n" for a, b, c in ROWS)
    (tmp_path / f"rows.jsonl{suffix}").write_bytes(PACKERS.get(suffix, bytes)(text.encode()))
    assert rows(engine, source(f"rows.jsonl{suffix}"), tmp_path) == ROWS


FEATURES: list[dict[str, Any]] = [
    {"type": "Feature", "id": 7, "properties": {"name": "mairie", "n": 1.50, "open": True, "tags": ["a"]},
     "geometry": {"type": "Point", "coordinates": [2.3522, 48.8566, 35.0]}},
    {"type": "Feature", "properties": {"name": None, "n": 12345678901234567890},
     "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1.5, 0], [0, 1], [0, 0]]]}},
    {"type": "Feature", "properties": None, "geometry": None},
]  # fmt: skip
PLACED = {
    "name": "text", "n": "text", "open": "boolean", "id": {"type": "text", "column": "feature.id"},
    "lon": {"type": "float", "column": "geometry.lon"}, "lat": {"type": "float", "column": "geometry.lat"},
    "wkt": {"type": "text", "column": "geometry.wkt"},
}  # fmt: skip


@pytest.mark.parametrize("form", ["collection", "lines", "sequence", "packed"])
def test_geojson_gives_properties_and_places(form: str, engine: Engine, tmp_path: Path) -> None:
    lines = [json.dumps(feature) for feature in FEATURES]
    text = {
        "lines": "\n".join(lines),
        "sequence": "".join(f"\x1e{line}\n" for line in lines),
    }.get(form, json.dumps({"type": "FeatureCollection", "name": "x", "features": FEATURES}, indent=1))
    name = "places.geojson.gz" if form == "packed" else "places.geojson"
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if form == "packed" else text.encode())
    assert rows(engine, source(name, PLACED), tmp_path, "name, n, open, id, lon, lat, wkt") == [
        ("mairie", "1.5", True, "7", 2.3522, 48.8566, "POINT (2.3522 48.8566)"),
        (None, "12345678901234567890", None, None, None, None, "POLYGON ((0 0, 1.5 0, 0 1, 0 0))"),
        (None, None, None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("geometry", "wkt"),
    [
        ({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}, "MULTIPOINT (1 2, 3 4)"),
        ({"type": "LineString", "coordinates": [[1, 2], [3, 4.0]]}, "LINESTRING (1 2, 3 4.0)"),
        ({"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [0, 0]]]]}, "MULTIPOLYGON (((0 0, 1 0, 0 0)))"),
        ({"type": "Point", "coordinates": []}, "POINT EMPTY"),
        ({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}]},
         "GEOMETRYCOLLECTION (POINT (1 2))"),
    ],
)  # fmt: skip
def test_every_geometry_has_its_text(geometry: dict[str, Any], wkt: str) -> None:
    feature = json.dumps({"type": "Feature", "properties": {}, "geometry": geometry})
    line = feature_lines(io.BytesIO(feature.encode()), source="t").read()
    assert json.loads(line)["geometry.wkt"] == wkt


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{}", "x", '{"type": "FeatureCollection", "features": [{"type": "Point"}]}',
        '{"features": [{"type": "Feature", "properties": {}, "geometry": {"type": "Point"}}]}',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"SECRET": 1}',
        '{"crs": {"properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}, "features": []}',
    ],
)  # fmt: skip
def test_what_is_no_geojson_is_refused(text: str, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "places.geojson").write_text(text)
    refusal = refused(engine, source("places.geojson", {"name": "text"}), tmp_path)
    assert refusal.code == "source-unreadable"
    assert "SECRET" not in str(refusal)


# ---- several files


def years(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)


def test_a_pattern_and_a_list_are_one_source(engine: Engine, tmp_path: Path) -> None:
    years(tmp_path, y2012="id,name,cost\n1,a,x\n", y2013="id,name,cost\n2,b,y\n", other="id,name,cost\n9,z,z\n")
    wanted = [(1, "a", "x"), (2, "b", "y")]
    assert rows(engine, source("y*.csv"), tmp_path) == wanted
    assert rows(engine, source(["y2013.csv", "y2012.csv"]), tmp_path) == wanted
    assert rows(engine, source(["y*.csv", "y2012.csv"]), tmp_path) == wanted, "each file once"
    refusal = refused(engine, source(["y*.csv", "w*.csv"]), tmp_path)
    assert (refusal.code, refusal.found) == ("source-missing", "no file that matches w*.csv")


def test_files_that_differ_without_a_rule_are_refused_with_what_to_write(engine: Engine, tmp_path: Path) -> None:
    years(tmp_path, y2012="id,nom,cost\n1,a,x\n", y2013="id,name,cost,more\n2,b,y,z\n")
    refusal = refused(engine, source("y*.csv"), tmp_path)
    assert refusal.code == "source-drift"
    assert "y2012.csv has no `more`, `name`; y2013.csv has no `nom`" in refusal.found
    assert '- {files: "y2012.csv", absent: [name]}, or `rename: {NAME THERE: name}`' in refusal.todo
    assert '- {files: "y2013.csv", extra: [more]}' in refusal.todo


def test_rules_say_how_files_differ(engine: Engine, tmp_path: Path) -> None:
    years(
        tmp_path,
        y2011="id;nom;montant;le\n1;a;1,5;03/02/2011\n",
        y2012="id,nom,le\n2,b,2012-02-03\n",
        y2013="id,name,cost,day,more\n3,c,2.5,2013-02-03,z\n",
    )
    columns = {"id": "integer", "name": "text", "cost": "decimal", "day": "date",
               "year": {"type": "integer", "from_name": "[0-9]{4}"}, "origin": "text"}  # fmt: skip
    drift = [
        {"files": "*", "constants": {"origin": "old"}},
        {"files": ["y2011.csv", "y2012.csv"], "rename": {"nom": "name", "le": "day"}},
        {"files": "y2011.csv", "rename": {"montant": "cost"}, "separator": ";", "decimal": ",",
         "formats": {"day": "%d/%m/%Y"}},
        {"files": "y2012.csv", "absent": ["cost"]},
        {"files": "y2013.csv", "extra": ["more"], "constants": {"origin": "new"}},
    ]  # fmt: skip
    found = rows(engine, source("y*.csv", columns, drift=drift), tmp_path, "id, name, cost, day::text, year, origin")
    assert [(a, b, None if c is None else float(c), *rest) for a, b, c, *rest in found] == [
        (1, "a", 1.5, "2011-02-03", 2011, "old"),
        (2, "b", None, "2012-02-03", 2012, "old"),
        (3, "c", 2.5, "2013-02-03", 2013, "new"),
    ]


def test_a_file_without_header_shows_none_of_its_cells(engine: Engine, tmp_path: Path) -> None:
    years(tmp_path, y2012="id,name,cost\n1,a,x\n", y2013="2,CANARY,y\n3,d,e\n")
    refusal = refused(engine, source("y*.csv"), tmp_path)
    assert refusal.code == "source-drift"
    assert "y2013.csv has none of the declared columns in its first line" in refusal.found
    assert "CANARY" not in str(refusal)


def test_a_name_without_the_value_is_refused(engine: Engine, tmp_path: Path) -> None:
    years(tmp_path, y2012="id,name,cost\n1,a,x\n", latest="id,name,cost\n1,a,x\n")
    columns = {"id": "integer", "year": {"type": "integer", "from_name": "[0-9]{4}"}}
    refusal = refused(engine, source(["y2012.csv", "latest.csv"], columns), tmp_path)
    assert (refusal.code, refusal.found) == ("source-file-name", "no part of latest.csv that matches `[0-9]{4}`")


def test_files_of_several_forms_are_one_source(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,cost\n1,x1\n2,3\n")
    pq.write_table(
        pa.table({"id": pa.array([3], pa.int32()), "cost": pa.array([4], pa.int64())}), tmp_path / "b.parquet"
    )
    (tmp_path / "c.jsonl").write_text('{"id": 5, "cost": 6}\n')
    declared = source(["a.csv", "b.parquet", "c.jsonl"], {"id": "integer", "cost": "integer"})
    bound = engine.bind("t", declared, path=where_of(declared.addresses, source="t", folder=tmp_path))
    raw = bound.raw_columns["cost"]
    assert engine.rows(f'SELECT id, cost, {raw} FROM "{bound.relation}" ORDER BY id') == [
        (1, None, "x1"), (2, 3, "3"), (3, 4, None), (5, 6, "6"),
    ]  # fmt: skip


def test_a_real_year_is_the_same_however_it_is_packed(shared_data: Path, engine: Engine, tmp_path: Path) -> None:
    real = shared_data / "baac-2013" / "caracteristiques_2013.csv.gz"
    text = gzip.decompress(real.read_bytes()).decode("latin-1")
    header, _, body = text.partition("\n")
    (tmp_path / "caracteristiques_2012.csv.xz").write_bytes(
        lzma.compress((header.replace("adr", "adresse") + "\n" + body).encode("windows-1252"), preset=0)
    )
    (tmp_path / "caracteristiques_2013.csv.gz").symlink_to(real)
    columns = {"num": {"type": "text", "column": "Num_Acc"}, "adr": "text", "hrmn": "text", "lum": "integer",
               "year": {"type": "integer", "from_name": "[0-9]{4}"}}  # fmt: skip
    drift = [{"files": "*_2012*", "rename": {"adresse": "adr"}, "encoding": "windows-1252"}]
    declared = source("caracteristiques_*", columns, encoding="latin-1", drift=drift)
    bound = engine.bind("t", declared, path=where_of(declared.addresses, source="t", folder=tmp_path))
    grouped = (
        f'SELECT num, adr, hrmn, lum, count(*) AS n, count(DISTINCT year) AS y FROM "{bound.relation}" GROUP BY ALL'
    )
    assert engine.rows(f"SELECT count(*), min(n), max(n), min(y), max(y) FROM ({grouped})") == [(58_397, 2, 2, 2, 2)]
