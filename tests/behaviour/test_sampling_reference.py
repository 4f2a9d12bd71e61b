"""Every pair of sampling words, on DuckDB, Spark and PostgreSQL, against pandas (`tests/sampling_reference.py`)."""

from __future__ import annotations

import itertools
import random
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_server import PASSWORD
from sampling_reference import expected, frame
from sampling_world import TYPES, drawn, spec_of

from curator.addresses import place_of
from curator.engines import open_engine
from curator.extraction import extract
from curator.files import where_of
from curator.spec import UseCase

if TYPE_CHECKING:
    from postgres_server import PostgresServer

VISITS = {"id": "integer", "who": "text", "ward": "text", "place": "text", "ill": "boolean", "day": "date",
          "at": "timestamp"}  # fmt: skip
WARDS = {"ward": "text", "beds": "integer"}
EVENTS = {"who": "text", "on_at": "timestamp", "kind": "text", "cost": "integer"}
COLUMNS = {"visits": VISITS, "wards": WARDS, "events": EVENTS}
FIRST = datetime(2024, 3, 30, 23, 59, 59, 999_999)
ODD = ["", " ", "n", "s", "N", "é", "e\u0301", "o'brien", 'a"b', "a( b", "\\", "\\n", "%s", "👮", "0012", "null"]


def tables_of(chance: random.Random, rows: int) -> dict[str, list[tuple[Any, ...]]]:
    """Rows with nulls everywhere, people of many rows and of one, moments at the edges of days."""
    people = [None, *(f"p{n}" for n in range(max(rows // 4, 2))), "Été", "a ", "a"]
    steps = [
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(days=1),
        timedelta(days=1, microseconds=1),
        timedelta(5),
    ]

    def moment() -> datetime | None:
        return chance.choice([None, *(FIRST + chance.choice(steps) + timedelta(days=n) for n in range(6))])

    visits = []
    for number in range(rows):
        at = moment()
        day = at and at.date() if number % 3 else chance.choice([None, date(1899, 12, 31), date(2024, 4, 1)])
        ward = chance.choice([None, "A", "B", "C", "nowhere"])
        visits.append((number, chance.choice(people), ward, chance.choice([None, *ODD[: 3 + rows // 20]]),
                       chance.choice([None, True, False, False]), day, at))  # fmt: skip
    wards = [("A", 2), ("B", 5), ("C", None), (None, 9)]
    events = [
        (chance.choice(people), moment(), chance.choice([None, "a", "a", "b", "é"]), chance.choice([None, -3, 0, 7]))
        for _ in range(rows)
    ]
    return {"visits": visits, "wards": wards, "events": [*events, *events[:3]]}  # some stand there twice


JOIN = [{"source": "wards", "on": ["ward"], "orphans": "ignore", "kind": "left"}]
COUNTED = {"seen": "count", "spent": {"measure": "sum", "of": "cost"}, "last_kind": {"measure": "last", "of": "kind"}}
HISTORY = {"events": "events", "on": ["who"], "at": "on_at", "until": "at", "columns": COUNTED}
LABEL = {"name": "back", "events": "events", "on": ["who"], "at": "on_at", "after": "at", "within_days": 2}
WORDS: dict[str, dict[str, Any]] = {
    "filter-of-source": {"source_where": "id >= 5"},
    "filter": {"join": JOIN, "where": "beds > 3 or place is null"},
    "join": {"join": [{**JOIN[0], "kind": "inner"}], "where": "place <> 'n'"},
    "window-of-days": {"window": {"column": "day", "since": "2024-03-31", "until": "2024-04-01"}},
    "window-of-moments": {"window": {"column": "at", "since": "2024-03-31", "until": "2024-04-02"}},
    "history": {"history": [HISTORY]},
    "history-bounded": {"history": [{**HISTORY, "strictly": True, "within_days": 2, "where": "kind = 'a'"}]},
    "label": {"label": LABEL},
    "label-observed": {"label": {**LABEL, "where": "kind = 'a'", "observed_until": "2024-04-03"}},
    "fraction": {"sample": {"fraction": 0.4}},
    "rare": {"sample": {"fraction": 0.2, "at_least": {"by": ["place"], "rows": 3}}},
    "quotas": {"sample": {"quotas": {"by": "place", "rows": {"n": 3, "": "all", "a( b": 0, "none": 4}, "others": 2}}},
    "quotas-of-truths": {"sample": {"quotas": {"by": "ill", "rows": {"true": "all", "false": 9}, "others": 0}}},
    "strata": {"sample": {"strata": {"by": ["place", "ill"], "fraction": 0.3}}},
    "strata-of-rows": {"sample": {"strata": {"by": ["place"], "rows": 4}}},
    "cap": {"sample": {"per_entity": 2}},
    "negatives": {"sample": {"negatives": {"positive": "ill", "per_positive": 0.7}}},
    "matched-negatives": {"sample": {"negatives": {"positive": "ill", "per_positive": 1.5, "within": ["place"]}}},
    "maximum": {"sample": {"max_rows": 23}},
}  # fmt: skip
KEYS = [["id"], ["who"], ["who", "place"], ["day"]]


def merged(*names: str, by: list[str], seed: int = 0) -> dict[str, Any] | None:
    """One extraction of several words; None when two of them say the same thing differently."""
    found: dict[str, Any] = {}
    sample: dict[str, Any] = {}
    for name in names:
        part = WORDS[name]
        if (found.keys() & part.keys()) or (sample.keys() & part.get("sample", {}).keys()):
            return None
        found |= {word: value for word, value in part.items() if word != "sample"}
        sample |= part.get("sample", {})
    return {**found, **({"sample": {"by": by, "seed": seed, **sample}} if sample else {})}


PAIRS = [
    (*pair, KEYS[place % len(KEYS)])
    for place, pair in enumerate(itertools.combinations(WORDS, 2))
    if merged(*pair, by=["id"]) is not None
]


def spec(words: dict[str, Any], paths: dict[str, str] | None = None) -> UseCase:
    plain = {word: value for word, value in words.items() if word != "source_where"}
    used = {"visits", *(join["source"] for join in words.get("join", ()))}
    used |= {"events"} if {"history", "label"} & words.keys() else set()
    sources = {name: {"path": (paths or {}).get(name, f"{name}.parquet"), "columns": of} for name, of in COLUMNS.items()
               if name in used}  # fmt: skip
    if "source_where" in words:
        sources["visits"]["where"] = words["source_where"]
    fields = {name: {"meaning": "x", "identifier": "none"} for name in told(words)}
    return spec_of({"from": "visits", "row_key": ["id"], "entity": ["who"], **plain}, sources=sources, fields=fields)


def told(words: dict[str, Any]) -> list[str]:
    made = ["seen", "spent", "last_kind"] if "history" in words else []
    return ["id", *(["beds"] if "join" in words else []), *made, *(["back"] if "label" in words else [])]


def wanted(words: dict[str, Any], tables: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    frames = {name: frame(rows, COLUMNS[name]) for name, rows in tables.items()}
    found = expected({"entity": ["who"], **words}, frames, where=words.get("source_where"))
    cells = found[told(words)].itertuples(index=False)
    return sorted(tuple(None if cell != cell else cell for cell in row) for row in cells)


def found(words: dict[str, Any], tables: dict[str, list[Any]], *, threads: int = 1) -> list[tuple[Any, ...]]:
    use_case = spec(words)
    used = {name: rows for name, rows in tables.items() if name in use_case.sources}
    return [tuple(row) for row in drawn(use_case, used, ", ".join(told(words)), threads=threads)]


TABLES = tables_of(random.Random(3), 90)


def test_every_word_and_every_pair_of_words_draws_what_pandas_draws() -> None:
    """All of them on one table whose rows stand in another order for every pair; some of four threads."""
    chance, kept = random.Random(8), set()
    alone = [(name, name, by) for name in WORDS for by in KEYS[:3]]
    for place, (one, other, by) in enumerate([*alone, *PAIRS]):
        words = merged(*dict.fromkeys((one, other)), by=by, seed=place % 3)
        assert words is not None
        tables = {name: chance.sample(rows, len(rows)) for name, rows in TABLES.items()}
        expected_rows = wanted(words, TABLES)
        assert found(words, tables, threads=1 + 3 * (place % 4 == 0)) == expected_rows, (one, other, by)
        kept.add(len(expected_rows))
    assert len(PAIRS) > 120
    assert len(kept) > 30, "the words do something"


ANY = st.lists(st.sampled_from(list(WORDS)), min_size=1, max_size=6, unique=True)


def held(names: list[str], by: list[str], chance: random.Random, rows: int, seed: int) -> None:
    while (words := merged(*names, by=by, seed=seed)) is None:
        names = names[1:]
    tables = tables_of(chance, rows)
    assert found(words, tables) == wanted(words, tables), names


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, st.sampled_from(KEYS), st.randoms(use_true_random=False), st.integers(0, 60), st.integers(0, 9))
def test_any_words_together_on_any_rows(
    names: list[str], by: list[str], chance: random.Random, rows: int, seed: int
) -> None:
    held(names, by, chance, rows, seed)


@pytest.mark.sweep
@settings(max_examples=1_500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANY, st.sampled_from(KEYS), st.randoms(use_true_random=False), st.integers(0, 120), st.integers(0, 99))
def test_any_words_together_on_any_rows_at_length(
    names: list[str], by: list[str], chance: random.Random, rows: int, seed: int
) -> None:
    held(names, by, chance, rows, seed)


# ---- whole engines and a database ------------------------------------------------------------------------------------

MIXED = [
    (["filter-of-source", "join", "history", "rare", "maximum"], ["who"]),
    (["window-of-moments", "label-observed", "history-bounded", "quotas", "cap"], ["id"]),
    (["filter", "label", "fraction", "strata", "negatives", "maximum"], ["who", "place"]),
    (["quotas-of-truths", "strata-of-rows", "matched-negatives", "cap", "rare", "label"], ["day"]),
]
LARGE = tables_of(random.Random(5), 300)


def arrow(name: str) -> pa.Table:
    cells = zip(zip(*LARGE[name], strict=True), COLUMNS[name].values(), strict=True)
    return pa.table([pa.array(list(cell), TYPES[kind]) for cell, kind in cells], names=list(COLUMNS[name]))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for name in COLUMNS:
        pq.write_table(arrow(name), folder / f"{name}.parquet", row_group_size=41)
    return folder


def extracted(engine_name: str, use_case: UseCase, columns: list[str], folder: Path | None = None) -> list[Any]:
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(engine_name, scratch=Path(scratch))
        try:
            paths = {
                name: where_of(source.addresses, source=name, folder=folder) if folder
                else place_of(source.addresses[0], source=name)
                for name, source in use_case.sources.items()
            }  # fmt: skip
            extract(use_case, engine=engine, paths=paths)
            return sorted(tuple(row) for row in engine.rows(f"SELECT {', '.join(columns)} FROM sample"))
        finally:
            engine.close()


@pytest.mark.parametrize(("names", "by"), MIXED)
def test_both_engines_draw_it_from_files(engine_name: str, files: Path, names: list[str], by: list[str]) -> None:
    words = merged(*names, by=by, seed=2)
    assert words is not None
    rows = wanted(words, LARGE)
    assert 5 < len(rows) < 250
    assert extracted(engine_name, spec(words), told(words), files) == rows


@pytest.fixture(scope="module")
def addresses(postgres: PostgresServer) -> dict[str, str]:
    for name in COLUMNS:
        postgres.load(f"reference_{name}", arrow(name))
    return {name: postgres.address() for name in COLUMNS}


PUSHED = [
    *MIXED,
    (["filter-of-source", "fraction", "window-of-moments"], ["who"]),
    (["join", "fraction", "window-of-days"], ["id"]),
    (["fraction", "cap"], ["who"]),
]


@pytest.mark.parametrize(("names", "by"), PUSHED)
def test_a_database_gives_the_same_rows_and_leaves_the_others_behind(
    postgres: PostgresServer,
    addresses: dict[str, str],
    names: list[str],
    by: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)
    words = merged(*names, by=by, seed=2)
    assert words is not None
    use_case = spec(words, addresses)
    tables = {
        name: source.model_copy(update={"table": f"reference_{name}"}) for name, source in use_case.sources.items()
    }
    before = len(postgres.asked_of("reference_visits"))
    assert extracted("duckdb", use_case.model_copy(update={"sources": tables}), told(words)) == wanted(words, LARGE)
    asked = " ".join(postgres.asked_of("reference_visits")[before:])
    alone = "fraction" in words.get("sample", {}) and words["sample"].keys() <= {"by", "seed", "fraction", "per_entity"}
    assert ("md5(" in asked.lower()) == (alone and len(by) == 1), "a threshold alone is the database's to apply"


@pytest.mark.parametrize("column", ["day", "at"])
@pytest.mark.parametrize(
    "window",
    [{"since": "0001-01-01"}, {"since": "1500-01-01", "until": "9999-12-31"}, {"until": "1582-12-31"},
     {"since": "1899-12-31", "until": "1900-01-01"}],
)  # fmt: skip
def test_a_window_of_any_year_is_the_same_in_a_database(
    addresses: dict[str, str], column: str, window: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound that the database could not read as a day would leave every row behind."""
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)
    words = {"window": {"column": column, **window}}
    use_case = spec(words, addresses)
    source = use_case.sources["visits"].model_copy(update={"table": "reference_visits"})
    use_case = use_case.model_copy(update={"sources": {"visits": source}})
    assert extracted("duckdb", use_case, ["id"]) == wanted(words, LARGE)
