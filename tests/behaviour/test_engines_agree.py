"""The two engines agree: the same cells of odd files, the same counts and figures, the same bytes of a whole job."""

from __future__ import annotations

import gzip
import json
import sqlite3
from ast import literal_eval
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from capital_world import spec_value, write_spec

from curator.engines import open_engine
from curator.errors import CuratorError, QualityError, SecretError, SourceError, UsageError
from curator.extraction import extract
from curator.protection import protect
from curator.protocols import Engine
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.rowdigest import digest_rows
from curator.samples import CheckedSample, Written
from curator.spec import load_use_case, parse_use_case
from curator.spec.model import Source
from curator.versioning import write_shards

CONTEXT = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
ENGINES = ("duckdb", "spark")
CANARY = "CANARY-CELL"


@pytest.fixture
def engines(tmp_path: Path, spark: None) -> Iterator[dict[str, Engine]]:
    """Both engines, open."""
    opened = {}
    for name in ENGINES:
        (tmp_path / name).mkdir()
        opened[name] = open_engine(name, scratch=tmp_path / name, threads=1)
    yield opened
    for engine in opened.values():
        engine.close()


def ordered(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))


def declared(path: str, **source: Any) -> Source:
    return Source.model_validate_json(json.dumps({"path": path, **source}))


def read_alike(engines: dict[str, Engine], path: Path, **source: Any) -> list[str]:
    """The rows of a source, which both engines must give alike; raw cells included."""
    found = {}
    for name, engine in engines.items():
        bound = engine.bind("odd", declared(path.name, **source), path=path)
        columns = [f'"{column}"' for column in source["columns"]] + sorted(bound.raw_columns.values())
        found[name] = (
            ordered(engine.rows(f'SELECT {", ".join(columns)} FROM "{bound.relation}"')),
            bound.estimated_rows,
            dict(bound.raw_columns),
        )
    assert found["duckdb"] == found["spark"]
    return found["duckdb"][0]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_moments_declared_as_text_are_spelt_alike(
    engines: dict[str, Engine], tmp_path: Path, unit: str, zone: str | None
) -> None:
    moments = pa.array([0, None, 86_400_000], pa.int64()).cast(pa.timestamp(unit, zone))
    parquet.write_table(pa.table({"id": [1, 2, 3], "at": moments}), tmp_path / "moments.parquet")
    rows = read_alike(engines, tmp_path / "moments.parquet", columns={"id": "integer", "at": "text"})
    assert rows[0].startswith("(1, '1970-01-01 00:00:00")


TYPES = {
    "id": "integer", "name": "text", "cost": "decimal", "share": "float", "paid": "boolean",
    "day": {"type": "date", "format": "%d/%m/%Y"}, "at": "timestamp",
}  # fmt: skip
LINES = [
    "id;name;cost;share;paid;day;at;left over",
    '1;"Été; ""l\'an""\n1900";1,50;0,25;true;29/02/2012;2012-02-29 24:00;x',
    '2;"";"NA";1e3;0;31/04/2012;2012-02-29T23:59:60;',
    "003; b ;1,1234567;NaN;yes;3/2/24;1899-12-31 00:00:00.5;x",
    "0x1F;NA;-0,1;1e999;;01/01/1900;;",
]


@pytest.mark.parametrize("packed", [False, True])
def test_odd_text_is_read_alike(engines: dict[str, Engine], tmp_path: Path, packed: bool) -> None:
    text = ("\n".join(LINES) + "\n").encode("latin-1")
    path = tmp_path / ("odd.csv.gz" if packed else "odd.csv")
    path.write_bytes(gzip.compress(text) if packed else text)
    rows = read_alike(engines, path, columns=TYPES, separator=";", encoding="latin-1", decimal=",", null_tokens=["NA"])
    assert len(rows) == 4
    assert "Été" in "".join(rows)


WORDS = {"type": "boolean", "true": ["O", "Oui", 1, True], "false": ["n", "NON", 0, "Été"]}


def test_words_for_true_and_false_are_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    """In texts, Parquet and databases; what is neither keeps its cell, which sets the row apart."""
    cells = ["O", " oui", "OUI", "1", "true", "N", "non", "ÉTÉ", "peut-être", "t", "", "NA", None]
    wanted = [True] * 5 + [False] * 3 + [None] * 5
    (tmp_path / "w.csv").write_text("id,b\n" + "".join(f"{n},{cell or ''}\n" for n, cell in enumerate(cells)))
    with sqlite3.connect(tmp_path / "w.sqlite") as base:
        base.execute("CREATE TABLE w (id, b)")
        base.executemany("INSERT INTO w VALUES (?, ?)", enumerate(cells))
    parquet.write_table(pa.table({"id": range(len(cells)), "b": cells}), tmp_path / "w.parquet")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as base:
        base.execute("CREATE TABLE w AS SELECT * FROM read_parquet(?)", [str(tmp_path / "w.parquet")])
    for name, table in (("w.csv", None), ("w.sqlite", "w"), ("w.parquet", None), ("w.duckdb", "w")):
        more = {"table": table} if table else {}
        rows = read_alike(engines, tmp_path / name, columns={"id": "integer", "b": WORDS}, null_tokens=["NA"], **more)
        found = sorted((literal_eval(row) for row in rows), key=lambda row: int(row[0]))
        assert [row[1] for row in found] == wanted, name
        assert [row[2] for row in found if row[1] is None] == ["peut-être", "t", None, None, None], name


def test_numbers_and_booleans_with_words_are_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    table = pa.table({"n": pa.array([1, 0, 7, None], pa.int8()), "b": [True, False, None, True]})
    parquet.write_table(table, tmp_path / "n.parquet")
    rows = read_alike(engines, tmp_path / "n.parquet", columns={"n": WORDS, "b": WORDS})
    assert sorted(rows) == ["(False, False, '0')", "(None, None, '7')", "(None, True, None)", "(True, True, '1')"]


def test_a_number_is_no_boolean_without_words(engines: dict[str, Engine], tmp_path: Path) -> None:
    parquet.write_table(pa.table({"n": pa.array([1, 0], pa.int8())}), tmp_path / "n.parquet")
    for engine in engines.values():
        with pytest.raises(SourceError) as caught:
            engine.bind("odd", declared("n.parquet", columns={"n": "boolean"}), path=tmp_path / "n.parquet")
        assert caught.value.code == "source-column-type"
        assert "`true` and `false`" in caught.value.todo


def test_json_lines_are_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    rows = [{"id": 1, "name": "a\nb", "at": "2020-01-01 10:00"}, {"id": "x", "name": None}, {"name": {"k": 1}}]
    (tmp_path / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert (
        len(read_alike(engines, tmp_path / "odd.jsonl", columns={"id": "integer", "name": "text", "at": "timestamp"}))
        == 3
    )


def parquet_table() -> pa.Table:
    day, moment = date(1850, 1, 2), datetime(1850, 1, 2, 3, 4, 5, 6)
    return pa.table({
        "tiny": pa.array([-1, None, 3], pa.int8()), "unsigned": pa.array([255, 1, None], pa.uint8()),
        "wide": pa.array([2**62, -(2**62), 0]),
        "money": pa.array([Decimal("1.50"), None, Decimal("-2")], pa.decimal128(9, 2)),
        "share": pa.array([0.1, float("inf"), None], pa.float32()), "paid": [True, False, None],
        "day": pa.array([day, None, date(9999, 12, 31)]), "at": pa.array([moment, None, moment], pa.timestamp("us")),
        "milli": pa.array([moment, None, moment], pa.timestamp("ms")),
        "odd": pa.array([0, 10**8, None], pa.int32()).cast(pa.date32()),
        "zoned": pa.array([moment.replace(tzinfo=UTC), None, None], pa.timestamp("us", "Europe/Paris")),
        "name": ["é", "NA", None], "word": pa.array(["a", "b", "a"]).dictionary_encode(), "left": [1, 2, 3],
    })  # fmt: skip


PARQUET_TYPES = {
    "tiny": "integer", "unsigned": "integer", "wide": "integer", "money": "decimal", "share": "float",
    "paid": "boolean", "day": "date", "at": "timestamp", "milli": "timestamp", "odd": "date", "zoned": "timestamp",
    "name": "text", "word": "text",
}  # fmt: skip


def test_parquet_is_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    parquet.write_table(parquet_table(), tmp_path / "all [1].parquet")
    rows = read_alike(engines, tmp_path / "all [1].parquet", columns=PARQUET_TYPES, null_tokens=["NA"])
    assert len(rows) == 3


def test_types_that_spark_does_not_read_go_through_the_other_reader(engines: dict[str, Engine], tmp_path: Path) -> None:
    moments = pa.array([1, None, -1], pa.timestamp("ns"))
    parquet.write_table(pa.table({"at": moments, "nothing": pa.nulls(3), "id": [1, 2, 3]}), tmp_path / "rare.parquet")
    columns = {"at": "timestamp", "nothing": "text", "id": "integer"}
    assert len(read_alike(engines, tmp_path / "rare.parquet", columns=columns)) == 3


def test_days_of_a_database_file_lie_in_the_calendar_or_set_their_row_apart(
    engines: dict[str, Engine], tmp_path: Path
) -> None:
    path = tmp_path / "days.duckdb"
    days = ["0001-01-01", "9999-12-31", "0001-01-01 (BC)", "10000-01-01", "infinity"]
    with duckdb.connect(str(path)) as base:
        base.execute('CREATE TABLE days (day DATE, "at" TIMESTAMP)')
        base.executemany("INSERT INTO days VALUES (?::DATE, ?::TIMESTAMP)", [(day, day) for day in days])
    rows = read_alike(engines, path, columns={"day": "date", "at": "timestamp"}, format="duckdb", table="days")
    assert sum(row.startswith("(None, None, ") for row in rows) == 3
    assert sum(row.endswith("None, None)") for row in rows) == 2


def test_days_beyond_the_calendar_and_types_of_other_writers_are_read_alike(
    engines: dict[str, Engine], tmp_path: Path
) -> None:
    whole = pa.array([Decimal(7), Decimal(-7)], pa.decimal128(18, 0))
    days = pa.array([2**31 - 1, 0], pa.date32())
    times = pa.array([3_600_000_000, None], pa.time64("us"))
    parquet.write_table(pa.table({"whole": whole}), tmp_path / "whole.parquet")
    parquet.write_table(pa.table({"whole": whole, "day": days, "time": times}), tmp_path / "odd.parquet")
    assert read_alike(engines, tmp_path / "whole.parquet", columns={"whole": "integer"}) == ["(-7,)", "(7,)"]
    columns = {"whole": "integer", "day": "date", "time": "text"}
    rows = read_alike(engines, tmp_path / "odd.parquet", columns=columns)
    assert len(rows) == 2
    assert "(7, None, '01:00:00', 'infinity')" in rows


def told(engine: Engine, path: Path, **source: Any) -> tuple[list[str], int, str]:
    """The values of the only column of a file, how many cells are unreadable, and the digest of the rows."""
    (name,) = source["columns"]
    bound = engine.bind("odd", declared(path.name, **source), path=path)
    unread = f"({bound.raw_columns.get(name, 'NULL')} IS NOT NULL AND {name} IS NULL) AS unread"
    table = pa.Table.from_batches(list(engine.batches(f'SELECT {name}, {unread} FROM "{bound.relation}"', rows=100)))
    digest = str(digest_rows(table.select([name])))
    return sorted(map(str, table[name].to_pylist())), sum(table["unread"].to_pylist()), digest


@pytest.mark.parametrize(
    ("kind", "cells", "unread", "types"),
    [
        ("integer", ["1", "9223372036854775807", "9223372036854775808", ""], 1, [pa.uint64(), pa.decimal128(38, 0)]),
        ("integer", ["-7", "1"], 0, [pa.decimal128(18, 0), pa.int8(), pa.decimal128(19, 0)]),
        ("decimal", ["1.5", "-0.000001", "1000000000000", "0.0000001", ""], 2, [pa.decimal128(38, 7)]),
        ("decimal", ["999999999999.999999", "-1.25"], 0, [pa.decimal128(18, 6), pa.decimal128(38, 20)]),
        ("decimal", ["1", "-7", ""], 0, [pa.int8(), pa.int64(), pa.decimal128(9, 2), pa.decimal128(5, 0)]),
        ("decimal", ["7", "1000000000000"], 1, [pa.uint64(), pa.int64()]),
        ("float", ["100000000000000000000", "1"], 0, [pa.decimal128(38, 0)]),
        ("float", ["7", "0"], 0, [pa.uint8(), pa.uint64(), pa.float32(), pa.decimal128(9, 2)]),
    ],
)  # fmt: skip
def test_numbers_are_the_same_from_text_and_from_every_type(
    engines: dict[str, Engine], tmp_path: Path, kind: str, cells: list[str], unread: int, types: list[pa.DataType]
) -> None:
    """A number that its declared type does not hold sets its row apart, as its text does; the rest have one digest."""
    (tmp_path / "n.csv").write_text("n\n" + "".join(f'"{cell}"\n' for cell in cells))
    wanted = told(engines["duckdb"], tmp_path / "n.csv", columns={"n": kind})
    assert wanted[1] == unread
    for type_ in types:
        whole = pa.types.is_integer(type_)
        values = [(int(cell) if whole else Decimal(cell)) if cell else None for cell in cells]
        floats = pa.types.is_floating(type_)
        column = pa.array([float(cell) for cell in cells] if floats else values, type_)
        path = tmp_path / f"{type_}.parquet"
        parquet.write_table(pa.table({"n": column}), path)
        for name, engine in engines.items():
            assert told(engine, path, columns={"n": kind}) == wanted, (name, type_)


DIGITS = {
    "0.12345600000000000000000000": "0.123456", "2.500000000000000000e-01": "0.250000", "1e+05": "100000.000000",
    "12345678901e-5": "123456.789010", "1e-19": None, "1e-400": None, "0.1234560000000000000001": None,
    "999999999999.9999990000000000000001": None, "5.000000000000000001e-1": None,
}  # fmt: skip


def test_no_digit_of_a_decimal_is_rounded_away_however_far_behind(engines: dict[str, Engine], tmp_path: Path) -> None:
    """Spelt as numpy, R and spreadsheets do."""
    (tmp_path / "n.csv").write_text("n\n" + "".join(f"{cell}\n" for cell in DIGITS))
    for engine in engines.values():
        values, unread, _ = told(engine, tmp_path / "n.csv", columns={"n": "decimal"})
        assert values == sorted(map(str, DIGITS.values()))
        assert unread == 5


def test_midnight_at_the_end_of_the_last_day_is_of_no_year(engines: dict[str, Engine], tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("z\n2020-12-31 24:00\n9999-12-31T24:00\n9999-12-31 24:00:00.0\n9999-12-31 23:59\n")
    (tmp_path / "zoned.csv").write_text("z\n9999-12-31 23:00 -0500\n9999-12-31 23:00 +0000\n9999-12-31 22:00 Z\n")
    for engine in engines.values():
        values, unread, _ = told(engine, tmp_path / "z.csv", columns={"z": "timestamp"})
        assert values == ["2021-01-01 00:00:00", "9999-12-31 23:59:00", "None", "None"]
        assert unread == 2
        zoned = {"z": {"type": "timestamp", "format": "%Y-%m-%d %H:%M %z"}}
        values, unread, _ = told(engine, tmp_path / "zoned.csv", columns=zoned)
        assert (values, unread) == (["9999-12-31 22:00:00", "9999-12-31 23:00:00", "None"], 1)


def test_signs_beyond_the_first_plane_are_read_in_every_encoding(engines: dict[str, Engine], tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-le", "utf-32"):
        (tmp_path / "t.csv").write_bytes("t\n\U0001f46e\né\n".encode(encoding))
        for engine in engines.values():
            found = told(engine, tmp_path / "t.csv", columns={"t": "text"}, encoding=encoding)
            assert found[:2] == (["é", "\U0001f46e"], 0)


def test_titles_and_blank_cells_are_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("Report\nid,cost\n 1 ,  \n2, -1\n9223372036854775807,0000-01-01\n")
    columns = {"id": "integer", "cost": "integer"}
    rows = read_alike(engines, tmp_path / "rows.csv", columns=columns, skip_lines=1, null_tokens=["-1"])
    assert len(rows) == 3
    assert rows[0] == "(1, None, None, ' 1 ')"


def test_a_file_without_a_line_of_names_is_read_alike(engines: dict[str, Engine], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1;a;5\n2;b;\n3;c;7\n", encoding="utf-8-sig")
    columns = {"id": "integer", "cost": "integer"}
    rows = read_alike(engines, tmp_path / "rows.csv", columns=columns, separator=";", header=["id", "rest", "cost"])
    assert len(rows) == 3


def use_case(**parts: Any) -> Any:
    columns = {"id": "integer", "place": "text", "cost": "integer", "share": "float", "day": "date"}
    spec = {
        "curator": 1, "name": "agree", "version": "1.0.0", "title": "t",
        "owner": {"organisation": "o", "contact": "c@observatory.example"}, "purpose": {"statement": "s"},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "t", "dpia": "none", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"rows": {"path": "rows.parquet", "columns": columns}},
        "extract": {"from": "rows", "row_key": ["id"], "entity": ["id"]},
        "fields": {"id": {"meaning": "i", "identifier": "direct", "protect": "token", "form": "raw"},
                   "place": {"meaning": "p", "identifier": "quasi"}, "cost": {"meaning": "c"}, "day": {"meaning": "d"}},
        "quality": {"max_rejected": 1}, "disclosure": {"k": 1, "suppress": 0},
        "splits": {"by": "entity", "shares": {"train": 0.5, "test": 0.5}},
        **parts,
    }  # fmt: skip
    return parse_use_case(json.dumps(spec))


def rows_file(folder: Path, rows: list[tuple[Any, ...]]) -> Path:
    schema = pa.schema([
        ("id", pa.int64()), ("place", pa.string()), ("cost", pa.int32()), ("share", pa.float64()), ("day", pa.date32())
    ])  # fmt: skip
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
    parquet.write_table(table, folder / "rows.parquet")
    return folder / "rows.parquet"


MANY = [
    (n, None if n % 7 == 0 else f"place {n % 5}", n % 11 - 5, (n % 9) / 7 * 10.0 ** (n % 13) if n % 3 else float("nan"),
     date(2020, 1, 1 + n % 28))
    for n in range(200)
]  # fmt: skip


def checked(engine: Engine, path: Path, **parts: Any) -> CheckedSample:
    return check(extract(use_case(**parts), engine=engine, paths={"rows": path}))


def written(engine: Engine, folder: Path, sample: CheckedSample) -> Written:
    scratch = folder / "work"
    scratch.mkdir(parents=True)
    protected = protect(sample, root=bytes(range(32)), context=CONTEXT)
    return write_shards(protected, folder=folder / "version", scratch=scratch)


def test_figures_and_verdicts_agree(engines: dict[str, Engine], tmp_path: Path) -> None:
    figures = {
        "mean": ("cost", "share"), "median": ("cost", "share"), "sum": ("cost", "share"), "stdev": ("cost", "share"),
        "min": ("cost", "share", "day"), "max": ("cost", "share", "day"), "unique_value_count": ("place", "share"),
        "proportion_of_unique_values": ("place",), "proportion_of_non_null_values": ("place",),
    }  # fmt: skip
    wanted = [
        {"type": f"expect_column_{figure}_to_be_between", "kwargs": {"column": column}, "on_failure": "warn"}
        for figure, columns in figures.items() for column in columns
    ]  # fmt: skip
    ranges = {"quantiles": [0, 0.25, 0.5, 0.9, 1], "value_ranges": [[None, None]] * 5}
    wanted += [
        {"type": "expect_column_quantile_values_to_be_between", "on_failure": "warn",
         "kwargs": {"column": column, "quantile_ranges": ranges}}
        for column in ("cost", "share")
    ]  # fmt: skip
    path = rows_file(tmp_path, MANY)
    found = {name: checked(engine, path, quality={"expectations": wanted}).figures for name, engine in engines.items()}
    assert list(found["spark"]) == list(found["duckdb"])
    for rule, value in found["duckdb"].items():
        other = found["spark"][rule]
        assert other == value, (rule, "to the last digit")
        assert type(other) is type(value), rule


@pytest.mark.parametrize("where", ["executors", "driver"])
def test_uniqueness_rejections_and_bytes_agree(
    engines: dict[str, Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whoever writes; a key is repeated, and one of its rows rejected."""
    monkeypatch.setattr(engines["spark"], "reaches", lambda folder: where == "executors")
    quality = {
        "max_rejected": 1,
        "expectations": [
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["place", "cost"]},
             "on_failure": "reject"},
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "place"}, "on_failure": "warn"},
            {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["id", "place"]},
             "on_failure": "warn"},
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "cost", "min_value": -4}},
        ],
    }  # fmt: skip
    path = rows_file(
        tmp_path, [*MANY, (500, "alone", 1, 0.5, None), (501, None, 2, None, None), (500, "alone", -5, 0.5, None)]
    )
    results = {
        name: written(engine, tmp_path / name / "out", checked(engine, path, quality=quality))
        for name, engine in engines.items()
    }
    one, other = results.values()
    assert one.files == other.files
    assert one.digests == other.digests
    assert one.quality.facts() == other.quality.facts()
    assert one.quality.failing == other.quality.failing
    assert 2 in one.quality.failing.values(), "both rows of the repeated key"
    assert one.rows


def test_a_repeated_key_is_refused_by_both(engines: dict[str, Engine], tmp_path: Path) -> None:
    path = rows_file(tmp_path, [*MANY, MANY[3]])
    for name, engine in engines.items():
        with pytest.raises(QualityError) as refused:
            written(engine, tmp_path / name / "out", checked(engine, path))
        assert refused.value.code == "row-key-repeated"


def test_the_whole_job_gives_the_same_bytes(
    engines: dict[str, Engine], demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curator.edges.parquet._ranges.ROWS_PER_SHARD", 500)
    case = load_use_case(write_spec(tmp_path, spec_value()))
    paths = {name: demo_base / source.path for name, source in case.sources.items()}
    results, orphans = {}, {}
    for name, engine in engines.items():
        sample = check(extract(case, engine=engine, paths=paths))
        orphans[name] = sample.sample.orphans
        results[name] = written(engine, tmp_path / name / "out", sample)
    one, other = results.values()
    assert one.files == other.files, "the same bytes, not only the same rows"
    assert len(one.files) > 6, "several ranges"
    assert one.row_digest == other.row_digest
    assert one.disclosure == other.disclosure
    assert one.schema == other.schema
    assert one.quality.facts() == other.quality.facts()
    assert orphans["duckdb"] == orphans["spark"]


class Live:
    """A live source of two batches."""

    schema = pa.schema([("id", pa.int64()), ("day", pa.string())])
    unread = ("secret",)
    statement = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        for start in (0, 3):
            days = ["2020-02-29", "never", None]
            yield pa.record_batch([pa.array([start, start + 1, None]), pa.array(days)], schema=self.schema)


def test_live_rows_are_taken_in_alike(engines: dict[str, Engine]) -> None:
    source = declared("live", columns={"id": "integer", "day": "date"})
    found = {}
    for name, engine in engines.items():
        bound = engine.adopt("live", source, table=Live())
        raw = bound.raw_columns["day"]
        found[name] = ordered(engine.rows(f'SELECT id, day, {raw} FROM "{bound.relation}"')), bound.estimated_rows
    assert found["duckdb"] == found["spark"]
    assert found["spark"][1] == 6


BROKEN = {
    "a row too long": ("id,place\n1,x\n2,y,%s\n", {}),
    "an open quote": ('id,place\n1,"%s\n', {}),
    "bytes of another encoding": ("id,place\n1,é%s\n", {}),
}


def look_through(engine: Engine, source: Source, path: Path) -> None:
    bound = engine.bind("rows", source, path=path)
    engine.rows(f'SELECT count(*), max(place) FROM "{bound.relation}"')


@pytest.mark.parametrize("case", BROKEN)
def test_broken_text_is_refused_in_the_same_words(engines: dict[str, Engine], tmp_path: Path, case: str) -> None:
    text, source = BROKEN[case]
    filler = "".join(f"{number},ok\n" for number in range(150_000))
    head, _, last = (text % CANARY).partition("\n")
    (tmp_path / "rows.csv").write_bytes((head + "\n" + filler + last).encode("latin-1"))
    said_of = declared("rows.csv", columns={"id": "integer", "place": "text"}, **source)
    said = {}
    for name, engine in engines.items():
        with pytest.raises(SourceError) as refused:
            look_through(engine, said_of, tmp_path / "rows.csv")
        said[name] = (refused.value.code, refused.value.found)
        assert CANARY not in str(refused.value)
    assert said["spark"] == said["duckdb"]


def test_what_spark_says_never_leaves(engines: dict[str, Engine], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CuratorError) as refused:
        engines["spark"].rows(f"SELECT CAST(concat('{CANARY}', id) AS INT) FROM range(3)")
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None
    assert CANARY not in "".join(capfd.readouterr())


def test_a_fault_of_the_function_is_told_without_its_words(
    engines: dict[str, Engine], capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(batch: pa.RecordBatch) -> tuple[pa.RecordBatch | None, ...]:
        raise ValueError(CANARY)

    with pytest.raises(CuratorError) as refused:
        list(engines["spark"].mapped("SELECT id FROM range(3)", refuse, rows=10))
    assert CANARY not in str(refused.value)
    assert CANARY not in "".join(capfd.readouterr())


def test_batches_hold_no_more_rows_than_asked(engines: dict[str, Engine]) -> None:
    sizes = [len(batch) for batch in engines["spark"].batches("SELECT id FROM range(2500)", rows=1_000)]
    assert sum(sizes) == 2_500
    assert max(sizes) <= 1_000


def test_kept_rows_and_keys_are_on_no_disk_in_clear(engines: dict[str, Engine], tmp_path: Path, spark: None) -> None:
    """Shuffled and kept relations are files of Spark's, read here while they exist; so is every command line."""
    engine = engines["spark"]
    engine.materialise("kept", f"SELECT id, concat('{CANARY}', id) AS cell FROM range(400000)")
    key = CANARY.encode() * 4

    def step(batch: pa.RecordBatch) -> tuple[pa.RecordBatch | None, ...]:
        return (batch,) if key else ()

    stepped = engine.mapped("SELECT * FROM kept DISTRIBUTE BY id", step, rows=50_000)
    next(stepped)
    sizes = 0
    for path in _spark_folder().rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            sizes += len(data)
            assert CANARY.encode() not in data
    assert sizes > 1_000_000, "nothing was written, so nothing was tested"
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert CANARY.encode() not in command.read_bytes()
        except OSError:
            continue
    list(stepped)


def _spark_folder() -> Path:
    from curator.engines.spark import _session

    assert _session._current is not None
    return _session._current.folder


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.engines.find_spec", lambda name: None)
    with pytest.raises(UsageError) as refused:
        open_engine("spark", scratch=tmp_path)
    assert refused.value.code == "spark-missing"
    assert "[spark]" in refused.value.todo


@pytest.mark.parametrize("home", ["", "nowhere", "old"])
def test_java_is_asked_for_before_spark_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    pytest.importorskip("pyspark")
    from curator.engines.spark import _session

    old = tmp_path / "old" / "bin" / "java"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.1\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / home)) if home else monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UsageError) as refused:
        _session.require_java()
    assert refused.value.code == "java-missing"
    assert ("Java 11" in refused.value.found) == (home == "old")


def test_a_cluster_without_its_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    from curator.engines.spark import _session

    monkeypatch.setenv(_session.MASTER, "spark://127.0.0.1:7077")
    open_to_all = tmp_path / "secret"
    open_to_all.write_text("x" * 32)
    open_to_all.chmod(0o644)
    for path in ("", str(tmp_path / "absent"), str(open_to_all)):
        monkeypatch.setenv(_session.SECRET_FILE, path)
        with pytest.raises(SecretError) as refused:
            _session._configured(tmp_path, threads=None, memory=None)
        assert refused.value.code == "spark-secret"
