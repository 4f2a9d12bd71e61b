"""What is asked of a live source, and how its rows are adopted: with a source made of a dictionary."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from curator.addresses import Address, address_of, place_of
from curator.engines import open_engine
from curator.errors import SourceError
from curator.expressions import compares_only, conjuncts, in_terms_of, parse, ranges, sees_nulls
from curator.extraction import extract
from curator.planning import asked
from curator.protocols import Asked
from curator.sources import Snapshots, is_live, register, source_class, statement_of
from curator.sources._digest import RowsDigest
from curator.sources._schemes import _REGISTERED
from curator.spec import parse_use_case, scope_of

TYPES = {"a": "integer", "b": "integer", "d": "date", "s": "text", "x": "float", "c": "text", "y": "integer"}
DATA: dict[str, pa.Table] = {}
SEEN: list[Asked] = []
ENDED: list[str] = []


class Held:
    """A source whose tables are held in DATA."""

    unread: tuple[str, ...] = ()
    statement = None

    def __init__(self, address: Address, *, source: str) -> None:
        self._address = address

    @staticmethod
    def planned(address: Address, wanted: Asked) -> str:
        return f"GIVE {','.join(wanted.columns)}"

    def table(self, wanted: Asked) -> Held:
        SEEN.append(wanted)
        self.rows = DATA[wanted.source.table or wanted.name].select(list(wanted.columns))
        self.schema = self.rows.schema
        return self

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.rows.to_batches(max_chunksize=2)
        if self._address.host == "broken":
            raise SourceError("database-lost", asked="read", found="the end", expected="more", todo="again")

    def snapshot(self) -> Mapping[str, str]:
        return {"time": "now"}

    def close(self) -> None:
        ENDED.append(self._address.text)


@pytest.fixture(autouse=True)
def held() -> Iterator[None]:
    register("held", Held)
    DATA.clear()
    SEEN.clear()
    ENDED.clear()
    yield
    _REGISTERED.pop("held")


def use_case(**extract_parts: Any) -> Any:
    """A base `t` and a joined table `u`, both held."""
    columns = {"id": "integer", "who": "text", "k": "integer", "a": "integer", "x": "float", "day": "date"}
    value = {
        "curator": 1, "name": "held", "version": "1.0.0", "title": "Held rows",
        "owner": {"organisation": "Agency", "contact": "data@agency.example"}, "purpose": {"statement": "Try."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "GDPR", "dpia": "none", "ai_act": "minimal",
                "retention_days": 30},
        "sources": {"t": {"path": "held://h/base", "columns": columns},
                    "u": {"path": "held://h/base", "columns": {"k": "integer", "b": "integer", "note": "text"}}},
        "extract": {"from": "t", "join": [{"source": "u", "on": ["k"], "orphans": "ignore"}], "row_key": ["id"],
                    "entity": ["who"], **extract_parts},
        "fields": {"who": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
                   "a": {"meaning": "A.", "identifier": "none", "because": "invented"}},
        "disclosure": {"k": 1}, "splits": {"by": "entity", "shares": {"train": 1.0}},
    }  # fmt: skip
    return parse_use_case(json.dumps(value), file="held.yaml")


def wanted(**extract_parts: Any) -> dict[str, tuple[tuple[str, ...], list[list[str]]]]:
    case = use_case(**extract_parts)
    found = asked(case, scope_of(case))
    return {name: (one.columns, [sorted(part.columns) for part in one.where]) for name, one in found.items()}


def join(**parts: Any) -> dict[str, Any]:
    return {"join": [{"source": "u", "on": ["k"], "orphans": "ignore", **parts}]}


def test_only_what_is_needed_is_asked() -> None:
    assert wanted() == {"t": (("id", "who", "k", "a"), []), "u": (("k",), [])}


@pytest.mark.parametrize(
    ("parts", "base", "joined"),
    [
        ({"where": "a > 1 and b < 2"}, [["a"]], [["b"]]),
        ({"where": "a > 1 or b < 2"}, [], []),
        ({"where": "a > 1 and a < b"}, [["a"]], []),
        ({"where": "a > 1 and b < 2", **join(kind="left")}, [["a"]], []),
        ({"where": "a > 1 and b < 2", **join(orphans="report")}, [], []),
        ({"where": "older and a > 1", "derive": {"older": "year(day) < 2000"}}, [["day"], ["a"]], []),
        ({"where": "both > 3", "derive": {"both": "a + b"}}, [], []),
        ({"window": {"column": "day", "since": "2019-01-01", "until": "2019-12-31"}}, [["day"], ["day"]], []),
    ],
)
def test_a_condition_goes_where_it_changes_no_row(
    parts: dict[str, Any], base: list[list[str]], joined: list[list[str]]
) -> None:
    found = wanted(**parts)
    assert (found["t"][1], found["u"][1]) == (base, joined)


def test_conditions_in_parts() -> None:
    condition = parse("a > 1 and (b = 2 or s = 'x') and (d is null and not (x > 0))", TYPES)
    assert [sorted(part.columns) for part in conjuncts(condition)] == [["a"], ["b", "s"], ["d"], ["x"]]
    derived = {"c": parse("lower(s)", TYPES), "y": parse("length(c)", TYPES)}
    deep = in_terms_of(parse("y > 2", TYPES), derived)
    assert deep is not None
    assert deep.columns == {"s"}
    assert deep.sql("duckdb") == '(CAST(LENGTH(LOWER("s")) AS BIGINT) > 2)'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a >= -3", ["a >= (-3,)"]),
        ("5 > a", ["a < (5,)"]),
        ("a between 1 and 3", ["a >= (1,)", "a <= (3,)"]),
        ("a in (1, 2)", ["a IN (1, 2)"]),
        ("s is not null", ["s IS NOT NULL ()"]),
        ("s = 'a'", None), ("x > 1", None), ("a > b", None), ("a not in (1)", None), ("not (a = 1)", None),
        ("a > 1 or a is null", None), ("a + 1 > 2", None), ("d > parse_date('31/02/2019', '%d/%m/%Y')", None),
    ],
)  # fmt: skip
def test_bounds_that_every_database_answers_alike(text: str, found: list[str] | None) -> None:
    bounds = ranges(parse(text, TYPES))
    assert (None if bounds is None else [f"{one.column} {one.operator} {one.values}" for one in bounds]) == found


def test_bounds_of_days() -> None:
    bounds = ranges(parse("year(d) = 2019", TYPES)) or ()
    assert [(one.operator, str(one.values[0])) for one in bounds] == [(">=", "2019-01-01"), ("<", "2020-01-01")]
    assert ranges(parse("d >= parse_date('03/02/2019', '%d/%m/%Y')", TYPES)) is not None


def test_conditions_that_a_null_can_meet() -> None:
    seeing = ("a is null", "coalesce(a, 1) = 1", "case when a > 1 then true else false end", "a is distinct from 1")
    assert all(sees_nulls(parse(text, TYPES)) for text in seeing)
    assert not any(sees_nulls(parse(text, TYPES)) for text in ("a > 1", "not (a > 1) or s = 'x'", "lower(s) = 'x'"))
    assert compares_only(parse("a > 1 and not (x between 1 and a) or s in ('a')", TYPES))
    assert not compares_only(parse("floor(x) > 1", TYPES))


# ---- reading


def run(tmp_path: Path, case: Any, key: bytes | None = b"k" * 32, host: str = "h") -> Any:
    engine = open_engine("duckdb", scratch=tmp_path)
    places = {name: place_of(f"held://{host}/base", source=name) for name in case.sources}
    try:
        sample = extract(case, engine=engine, paths=places, digest_key=key)
        rows = engine.rows('SELECT id, a FROM "sample" ORDER BY id')
        return rows, sample.facts()["sources"], [bound.places[0] for bound in sample.bound.values()]
    finally:
        engine.close()


def fill() -> None:
    DATA["t"] = pa.table({
        "id": pa.array([1, 2, 3], pa.int32()), "who": ["p", "q", "r"], "k": pa.array([1, 2, 9], pa.int64()),
        "a": pa.array(["1", "no", " 3 "]), "x": [1.0, float("nan"), 2.0], "day": pa.nulls(3, pa.date32()),
    })  # fmt: skip
    DATA["u"] = pa.table({"k": pa.array([1, 2, 3], pa.int64()), "b": pa.array([1, 2, 3]), "note": ["", "", ""]})


def test_rows_are_adopted_and_named(tmp_path: Path) -> None:
    fill()
    rows, facts, places = run(tmp_path, use_case())
    assert rows == [(1, 1), (2, None)]
    assert facts["t"]["snapshot"] == {"time": "now"}
    assert (facts["t"]["database"], facts["t"]["rows_read"]) == ("base t", 3)
    assert ENDED == ["held://h/base"]
    table = DATA["u"].select(["k"])
    digest = RowsDigest(b"k" * 32, table.schema)
    for batch in table.to_batches(max_chunksize=2):
        digest.add(batch)
    assert places[1].digest(b"k" * 32) == digest.hexdigest()


def test_what_stops_the_rows_is_what_is_raised(tmp_path: Path) -> None:
    fill()
    with pytest.raises(SourceError) as caught:
        run(tmp_path, use_case(), host="broken")
    assert caught.value.code == "database-lost"
    assert ENDED == ["held://broken/base"]


def test_a_type_that_does_not_hold_the_declared_one(tmp_path: Path) -> None:
    fill()
    DATA["t"] = DATA["t"].set_column(3, "a", pa.array([True, False, True]))
    with pytest.raises(SourceError) as caught:
        run(tmp_path, use_case())
    assert caught.value.code == "source-column-type"


def test_schemes() -> None:
    assert is_live(address_of("held://h/b", source="t"))
    assert not is_live(address_of("s3://bucket/key", source="t"))
    case = use_case()
    assert statement_of(address_of("held://h/b", source="t"), asked(case, scope_of(case))["u"]) == "GIVE k"
    with pytest.raises(SourceError) as caught:
        source_class(address_of("gopher://h/b", source="t"), source="t")
    assert caught.value.code == "source-scheme"


def test_a_digest_wants_a_key(tmp_path: Path) -> None:
    fill()
    _, _, places = run(tmp_path, use_case(), key=None)
    assert places[0].taken is None
    with Snapshots() as snapshots:
        assert snapshots.key is None
