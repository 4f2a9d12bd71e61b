"""The same rows on every engine: each draw, history, label and comparison, from a file to the sample.

What is wanted comes from the SQL on a bare DuckDB, which `tests/unit/test_sampling*.py` hold to plain Python.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sampling_world import TYPES, drawn, spec_of

from curator.engines import open_engine
from curator.errors import QualityError
from curator.extraction import extract
from curator.files import where_of
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.representation import measure
from curator.rowdigest import digest_rows
from curator.samples import Sample, Written
from curator.spec import UseCase
from curator.sqltext import quoted
from curator.versioning import write_shards

CHANCE = random.Random(11)
VISITS = {"id": "integer", "who": "text", "place": "text", "ill": "boolean", "day": "date", "at": "timestamp"}
EVENTS = {"who": "text", "on_day": "date", "on_at": "timestamp", "kind": "text", "cost": "integer", "rate": "decimal"}
START = date(2020, 1, 1)


def day() -> date | None:
    return CHANCE.choice([None, *(START + timedelta(days=number) for number in range(20))])


def moment() -> datetime | None:
    found = day()
    return found and datetime(found.year, found.month, found.day, CHANCE.randrange(24), 30, CHANCE.randrange(60))


def who() -> str | None:
    return CHANCE.choice([None, "Été", "ete", "a ", "a", "o'", "👮", *(f"p{number}" for number in range(40))])


TABLES: dict[str, list[tuple[Any, ...]]] = {
    "visits": [
        (number, who(), CHANCE.choice([None, "", "\u00a0", "n", "s", "é"]), CHANCE.choice([None, True, False]), day(),
         moment())
        for number in range(400)
    ],
    "events": [
        (who(), day(), moment(), CHANCE.choice([None, "a", "b", "é"]), CHANCE.choice([None, -3, 0, 7]),
         CHANCE.choice([None, Decimal("1.50"), Decimal("-0.25")]))
        for _ in range(600)
    ],
}  # fmt: skip


def use_case(extract_part: dict[str, Any], **changes: Any) -> UseCase:
    sources = {"visits": {"path": "visits.parquet", "columns": VISITS}}
    if "history" in extract_part or "label" in extract_part:
        sources["events"] = {"path": "events.parquet", "columns": EVENTS}
    return spec_of({"from": "visits", **extract_part}, sources=sources, **changes)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for name, columns in (("visits", VISITS), ("events", EVENTS)):
        arrays = [
            pa.array(list(cells), TYPES[kind])
            for cells, kind in zip(zip(*TABLES[name], strict=True), columns.values(), strict=True)
        ]
        pq.write_table(pa.table(arrays, names=list(columns)), folder / f"{name}.parquet", row_group_size=97)
    return folder


@contextmanager
def extracted(engine_name: str, spec: UseCase, folder: Path) -> Iterator[Sample]:
    """The sample in an engine of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(engine_name, scratch=Path(scratch))
        try:
            paths = {
                name: where_of(source.addresses, source=name, folder=folder) for name, source in spec.sources.items()
            }
            yield extract(spec, engine=engine, paths=paths)
        finally:
            engine.close()


def plain(rows: list[Any]) -> list[tuple[Any, ...]]:
    """Rows in order, numbers as themselves whatever type an engine gives them."""
    cells = [tuple(cell if cell is None or isinstance(cell, str) else float(cell) for cell in row) for row in rows]
    return sorted(cells, key=lambda row: tuple((cell is None, str(cell)) for cell in row))


SAMPLES: dict[str, dict[str, Any]] = {
    "share": {"fraction": 0.3, "by": ["who"]},
    "another-seed": {"fraction": 0.3, "by": ["who"], "seed": 5},
    "maximum": {"by": ["id"], "max_rows": 37},
    "maximum-rare-first": {
        "fraction": 0.2, "by": ["who"], "at_least": {"by": ["place"], "rows": 6}, "max_rows": 40, "seed": 3,
    },
    "rare-whole": {"fraction": 0.1, "by": ["id"], "at_least": {"by": ["place", "ill"], "rows": 9}},
    "quotas": {"by": ["who"], "quotas": {"by": "place", "rows": {"n": 5, "": "all", "é": 3}, "others": 2}},
    "strata": {"by": ["id"], "strata": {"by": ["place", "ill"], "fraction": 0.15}},
    "strata-rows": {"by": ["who"], "strata": {"by": ["place"], "rows": 7}},
    "cap": {"by": ["id"], "per_entity": 2, "fraction": 0.6},
    "cap-alone": {"by": ["who"], "per_entity": 3},
    "negatives-of-all": {"by": ["who"], "negatives": {"positive": "ill and place <> 'n'", "per_positive": 2}},
    "negatives": {"by": ["id"], "negatives": {"positive": "ill", "per_positive": 0.7, "within": ["place"]}},
    "everything": {
        "fraction": 0.8, "by": ["who", "place"], "per_entity": 9, "at_least": {"by": ["place"], "rows": 3},
        "strata": {"by": ["place"], "fraction": 0.9}, "negatives": {"positive": "ill", "per_positive": 1.5},
        "max_rows": 90,
    },
}  # fmt: skip


def found(engine_name: str, spec: UseCase, folder: Path, columns: str) -> list[tuple[Any, ...]]:
    with extracted(engine_name, spec, folder) as sample:
        return plain(sample.engine.rows(f"SELECT {columns} FROM sample"))


def digested(engine_name: str, spec: UseCase, folder: Path) -> tuple[str, list[int]]:
    """The digest of the sample's rows, every column of theirs, and their numbers."""
    columns = spec.sources["visits"].columns
    with extracted(engine_name, spec, folder) as sample:
        rows = sample.engine.rows(f"SELECT {', '.join(map(quoted, columns))} FROM sample")
    cells = zip(zip(*rows, strict=True), columns.items(), strict=True)
    table = pa.table({name: pa.array(cell, TYPES[str(column.type)]) for cell, (name, column) in cells})
    return str(digest_rows(table)), sorted(table["id"].to_pylist())


def test_every_draw_is_the_same(engine_name: str, files: Path) -> None:
    for name, sample in SAMPLES.items():
        spec = use_case({"sample": sample})
        wanted = [int(row[0]) for row in drawn(spec, {"visits": TABLES["visits"]}, "id")]
        assert 0 < len(wanted) < 400, name
        digest, numbers = digested(engine_name, spec, files)
        assert numbers == wanted, name
        assert digest == digested("duckdb", spec, files)[0], name


HISTORY: dict[str, Any] = {
    "events": "events", "on": ["who"], "at": "on_day", "until": "day", "within_days": 9,
    "columns": {"seen": "count", "paid": {"measure": "sum", "of": "rate"}, "usual": {"measure": "mean", "of": "rate"}},
}  # fmt: skip
LABEL: dict[str, Any] = {
    "name": "back", "events": "events", "on": ["who"], "at": "on_day", "after": "day", "within_days": 4,
}  # fmt: skip
WRITTEN_FIELDS = {
    "place": {"meaning": "p"}, "back": {"meaning": "b"}, "seen": {"meaning": "s"}, "paid": {"meaning": "c"},
    "usual": {"meaning": "u"}, "who": {"meaning": "w", "identifier": "direct", "protect": "token", "form": "raw"},
}  # fmt: skip


def test_a_version_of_everything_together_has_the_same_bytes(engine_name: str, files: Path, tmp_path: Path) -> None:
    part = {
        "history": [HISTORY], "label": LABEL, "where": "place is not null",
        "window": {"column": "day", "since": "2020-01-02", "until": "2020-01-18"},
        "sample": {"by": ["who"], "per_entity": 30, "quotas": {"by": "place", "rows": {"é": "all"}, "others": 60},
                   "negatives": {"positive": "back", "per_positive": 1.5}, "max_rows": 150},
    }  # fmt: skip
    spec = use_case(part, fields=WRITTEN_FIELDS, disclosure={"k": 1})
    results = [written(name, spec, files, tmp_path / f"{place}") for place, name in enumerate(("duckdb", engine_name))]
    assert 50 < results[0].rows < 300
    assert results[0].row_digest == results[1].row_digest
    assert results[0].files == results[1].files, "the same bytes, not only the same rows"


def written(engine_name: str, spec: UseCase, folder: Path, out: Path) -> Written:
    context = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
    for name in ("scratch", "version"):
        (out / name).mkdir(parents=True)
    with extracted(engine_name, spec, folder) as sample:
        protected = protect(check(sample), root=bytes(range(32)), context=context)
        return write_shards(protected, folder=out / "version", scratch=out / "scratch")


def test_a_planted_leak_is_refused_by_both(engine_name: str, files: Path) -> None:
    """A time that some rows' cut-off precedes, made a feature."""
    spec = use_case({"label": LABEL}, fields={"at": {"meaning": "when"}, "back": {"meaning": "b"}})
    with pytest.raises(QualityError) as refused, extracted(engine_name, spec, files):
        pass
    assert refused.value.code == "feature-leak"
    assert refused.value.found.startswith("`at` in ")


def test_the_label_under_another_name_is_refused_by_both(engine_name: str, tmp_path: Path) -> None:
    visits = [(n, f"p{n}", "again" if n % 3 == 0 else None, n % 2 == 0, START, None) for n in range(150)]
    events = [(f"p{n}", START + timedelta(days=2), None, "a", 1, None) for n in range(0, 150, 3)]
    for name, rows, columns in (("visits", visits, VISITS), ("events", events, EVENTS)):
        cells = zip(zip(*rows, strict=True), columns.values(), strict=True)
        table = pa.table([pa.array(list(cell), TYPES[kind]) for cell, kind in cells], names=list(columns))
        pq.write_table(table, tmp_path / f"{name}.parquet")
    fields = {"place": {"meaning": "p"}, "ill": {"meaning": "i"}, "back": {"meaning": "b"}}
    with (
        pytest.raises(QualityError) as refused,
        extracted(engine_name, use_case({"label": LABEL}, fields=fields), tmp_path),
    ):
        pass
    assert refused.value.found == "`place` tells `back` in all 150 rows"
    del fields["place"]
    with extracted(engine_name, use_case({"label": LABEL}, fields=fields), tmp_path) as sample:
        assert sample.engine.rows("SELECT count(*) FROM sample") == [(150,)]


@pytest.mark.parametrize(("cut", "at"), [("day", "on_day"), ("at", "on_at")])
def test_every_history_and_label_is_the_same(engine_name: str, files: Path, cut: str, at: str) -> None:
    columns = {
        "seen": "count", "ago": "days_since", "spent": {"measure": "sum", "of": "cost"},
        "paid": {"measure": "sum", "of": "rate"}, "usual": {"measure": "mean", "of": "rate"},
        "most": {"measure": "max", "of": "kind"}, "last_kind": {"measure": "last", "of": "kind"},
    }  # fmt: skip
    history = {"events": "events", "on": ["who"], "at": at, "until": cut, "columns": columns, "within_days": 6,
               "strictly": True, "where": "kind in ('a', 'é')"}  # fmt: skip
    label = {"name": "back", "events": "events", "on": ["who"], "at": at, "after": cut, "within_days": 4,
             "observed_until": "2020-01-17"}  # fmt: skip
    spec = use_case({"history": [history], "label": label, "derive": {"twice": "back and seen > 0"}})
    told = "id, seen, ago, spent, paid, usual, most, last_kind, back, twice"
    wanted = plain(drawn(spec, TABLES, told))
    assert len({row[1] for row in wanted}) > 3
    assert found(engine_name, spec, files, told) == wanted


def test_windows_and_filters_of_sources_are_the_same(engine_name: str, files: Path) -> None:
    for column in ("day", "at"):
        window = {"column": column, "since": "2020-01-03", "until": "2020-01-07"}
        spec = use_case({"window": window, "where": "who <> 'a'"})
        source = spec.sources["visits"].model_copy(update={"where": "place = 'é' or ill"})
        spec = spec.model_copy(update={"sources": {"visits": source}})
        wanted = plain(drawn(spec, {"visits": TABLES["visits"]}, "id"))
        assert 5 < len(wanted) < 100
        assert found(engine_name, spec, files, "id") == wanted


REPORTS: list[dict[str, Any]] = []


def test_what_a_sample_stands_for_is_the_same(engine_name: str, files: Path) -> None:
    part = {"dimensions": {"place": "place", "ill": "ill", "day": "day", "letter": "substr(who, 1, 1)"},
            "unknown": ["s"], "smallest_cell": 8}  # fmt: skip
    rule = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "ill"}}
    spec = use_case({"sample": SAMPLES["rare-whole"]}, representation=part, quality={"expectations": [rule]})
    with extracted(engine_name, spec, files) as sample:
        report = measure(check(sample))
    assert report is not None
    assert report.kept < report.drawn < report.population == 400
    REPORTS.append(report.to_json())
    assert REPORTS[0] == REPORTS[-1], "as on the engine before"
