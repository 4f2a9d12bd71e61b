"""Representativeness: figures against scipy and by hand, the trap of the real table, floors, the gate, the page."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from capital_world import write_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling_world import HEAD, TYPES, hashed, spec_of

from curator.capital import Capital, RunOptions
from curator.engines import open_engine
from curator.errors import QualityError, SpecError, UsageError
from curator.extraction import extract
from curator.files import where_of
from curator.quality import check
from curator.representation import (
    Dimension,
    RepresentationReport,
    Teller,
    chi_square_tail,
    dependence,
    divergence,
    measure,
    page,
    standardised_difference,
    text,
)
from curator.spec import UseCase

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12)

# ---- figures ---------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(COUNTS)
def test_the_divergence_is_the_square_of_scipys_distance(counts: list[tuple[int, int]]) -> None:
    distance = pytest.importorskip("scipy.spatial.distance")
    first, second = (list(side) for side in zip(*counts, strict=True))
    found = divergence(first, second)
    if not sum(first) or not sum(second):
        assert found is None
        return
    assert found == pytest.approx(distance.jensenshannon(first, second, base=2) ** 2, abs=1e-12)
    assert found == divergence(second, first)


def test_the_divergence_by_hand() -> None:
    assert divergence([5, 5], [50, 50]) == 0.0
    assert divergence([7, 0], [0, 3]) == 1.0
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4): (log2(2/3)/2 + log2(2)/2 + log2(4/3)) / 2
    assert divergence([1, 1], [2, 0]) == pytest.approx((math.log2(2 / 3) / 2 + 0.5 + math.log2(4 / 3)) / 2)


def test_the_standardised_difference_by_hand() -> None:
    # 20 % of the population, 50 % of the rows kept: 0.3 / sqrt((0.2 * 0.8 + 0.5 * 0.5) / 2) = 0.3 / sqrt(0.205)
    assert standardised_difference(20, 100, other=5, other_rows=10) == pytest.approx(0.66259, abs=1e-5)
    assert standardised_difference(50, 100, other=2, other_rows=10) == pytest.approx(-0.66259, abs=1e-5)
    assert standardised_difference(3, 9, other=1, other_rows=3) == 0.0
    assert standardised_difference(0, 9, other=3, other_rows=3) is None, "infinite"
    assert standardised_difference(0, 0, other=3, other_rows=3) is None


@settings(max_examples=200, deadline=None)
@given(COUNTS)
def test_the_dependence_is_scipys_chi_square(counts: list[tuple[int, int]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    missing, present = [gone for gone, _ in counts], [there for _, there in counts]
    table = [(gone, there) for gone, there in counts if gone + there]
    found = dependence(missing, [gone + there for gone, there in counts])
    if len(table) < 2 or not sum(missing) or not sum(present):
        assert found is None
        return
    wanted = stats.chi2_contingency(table, correction=False)
    total = sum(map(sum, table))
    assert found == pytest.approx((math.sqrt(wanted.statistic / total), wanted.pvalue), abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 3_000, allow_nan=False), st.integers(1, 400))
def test_the_tail_of_the_chi_square_is_scipys(value: float, degrees: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert chi_square_tail(value, degrees) == pytest.approx(stats.chi2.sf(value, degrees), rel=1e-8, abs=1e-13)


# ---- a small table ---------------------------------------------------------------------------------------------------

COLUMNS = {"id": "integer", "who": "text", "place": "text", "ill": "boolean"}


def made(folder: Path, rows: list[tuple[Any, ...]], **changes: Any) -> RepresentationReport:
    """Rows of a Parquet file, where an empty text is no null, taken through extraction, checks and measure."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.int64()), ("who", pa.string()), ("place", pa.string()), ("ill", pa.bool_())])
    cells = [pa.array(list(column), field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
    pq.write_table(pa.table(cells, schema=schema), folder / "t.parquet")
    return measured(spec_of(sources={"t": {"path": "t.parquet", "columns": COLUMNS}}, **changes), folder)


def measured(use_case: UseCase, folder: Path, *, scratch: Path | None = None) -> RepresentationReport:
    engine = open_engine("duckdb", scratch=scratch or folder, threads=1)
    try:
        paths = {
            name: where_of(source.addresses, source=name, folder=folder) for name, source in use_case.sources.items()
        }
        report = measure(check(extract(use_case, engine=engine, paths=paths)))
    finally:
        engine.close()
    assert report is not None
    return report


def part(**more: Any) -> dict[str, Any]:
    return {"dimensions": {"place": "place", "ill": "ill"}, "smallest_cell": 1, **more}


def told(dimension: Dimension) -> list[tuple[Any, ...]]:
    return [(one.value, one.state, one.population, one.kept) for one in dimension.classes]


ROWS = [
    *((number, "a", "n", False) for number in range(40)),
    *((number, "a", "s", True) for number in range(40, 60)),
    *((number, "a", "", True) for number in range(60, 70)),
    *((number, "a", " ", True) for number in range(70, 75)),
    *((number, "a", None, True) for number in range(75, 78)),
    *((number, "a", "?", False) for number in range(78, 80)),
]  # fmt: skip


def test_what_is_missing_is_found_in_each_of_its_forms(tmp_path: Path) -> None:
    report = made(tmp_path, ROWS, representation=part(unknown=["?"]))
    assert (report.population, report.drawn, report.kept) == (80, 80, 80)
    assert told(report.dimensions[0]) == [
        ("n", "value", 40, 40), ("s", "value", 20, 20), ("?", "unknown", 2, 2), (None, "empty", 15, 15),
        (None, "null", 3, 3),
    ]  # fmt: skip
    assert report.dimensions[0].missing() == (20, 20)
    assert (report.dimensions[0].divergence, report.dimensions[0].difference) == (0.0, 0.0)
    strongest = report.dimensions[0].dependences[0]
    assert (strongest.missing, strongest.on, strongest.value, strongest.share) == (
        "empty",
        "ill",
        "true",
        round(15 / 38, 4),
    )
    assert strongest.flagged


def test_rows_that_rules_reject_are_not_kept(tmp_path: Path) -> None:
    rule = {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "place", "min_value": 1}}
    report = made(tmp_path, ROWS, representation=part(), quality={"expectations": [rule]})
    assert (report.population, report.drawn, report.kept) == (80, 80, 70)
    empty = next(one for one in report.dimensions[0].classes if one.state == "empty")
    assert (empty.population, empty.kept) == (15, 5), "blanks have a length"


def test_a_sample_is_compared_with_what_it_was_drawn_from(tmp_path: Path) -> None:
    sample = {"by": ["id"], "quotas": {"by": "place", "rows": {"n": 4}}}
    report = made(
        tmp_path, ROWS, representation=part(), extract={**HEAD["extract"], "sample": sample, "where": "id < 60"}
    )
    assert (report.population, report.drawn, report.kept) == (60, 24, 24)
    assert told(report.dimensions[0]) == [("n", "value", 40, 4), ("s", "value", 20, 20)]
    by_hand = (4 / 24 - 40 / 60) / math.sqrt((40 / 60 * 20 / 60 + 4 / 24 * 20 / 24) / 2)
    assert report.dimensions[0].classes[0].difference == pytest.approx(by_hand, abs=1e-6)


def test_no_count_below_the_floor_is_told(tmp_path: Path) -> None:
    rows = [*ROWS, *((number, "a", "xyzw"[number % 4], None) for number in range(80, 90))]
    report = made(tmp_path, rows, representation=part(smallest_cell=6))
    assert all(one.population >= 6 for dimension in report.dimensions for one in dimension.classes)
    assert sum(one.population for one in report.dimensions[0].classes) == 90
    assert told(report.dimensions[0])[-1][:3] == (None, "pooled", 15), "4 letters, nulls and question marks"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), min_size=1, max_size=60), st.integers(1, 12))
def test_floors_hold_and_counts_close_whatever_the_rows(rows: list[tuple[str, bool]], floor: int) -> None:
    """The engine's part, and the pool that is too small itself."""
    from curator.representation._measure import _classes, _pooled

    population, kept = Counter(value for value, _ in rows), Counter(value for value, keep in rows if keep)
    small = [v for v in population if population[v] < floor]
    counts = [("v" + v, population[v], kept[v], ()) for v in population if v not in small]
    if small:
        counts.append(("*", sum(population[v] for v in small), sum(kept[v] for v in small), ()))
    found = _pooled(counts, floor)
    assert sum(one[1] for one in found) == len(rows)
    assert sum(one[2] for one in found) == kept.total()
    if len(found) > 1:
        assert all(one[1] >= floor for one in found)
    told = [one.kept for one in _classes(found, floor)]
    assert all(rows is None or rows == 0 or rows >= floor for rows in told)
    if len(found) > 1:
        assert told.count(None) != 1 or sum(one[2] > 0 for one in found) == 1, "one alone could be subtracted"


def test_a_class_that_nearly_vanishes_is_seen_though_its_rows_are_not_told(tmp_path: Path) -> None:
    sample = {"by": ["id"], "quotas": {"by": "place", "rows": {"s": 3}}}
    part_of = part(smallest_cell=6, limits={"difference": 0.1})
    report = made(
        tmp_path, ROWS, representation=part_of, extract={**HEAD["extract"], "sample": sample, "where": "id < 60"}
    )
    assert told(report.dimensions[0]) == [("n", "value", 40, None), ("s", "value", 20, None)]
    told_as = 3  # half of the floor
    by_hand = (told_as / 43 - 1 / 3) / math.sqrt((1 / 3 * 2 / 3 + told_as / 43 * (1 - told_as / 43)) / 2)
    assert report.dimensions[0].classes[1].difference == pytest.approx(by_hand, abs=1e-6)
    with pytest.raises(QualityError):
        report.refuse()
    assert "few (not told below 6)" in page(Teller(report=report, language="en"))


@pytest.mark.parametrize(("first", "second"), [(40, 20), (1_000, 12), (30, 30)])
def test_no_figure_tells_a_number_that_is_not_told(first: int, second: int) -> None:
    """Who knows the population tries every number below the floor: none gives other figures than the rest."""
    from curator.representation._measure import _dimensions

    part_of = spec_of(representation={"dimensions": {"place": "place"}}).representation
    assert part_of is not None
    figures = set()
    for kept in range(1, 10):
        (found,) = _dimensions(part_of, [[("vn", first, first, (0, 0, 0)), ("vs", second, kept, (0, 0, 0))]])
        assert [one.kept for one in found.classes] == [None, None]
        figures.add((found.divergence, round(found.classes[1].difference or 0, 1)))
    assert len({divergence for divergence, _ in figures}) == 1
    assert len(figures) <= 2, "the number of rows kept, which is told, moves the last digits only"


@pytest.mark.parametrize("few_are_missing", [True, False])
def test_no_share_of_missing_values_tells_a_small_number(few_are_missing: bool) -> None:
    """One row of fifty that is not missing is as little told as one of fifty that is."""
    from curator.representation._measure import _dimensions

    part_of = spec_of(representation={"dimensions": {"place": "place", "ill": "ill"}}).representation
    assert part_of is not None
    said = set()
    for few in range(1, 10):
        gone = few if few_are_missing else 50 - few
        empty = (0, gone + 200, 0, 0, 0, 0)
        place = [("vn", 550 - gone, 550 - gone, (0,) * 6), ("e", gone + 200, gone + 200, empty)]
        ill = [("vtrue", 50, 50, (0, gone, 0, 0, 0, 0)), ("vfalse", 700, 700, (0, 200, 0, 0, 0, 0))]
        (dependence_on_ill,) = next(iter(_dimensions(part_of, [place, ill]))).dependences
        said.add(dependence_on_ill)
    assert len(said) == 1


def test_a_sample_without_rows_stands_for_nothing(tmp_path: Path) -> None:
    """No figure passes a limit where there is none."""
    sample = {"by": ["id"], "fraction": 1e-9}
    for limits in ({}, {"difference": 0.1}):
        report = made(tmp_path, ROWS, representation=part(limits=limits), extract={**HEAD["extract"], "sample": sample})
        assert (report.population, report.kept, report.dimensions[0].difference) == (80, 0, None)
        if not limits:
            report.refuse()
            continue
        with pytest.raises(QualityError) as refused:
            report.refuse()
        assert refused.value.found == "no row is kept of 80"
        for language in ("en", "fr"):
            teller = Teller(report=report, language=language)
            assert teller.say("nothing") in text(teller)
            assert teller.say("within") not in page(teller)


def test_the_measure_counts_as_plain_python_does(tmp_path: Path) -> None:
    chance = random.Random(5)
    rows = [(n, "a", chance.choice(["n", "s", "", None, "o"]), chance.choice([True, False, None])) for n in range(500)]
    sample = {"by": ["id"], "fraction": 0.5}
    report = made(tmp_path, rows, representation=part(), extract={**HEAD["extract"], "sample": sample})
    drawn = [row for row in rows if int(hashed(row[0])[:8], 16) < 2**31]
    for place, dimension in ((2, report.dimensions[0]), (3, report.dimensions[1])):
        for one in dimension.classes:
            wanted = {"null": None, "empty": ""}.get(one.state, one.value)
            values = [[_text(row[place]) for row in side] for side in (rows, drawn)]
            assert (one.population, one.kept) == (values[0].count(wanted), values[1].count(wanted))


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


BLANK = " \t\n\r\u00a0\u202f"


@pytest.mark.parametrize(
    ("kind", "values", "formula"),
    [
        ("integer", [*range(200)] * 2, "band(cell, 50)"),
        ("integer", [-1, 0, 1, None] * 100, "cell"),
        ("date", [date(1899, 12, 31), date(2024, 2, 29), None, date(9999, 12, 31)] * 100, "cell"),
        ("timestamp", [datetime(2024, 1, 1, hour % 24, 59, 59, 999_999) for hour in range(400)], "hour(cell)"),
        ("boolean", [True, False, None, False] * 100, "cell"),
        ("decimal", [Decimal("1.50"), Decimal("-0.25"), None, Decimal(0)] * 100, "cell"),
        ("text", [f"only {number}" for number in range(400)], "cell"),
        ("text", ["one"] * 400, "cell"),
        ("text", [None] * 400, "cell"),
        ("text", ["", "\t \n", "\u00a0", "?", "' OR 1=1 --", "v", "*", "\u2003"] * 50, "cell"),
    ],
)
def test_figures_of_every_shape_are_those_of_the_counts(
    tmp_path: Path, kind: str, values: list[Any], formula: str
) -> None:
    """Classes, told or pooled, against counts in Python; figures against their definitions over these counts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"id": pa.array(range(400)), "cell": pa.array(values, TYPES[kind])})
    pq.write_table(table, tmp_path / "t.parquet")
    use_case = spec_of(
        {"sample": {"by": ["id"], "fraction": 0.5}, "entity": ["id"]},
        sources={"t": {"path": "t.parquet", "columns": {"id": "integer", "cell": kind}}},
        representation={"dimensions": {"cell": formula}, "smallest_cell": 1, "unknown": ["?"]},
    )
    (found,) = measured(use_case, tmp_path).dimensions
    drawn = [int(hashed(number)[:8], 16) < 2**31 for number in range(400)]
    assert sum(one.population for one in found.classes) == 400
    assert sum(one.kept or 0 for one in found.classes) == sum(drawn)
    if formula == "cell":
        blank = {cell for cell in values if cell is not None and not str(cell).strip(BLANK)}
        states = Counter(
            "null" if cell is None else "empty" if cell in blank else "unknown" if cell == "?" else "value"
            for cell in values
        )
        for state in ("null", "empty", "unknown", "value"):
            assert sum(one.population for one in found.classes if one.state == state) == states[state]
        assert sum(one.state == "value" for one in found.classes) == len(set(values) - blank - {None, "?"})
    for one in found.classes:
        p, q = one.population / 400, (one.kept or 0) / sum(drawn)
        pooled = math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        assert one.difference == pytest.approx((q - p) / pooled if pooled else 0.0, abs=1e-6)
    assert found.difference == max(abs(one.difference or 0) for one in found.classes)


def test_a_class_that_only_the_population_has_and_one_of_no_rows(tmp_path: Path) -> None:
    """A rule takes a class away whole; a class that nothing has is none."""
    rule = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "place", "value_set": ["n", "zz"]}}
    rows = [row for row in ROWS if row[2] in ("n", "s")]
    (place, ill) = made(tmp_path, rows, representation=part(), quality={"expectations": [rule]}).dimensions
    assert told(place) == [("n", "value", 40, 40), ("s", "value", 20, 0)]
    assert place.classes[1].difference == pytest.approx(-(1 / 3) / math.sqrt((1 / 3 * 2 / 3) / 2), abs=1e-6)
    assert [one.kept for one in ill.classes] == [40, 0]


# ---- the gate and the report -----------------------------------------------------------------------------------------


def report_of(**limits: float) -> RepresentationReport:
    hostile = '</script><img src=x onerror=alert(1)> & "é"'
    value = {
        "ref": "stops@1.0.0", "population": 200, "drawn": 100, "kept": 90, "smallest_cell": 10, "limits": limits,
        "dimensions": [
            {"name": "place", "formula": "place", "divergence": 0.137925, "difference": 0.816497, "classes": [
                {"value": hostile, "state": "value", "population": 150, "kept": 90, "difference": 0.816497},
                {"value": None, "state": "empty", "population": 50, "kept": 0, "difference": -0.816497}],
             "dependences": [{"missing": "empty", "on": "kind", "v": 1.0, "p": 0.0, "value": hostile, "state": "value",
                              "share": 1.0, "elsewhere": 0.0}]},
            {"name": "kind", "formula": "substr(kind, 1, 1)", "divergence": 0.0, "difference": 0.0, "classes": [
                {"value": "a", "state": "value", "population": 200, "kept": 90, "difference": 0.0}], "dependences": []},
        ],
    }  # fmt: skip
    return RepresentationReport.from_json(value)


def test_a_report_reads_back_as_it_was() -> None:
    report = report_of(difference=0.1)
    assert RepresentationReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_what_passes_a_limit_is_named_without_a_value() -> None:
    with pytest.raises(QualityError) as refused:
        report_of(difference=0.1, divergence=0.05, missing=0.5).refuse()
    assert refused.value.code == "not-representative"
    assert refused.value.found == (
        "`place`: standardised difference 0.816 (limit 0.1); `place`: divergence 0.138 (limit 0.05); "
        "`place`: empty values depend on `kind`, Cramér's V 1.000 (limit 0.5)"
    )
    report_of(difference=0.9, divergence=0.2, missing=1.0).refuse()
    report_of().refuse()


def test_the_evidence_holds_no_value_of_a_row() -> None:
    assert "script" not in json.dumps(report_of(difference=0.1).facts())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_is_whole_and_shows_values_as_text(language: Any) -> None:
    found = page(Teller(report=report_of(difference=0.1, missing=0.5), language=language))

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.tags.append(tag)
            assert tag not in ("script", "img", "link", "iframe")
            assert not [value for _, value in attrs if value and "//" in value]
            if tag not in ("meta", "rect", "line", "circle"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    reader = Reader()
    reader.feed(found.replace("/>", ">"))
    assert not reader.open
    assert reader.tags.count("svg") == 2 + 3, "one of each dimension in the overview, one of each class"
    assert f'<html lang="{language}">' in found
    assert "&lt;img src=x" in found
    assert "li { overflow-wrap: anywhere; }" in found, "a long name is not cut on a small screen"
    assert language == "en" or not re.search(" [:;](?= )", re.sub("(?s)<style.*?</style>", "", found)), "French marks"


def test_both_languages_have_the_same_phrases() -> None:
    from string import Formatter

    from curator.representation._words import WORDS

    def holes(phrase: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(phrase) if name}

    assert WORDS["en"].keys() == WORDS["fr"].keys()
    assert {key: holes(phrase) for key, phrase in WORDS["en"].items()} == {
        key: holes(phrase) for key, phrase in WORDS["fr"].items()
    }


def test_words_for_a_terminal() -> None:
    told = text(Teller(report=report_of(difference=0.1), language="en"))
    assert "90 rows are kept of 100 drawn, from a population of 200." in told
    assert "place: 50 empty texts, which are no nulls in the population; 0 values missing among the rows kept." in told
    assert "Not missing at random: whether place is empty depends on kind (Cramér's V 1.00, p < 0.001)." in told
    french = text(Teller(report=report_of(difference=0.1), language="fr"))
    assert "50 textes vides, qui ne sont pas des valeurs nulles" in french
    assert "place\u202f: différence standardisée 0,816, limite 0,100" in french


@pytest.mark.parametrize(
    ("representation", "found"),
    [
        ({"dimensions": {"place": "plaice"}}, "plaice"),
        ({"dimensions": {"cost": "cost"}}, "a formula of type float"),
        ({"dimensions": {"told": "told"}}, "free text"),
        ({"dimensions": {"place": "place"}, "smallest_cell": 3}, "3"),
        ({"dimensions": {"place": "place"}, "limits": {"divergence": 2}}, "2"),
        ({"dimensions": {"place": "place"}, "limits": {"diference": 0.1}}, "the key `diference`"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused_with_its_place(representation: dict[str, Any], found: str) -> None:
    columns = {**COLUMNS, "cost": "float", "told": "free_text"}
    with pytest.raises(SpecError) as refused:
        spec_of(
            sources={"t": {"path": "t.csv", "columns": columns}}, representation=representation, disclosure={"k": 5},
            fields={"place": {"meaning": "x", "identifier": "quasi"}},
        )  # fmt: skip
    assert any(found in fault.found for fault in refused.value.faults)


# ---- the real table, from end to end ---------------------------------------------------------------------------------

STOPS: dict[str, Any] = {
    **HEAD, "name": "stops",
    "sources": {"stops": {"path": "MplsStops.parquet", "columns": {
        "id_num": {"type": "text", "column": "idNum"}, "at": {"type": "timestamp", "column": "date"}, "problem": "text",
        "mdc": {"type": "text", "column": "MDC"}, "race": "text", "gender": "text",
        "citation": {"type": "text", "column": "citationIssued"}}}},
    "extract": {"from": "stops", "row_key": ["id_num"], "entity": ["id_num"]},
    "fields": {"problem": {"meaning": "x"}, "mdc": {"meaning": "x"}},
    "representation": {"dimensions": {"race": "race", "gender": "gender", "mdc": "mdc", "problem": "problem",
                                      "hour": "hour(at)", "citation": "citation"}, "unknown": ["Unknown"]},
}  # fmt: skip


@pytest.fixture
def stops(shared_data: Path) -> Path:
    return shared_data / "mpls-stops"


def stops_spec(**changes: Any) -> UseCase:
    from curator.spec import parse_use_case

    return parse_use_case(json.dumps(STOPS | changes))


def test_the_empty_texts_of_the_real_table_are_found_and_named(stops: Path, tmp_path: Path) -> None:
    """8,221 empty texts that are no nulls, all of one device: nothing about them is random."""
    report = measured(stops_spec(), stops, scratch=tmp_path)
    race, gender, _, _, _, citation = report.dimensions
    assert (report.population, report.kept) == (51_920, 51_920)
    assert (race.missing("null"), race.missing("empty"), race.missing("unknown")) == (
        (0, 0),
        (8_221,) * 2,
        (9_219,) * 2,
    )
    assert gender.missing("empty")[0] == 8_282
    assert citation.missing("empty")[0] == 32_810
    strongest = race.dependences[0]
    assert (strongest.missing, strongest.on, strongest.value) == ("empty", "mdc", "other")
    assert (strongest.v, strongest.share, strongest.elsewhere) == (1.0, 1.0, 0.0)
    said = " ".join(Teller(report=report, language="en").missing())
    assert "race: 8,221 empty texts, which are no nulls, 9,219 texts that say unknown" in said
    assert "whether race is empty depends on mdc (Cramér's V 1.00, p < 0.001). It is so in 100.0%" in said


def test_dropping_them_by_a_rule_is_refused_by_the_gate(stops: Path, tmp_path: Path) -> None:
    rule = {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "race", "min_value": 1}}
    limits = {"limits": {"difference": 0.1}}
    spec = {**STOPS, "quality": {"expectations": [rule]}, "representation": {**STOPS["representation"], **limits}}
    capital = Capital.create(tmp_path / "capital", holder="x")
    path = write_spec(tmp_path, spec)
    with pytest.raises(QualityError) as refused:
        capital.curate(path, RunOptions(data=stops))
    assert refused.value.code == "not-representative"
    assert "`mdc`: standardised difference 0.613" in refused.value.found
    assert "other" not in refused.value.found, "no value of a row in a message"
    assert capital.datasets() == ()
    with pytest.raises(QualityError):
        capital.preview(path, until="check", options=RunOptions(data=stops))
    assert [one.dimension for one in capital.represent(path, RunOptions(data=stops)).exceeded()] == [
        "race", "gender", "mdc", "citation",
    ]  # fmt: skip


def test_what_was_measured_stands_in_version_card_and_evidence(stops: Path, tmp_path: Path) -> None:
    spec = {**STOPS, "extract": {**STOPS["extract"], "sample": {"fraction": 0.1, "by": ["id_num"]}}}
    capital = Capital.create(tmp_path / "capital", holder="x")
    version = capital.curate(write_spec(tmp_path, spec), RunOptions(data=stops))
    report = capital.represent(version.ref)
    written = json.loads((version.folder / "representation.json").read_text(encoding="utf-8"))
    assert written == report.facts()
    assert not [path for path in version.folder.rglob("*.json") if "Black" in path.read_text(encoding="utf-8")]
    assert report.kept == sum(entry.rows for entry in version.manifest.files if entry.split)
    assert max(dimension.divergence or 0 for dimension in report.dimensions) < 0.002, "drawn by hash: alike"
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert "## Whom it stands for" in card
    assert "| `race` | 7 |" in card
    assert "Représentativité : " in card
    statements = [
        envelope.statement for envelope in capital.evidence.unverified() if str(envelope.statement.stage) == "check"
    ]  # fmt: skip
    facts = statements[-1].facts["representation"]
    assert facts["dimensions"]["race"]["missing"] == {"null": 0, "empty": 8_221, "unknown": 9_219}
    assert "Black" not in json.dumps(statements[-1].facts)
    assert capital.verify() == ()


def test_a_spec_that_names_no_dimension_is_told_so(tmp_path: Path) -> None:
    capital = Capital.create(tmp_path / "capital", holder="x")
    with pytest.raises(UsageError) as refused:
        capital.represent(write_spec(tmp_path, HEAD))
    assert refused.value.code == "representation-absent"
