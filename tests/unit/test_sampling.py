"""The draw: each option against plain Python on drawn tables, and the laws of growth that the docs promise."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling_world import HEAD, connected, drawn, drawn_in, hashed, spec_of

from curator.errors import SpecError
from curator.sampling import pushed_share
from curator.spec import parse_use_case, scope_of

COLUMNS = ["id", "who", "place", "ill"]
Row = tuple[Any, ...]
WHO = st.sampled_from([None, "ann", "bob", "cid", "dee", "eve", "fay", "gus", "hal"])
PLACE = st.sampled_from([None, "", "n", "s", "o'"])
ILL = st.sampled_from([None, True, False, False])
ROWS = st.lists(st.tuples(WHO, PLACE, ILL), max_size=40).map(
    lambda cells: [(number, *cell) for number, cell in enumerate(cells)]
)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def ids(sample: dict[str, Any], rows: list[Row], *, threads: int = 1) -> set[int]:
    return {row[0] for row in drawn(spec_of({"sample": sample}), {"t": rows}, "id", threads=threads)}


# ---- in plain Python -------------------------------------------------------------------------------------------------


def draw(row: Row, by: tuple[str, ...] = ("who",), *, step: str = "") -> str:
    return hashed(*(row[COLUMNS.index(name)] for name in by), row=row[0], step=step)


def ranks(rows: Iterable[Row], part: Callable[[Row], Any], order: Callable[[Row], Any], count: Any = None) -> dict:
    """Row id -> how many rows (that count) of its part come up to it, those of the same place included."""
    return placed(rows, part, lambda other, row: order(other) <= order(row) and (count is None or count(other)))


def firsts(rows: Iterable[Row], part: Callable[[Row], Any], order: Callable[[Row], Any]) -> dict:
    """Row id -> the first place of its key: how many rows of its part come before it, and one."""
    return {row: 1 + before for row, before in placed(rows, part, lambda other, row: order(other) < order(row)).items()}


def placed(rows: Iterable[Row], part: Callable[[Row], Any], counts: Callable[[Row, Row], bool]) -> dict:
    """Row id -> how many other rows of its part count before it."""
    parts: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        parts[part(row)].append(row)
    return {row[0]: sum(1 for other in parts[part(row)] if counts(other, row)) for row in rows}


def reference(sample: dict[str, Any], rows: list[Row]) -> set[int]:
    by = tuple(sample["by"])
    left = list(rows)
    if "per_entity" in sample:
        rank = ranks(left, lambda row: row[1], lambda row: hashed(row[0], step="per_entity"))
        left = [row for row in left if row[1] is None or rank[row[0]] <= sample["per_entity"]]
    least: set[int] = set()
    if "fraction" in sample:
        if "at_least" in sample:
            rank = firsts(left, lambda row: row[2], lambda row: draw(row, by))
            least = {row[0] for row in left if rank[row[0]] <= sample["at_least"]["rows"]}
        limit = f"{round(sample['fraction'] * 2**32):08x}"
        left = [row for row in left if draw(row, by)[:8] < limit or row[0] in least]
    if "quotas" in sample:
        rank = ranks(left, lambda row: row[2], lambda row: draw(row, by, step="quotas"))
        quota = {**dict.fromkeys({row[2] for row in left}, sample["quotas"]["others"]), **sample["quotas"]["rows"]}
        left = [row for row in left if quota[row[2]] == "all" or rank[row[0]] <= quota[row[2]]]
    if "strata" in sample:
        rows_of, size = sample["strata"].get("rows"), Counter(row[2] for row in left)
        ranked = firsts if rows_of is None else ranks
        rank = ranked(left, lambda row: row[2], lambda row: draw(row, by, step="strata"))
        share = Fraction(str(sample["strata"].get("fraction", 1)))
        left = [row for row in left if rank[row[0]] <= (ceil(share * size[row[2]]) if rows_of is None else rows_of)]
    if "negatives" in sample:
        share = Fraction(str(sample["negatives"]["per_positive"]))
        within = (lambda row: row[2]) if sample["negatives"].get("within") else (lambda row: 0)
        positives = Counter(within(row) for row in left if row[3])
        rank = ranks(left, within, lambda row: draw(row, by, step="negatives"), count=lambda row: row[3] is False)
        fits = {row[0] for row in left if row[3] is False and rank[row[0]] <= share * positives[within(row)]}
        left = [row for row in left if row[3] or row[0] in fits]
    if "max_rows" in sample:
        rank = ranks(left, lambda row: 0, lambda row: (row[0] not in least, draw(row, by, step="max_rows")))
        left = [row for row in left if rank[row[0]] <= sample["max_rows"]]
    return {row[0] for row in left}


FRACTION = st.sampled_from([0.1, 0.25, 0.5, 0.9])
OPTIONS = {
    "per_entity": st.integers(1, 4),
    "fraction": FRACTION,
    "quotas": st.fixed_dictionaries(
        {
            "by": st.just("place"),
            "rows": st.dictionaries(
                st.sampled_from(["n", "s", "", "o'"]), st.integers(0, 5) | st.just("all"), min_size=1
            ),
            "others": st.integers(0, 3) | st.just("all"),
        }
    ),
    "strata": st.fixed_dictionaries({"by": st.just(["place"]), "fraction": FRACTION})
    | st.fixed_dictionaries({"by": st.just(["place"]), "rows": st.integers(0, 6)}),
    "negatives": st.fixed_dictionaries(
        {"positive": st.just("ill"), "per_positive": st.sampled_from([0.5, 1.0, 2.5, 0.333])},
        optional={"within": st.just(["place"])},
    ),
    "max_rows": st.integers(1, 30),
}
SAMPLES = st.fixed_dictionaries({"by": st.sampled_from([["who"], ["id"], ["who", "place"]])}, optional=OPTIONS).filter(
    lambda sample: len(sample) > 1
)
WITH_LEAST = st.builds(
    lambda sample, fraction, rows: {**sample, "fraction": fraction, "at_least": {"by": ["place"], "rows": rows}},
    SAMPLES, FRACTION, st.integers(0, 4),
)  # fmt: skip


def whole_quota(sample: dict[str, Any]) -> bool:
    """Classes kept whole go first under a maximum; the reference above knows only `at_least`."""
    return "all" in sample.get("quotas", {}).get("rows", {}).values() and "max_rows" in sample


@settings(SLOW, max_examples=100)
@given(SAMPLES | WITH_LEAST, ROWS)
def test_every_mix_of_options_draws_what_plain_python_draws(sample: dict[str, Any], rows: list[Row]) -> None:
    if whole_quota(sample):
        return
    assert ids(sample, rows) == reference(sample, rows)


@SLOW
@given(SAMPLES | WITH_LEAST, ROWS, st.randoms(use_true_random=False))
def test_neither_order_nor_threads_change_the_draw(
    sample: dict[str, Any], rows: list[Row], chance: random.Random
) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert ids(sample, rows) == ids(sample, shuffled, threads=4)


def test_another_engine_order_of_many_rows_changes_nothing() -> None:
    rows = [(number, f"p{number % 700}", "nso"[number % 3], number % 11 == 0) for number in range(20_000)]
    sample = {"by": ["who"], "fraction": 0.4, "at_least": {"by": ["place"], "rows": 2_000},
              "negatives": {"positive": "ill", "per_positive": 2.5, "within": ["place"]},
              "max_rows": 2_000}  # fmt: skip
    found = ids(sample, rows)
    assert found == ids(sample, rows[::-1], threads=4)
    assert 1_900 < len(found) <= 2_000


# ---- growth ----------------------------------------------------------------------------------------------------------


@SLOW
@given(FRACTION, ROWS, ROWS, st.sampled_from([["who"], ["id"], ["who", "place"]]))
def test_a_share_never_evicts(fraction: float, rows: list[Row], more: list[Row], by: list[str]) -> None:
    grown = [*rows, *((row[0] + 1_000, *row[1:]) for row in more)]
    sample = {"by": by, "fraction": fraction}
    assert ids(sample, rows) == ids(sample, grown) & {row[0] for row in rows}


RANKED = st.one_of(
    st.builds(lambda rows: {"max_rows": rows}, st.integers(1, 30)),
    st.builds(lambda rows: {"per_entity": rows}, st.integers(1, 3)),
    st.builds(lambda rows: {"strata": {"by": ["place"], "rows": rows}}, st.integers(0, 9)),
    st.builds(lambda rows: {"quotas": {"by": "place", "rows": {"n": rows}, "others": 2}}, st.integers(0, 9)),
    st.builds(
        lambda rows, share: {"fraction": share, "at_least": {"by": ["place"], "rows": rows}},
        st.integers(0, 9), FRACTION,
    ),
    st.builds(lambda share: {"strata": {"by": ["place"], "fraction": share}}, FRACTION),
    st.builds(
        lambda share: {"negatives": {"positive": "ill", "per_positive": share, "within": ["place"]}},
        st.sampled_from([0.5, 2.0]),
    ),
)  # fmt: skip


@settings(SLOW, max_examples=100)
@given(RANKED, ROWS, ROWS)
def test_a_number_evicts_by_rank_and_never_more_than_came(
    option: dict[str, Any], rows: list[Row], more: list[Row]
) -> None:
    """One row a key: what leaves has a higher hash than all that stays of its class; no more leave than came."""
    sample = {"by": ["id"], **option}
    added = [(row[0] + 1_000, *row[1:]) for row in more]
    before, after = ids(sample, rows), ids(sample, [*rows, *added])
    left = {row for row in rows if row[0] in before - after}
    assert len(left) <= len(added)
    step = list(option)[-1]
    part = {"per_entity": 1, "strata": 2, "quotas": 2, "at_least": 2, "negatives": 2}.get(step)
    salt = "" if step == "at_least" else step
    for row in left:
        stay = [
            other for other in [*rows, *added]
            if other[0] in after and (part is None or other[part] == row[part])
            and not (step == "negatives" and other[3])
            and not ("fraction" in option and int(hashed(other[0])[:8], 16) < option["fraction"] * 2**32)
        ]  # fmt: skip
        assert all(hashed(other[0], step=salt) < hashed(row[0], step=salt) for other in stay)


@SLOW
@given(ROWS, ROWS, st.integers(1, 30))
def test_what_a_maximum_evicts_has_the_highest_hash(rows: list[Row], more: list[Row], limit: int) -> None:
    """With several rows a key, too: no key that stays has a higher hash than one that left."""
    sample = {"by": ["who"], "max_rows": limit}
    grown = [*rows, *((row[0] + 1_000, *row[1:]) for row in more)]
    before, after = ids(sample, rows), ids(sample, grown)
    assert len(after) <= limit
    left = [draw(row, step="max_rows") for row in rows if row[0] in before - after]
    kept = [draw(row, step="max_rows") for row in grown if row[0] in after]
    assert not left or not kept or max(kept) < min(left)


@SLOW
@given(SAMPLES, ROWS)
def test_rows_of_one_key_stay_together(sample: dict[str, Any], rows: list[Row]) -> None:
    """Within the class or stratum, after the cap: the parts that an option ranks."""
    if "per_entity" in sample or "negatives" in sample:
        return
    chosen = ids(sample, rows)
    parted = {"quotas", "strata"} & set(sample)
    fates: dict[Any, set[bool]] = defaultdict(set)
    for row in rows:
        fates[draw(row, tuple(sample["by"])), row[2] if parted else None].add(row[0] in chosen)
    assert all(len(fate) == 1 for fate in fates.values())


def test_two_tables_that_share_a_key_are_drawn_alike() -> None:
    """Linked tables: a second spec with the same key, seed and fraction draws the same keys, whatever their name."""
    people = [(number, f"p{number}", None, None) for number in range(500)]
    visits = [(number, f"p{number % 500}", None, None) for number in range(3_000)]
    sample = {"by": ["who"], "fraction": 0.2, "seed": 3}
    first = {row[0] for row in drawn(spec_of({"sample": sample}), {"t": people}, "who")}
    other = {
        **HEAD,
        "sources": {
            "t": {"path": "v.csv", "columns": {"id": "integer", "patient": "text", "a": "text", "b": "boolean"}}
        },
        "extract": {"from": "t", "row_key": ["id"], "entity": ["patient"], "sample": {**sample, "by": ["patient"]}},
    }
    second = {row[0] for row in drawn(parse_use_case(json.dumps(other)), {"t": visits}, "patient")}
    assert first == second
    assert 70 < len(first) < 130


def test_rows_kept_whole_come_first_under_a_maximum() -> None:
    rows = [(number, None, "s" if number % 10 == 0 else "n", None) for number in range(100)]
    sample = {"by": ["id"], "quotas": {"by": "place", "rows": {"s": "all"}}, "max_rows": 25}
    chosen = ids(sample, rows)
    assert len(chosen) == 25
    assert set(range(0, 100, 10)) <= chosen
    assert len(ids({**sample, "max_rows": 4}, rows)) == 4, "a maximum is one, even of those"


def test_a_whole_share_leaves_only_the_other_options() -> None:
    rows = [(number, None, "ns"[number % 2], None) for number in range(50)]
    sample = {"fraction": 1.0, "by": ["id"], "at_least": {"by": ["place"], "rows": 3}}
    assert len(ids(sample, rows)) == 50
    assert ids({**sample, "max_rows": 9}, rows) == ids({"by": ["id"], "max_rows": 9}, rows)


def test_a_class_of_numbers_or_truths_is_named_by_its_text() -> None:
    rows = [(number, None, None, number % 4 == 0) for number in range(40)]
    assert len(ids({"by": ["id"], "quotas": {"by": "ill", "rows": {"true": "all", "false": 3}}}, rows)) == 13
    assert len(ids({"by": ["id"], "quotas": {"by": "id", "rows": {"7": 0}}}, rows)) == 39


def test_filters_of_a_source_and_a_window_come_first() -> None:
    columns = {"id": "integer", "who": "text", "place": "text", "ill": "boolean", "day": "date", "at": "timestamp"}

    rows = [
        (n, "a", "n" if n % 2 else None, None, date(2020, 1, n), datetime(2020, 1, n, 23, 59)) for n in range(1, 31)
    ]
    rows.append((99, "a", "n", None, None, None))
    sources = {"t": {"path": "t.csv", "where": "place = 'n'", "columns": columns}}
    for column in ("day", "at"):
        window = {"column": column, "since": "2020-01-05", "until": "2020-01-09"}
        found = drawn(spec_of({"window": window}, sources=sources), {"t": rows}, "id")
        assert [row[0] for row in found] == [5, 7, 9]


@pytest.mark.parametrize("column", ["day", "at"])
def test_a_window_may_reach_to_the_ends_of_the_calendar(column: str) -> None:
    columns = {"id": "integer", "who": "text", "day": "date", "at": "timestamp"}
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999)
    rows = [(1, "a", date.min, datetime.min), (2, "a", date.max, last), (3, "a", None, None)]
    for bounds, wanted in (({"until": "9999-12-31"}, [1, 2]), ({"since": "0001-01-01"}, [1, 2]),
                           ({"since": "9999-12-31"}, [2]), ({"until": "0001-01-01"}, [1])):  # fmt: skip
        spec = spec_of({"window": {"column": column, **bounds}}, sources={"t": {"path": "t.csv", "columns": columns}})
        assert [row[0] for row in drawn(spec, {"t": rows}, "id")] == wanted


# ---- push-down -------------------------------------------------------------------------------------------------------


@SLOW
@given(ROWS, FRACTION, st.sampled_from([["who"], ["id"], ["who", "place"]]))
def test_a_source_that_applies_the_share_changes_nothing(rows: list[Row], fraction: float, by: list[str]) -> None:
    use_case = spec_of({"sample": {"by": by, "fraction": fraction}})
    condition = pushed_share(use_case, scope_of(use_case), source="t")
    assert condition is not None
    with connected(use_case, {"t": rows}) as connection:
        whole = drawn_in(connection, use_case, "id")
        left = connection.execute(f'DELETE FROM "source t" WHERE NOT ({condition}) RETURNING id').fetchall()
        assert drawn_in(connection, use_case, "id") == whole
    assert all(fraction < 1 for _ in left)


def test_a_share_is_pushed_only_where_it_changes_nothing() -> None:
    joined = {
        "sources": {
            "t": HEAD["sources"]["t"],
            "u": {"path": "u.csv", "columns": {"place": "text", "beds": "integer", "rate": "decimal"}},
        },
    }
    sample = {"by": ["who"], "fraction": 0.5}

    def pushed(source: str = "t", join: Any = None, **sample_part: Any) -> bool:
        join = {"source": "u", "on": ["place"], "orphans": "ignore", **(join or {})}
        spec = spec_of({"sample": {**sample, **sample_part}, "join": [join]}, **joined)
        return pushed_share(spec, scope_of(spec), source=source) is not None

    assert pushed()
    assert pushed("u", by=["beds"])
    assert not pushed("u"), "not its key"
    assert not pushed("u", {"kind": "left"}, by=["beds"]), "rows would lose their partner, not leave"
    assert not pushed(join={"orphans": "report"}), "orphans are counted over whole tables"
    assert not pushed("u", by=["rate"]), "1.50 and 1.500000"
    assert not pushed(by=["who", "beds"]), "a key of two sources"
    assert not pushed(at_least={"by": ["place"], "rows": 1}), "rare rows are needed whatever their hash"
    assert pushed(per_entity=2)
    assert not pushed(per_entity=2, by=["id"])
    assert not pushed(fraction=1.0)
    joined["representation"] = {"dimensions": {"place": "place"}}
    assert not pushed(), "the sample is compared with all that it was drawn from"


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extract", "found"),
    [
        ({"sample": {"by": ["who"]}}, "a sample that leaves nothing out"),
        ({"sample": {"by": ["whom"], "max_rows": 1}}, "`whom`, which is no column here"),
        ({"sample": {"by": ["who"], "max_rows": 0}}, "0"),
        ({"sample": {"by": ["who"], "at_least": {"by": ["place"], "rows": 1}}}, "`at_least` without `fraction`"),
        ({"sample": {"by": ["who"], "strata": {"by": ["place"]}}}, "`fraction` and `rows`, or neither"),
        ({"sample": {"by": ["who"], "strata": {"by": ["plaice"], "rows": 1}}}, "`plaice`, which is no column here"),
        ({"sample": {"by": ["who"], "quotas": {"by": "place", "rows": {"n": "some"}}}}, "'some'"),
        (
            {"sample": {"by": ["who"], "negatives": {"positive": "place", "per_positive": 1.0}}},
            "a formula of type text",
        ),
        (
            {"sample": {"by": ["who"], "negatives": {"positive": "ill", "per_positive": 0.33333333}}},
            "a share of 0.33333333",
        ),
        ({"window": {"column": "who", "since": "2020-01-01"}}, "`who` of type text"),
        ({"window": {"column": "day"}}, "a window without `since` and `until`"),
        ({"window": {"column": "day", "since": "2020-02-30"}}, "a bound that is no date"),
        (
            {"window": {"column": "day", "since": "2020-02-01", "until": "2020-01-01"}},
            "a window that ends before it begins",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_its_place(extract: dict[str, Any], found: str) -> None:
    columns = {**HEAD["sources"]["t"]["columns"], "day": "date"}
    with pytest.raises(SpecError) as refused:
        spec_of(extract, sources={"t": {"path": "t.csv", "columns": columns}})
    assert found in [fault.found for fault in refused.value.faults]


def test_a_filter_of_a_source_knows_its_own_columns_only() -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(sources={"t": {**HEAD["sources"]["t"], "where": "beds > 3"}})
    assert "beds" in refused.value.faults[0].found
