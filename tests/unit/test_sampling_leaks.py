"""Leaks of every form we could think of, each planted alone: refused with the right words; what is sound passes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sampling_world import TYPES, drawn, spec_of

from curator.engines import open_engine
from curator.errors import QualityError, SpecError
from curator.extraction import extract
from curator.files import where_of
from curator.planning import plan
from curator.spec import UseCase, scope_of

NOON = datetime(2024, 5, 6, 12)
STAYS = {
    "stay": "integer", "who": "text", "at": "timestamp", "day": "date", "left_at": "timestamp", "left_on": "date",
    "left_text": "text", "left_minute": "integer", "ward": "text", "outcome": "text", "score": "integer",
}  # fmt: skip
BACK = {"who": "text", "came_at": "timestamp", "billed_at": "timestamp", "out_at": "timestamp", "cost": "integer"}
TEAMS = {"ward": "text", "team": "text", "moved_at": "timestamp"}
SIZES = {"team": "text", "size": "integer"}
WEATHER = {"left_on": "date", "rain": "integer"}
LABEL = {"name": "returned", "events": "back", "on": ["who"], "at": "came_at", "after": "at", "within_days": 30}
HISTORY = {"events": "back", "on": ["who"], "at": "came_at", "until": "at", "columns": {"before": "count"}}


def stay(number: int = 1, **cells: Any) -> tuple[Any, ...]:
    """A stay that leaks nothing: somebody who left the day before they came."""
    sound = {"stay": number, "who": f"p{number}", "at": NOON, "day": NOON.date(), "left_at": NOON,
             "left_on": NOON.date(), "left_text": "06/05/2024", "left_minute": 720, "ward": "n", "outcome": "home",
             "score": 1}  # fmt: skip
    return tuple((sound | cells)[name] for name in STAYS)


def spec(*features: str, tables: dict[str, Any] | None = None, known_at: dict[str, str] | None = None,
         **extract: Any) -> UseCase:  # fmt: skip
    columns = {"stays": STAYS, "back": BACK, **(tables or {})}
    sources = {name: {"path": f"{name}.csv", "columns": of} for name, of in columns.items()}
    for name, column in (known_at or {}).items():
        sources[name]["known_at"] = column
    fields = {name: {"meaning": "x"} for name in ("returned", *features)}
    part = {"from": "stays", "row_key": ["stay"], "entity": ["who"], "label": LABEL, **extract}
    return spec_of(part, sources=sources, fields=fields)


def found(use_case: UseCase, stays: list[Any], **tables: list[Any]) -> str | None:
    """What the refusal says it found; None when the sample is drawn."""
    refused = None
    try:
        drawn(use_case, {"stays": stays, "back": [], **tables}, "stay")
    except QualityError as error:
        refused = error
    assert refused is None or refused.code == "feature-leak"
    return refused and refused.found


LATE = NOON + timedelta(microseconds=1)

# ---- times -----------------------------------------------------------------------------------------------------------


def test_a_microsecond_is_enough() -> None:
    use_case = spec("left_at")
    assert found(use_case, [stay(left_at=NOON)]) is None
    assert found(use_case, [stay(left_at=LATE)]) == "`left_at` in 1 rows newer than the cut-off (`at`)"


def test_an_event_a_microsecond_after_the_cut_off_is_no_history_and_makes_the_label() -> None:
    use_case = spec("before", history=[HISTORY])
    for moment, told in ((NOON, [(1, False)]), (LATE, [(0, True)])):
        event = ("p1", moment, moment, None, 5)
        assert drawn(use_case, {"stays": [stay()], "back": [event]}, "before, returned") == told
    assert drawn(use_case, {"stays": [stay()], "back": [("p1", NOON + timedelta(30), None, None, 1)]}, "returned") == [
        (True,)
    ]
    beyond = NOON + timedelta(30, microseconds=1)
    assert drawn(use_case, {"stays": [stay()], "back": [("p1", beyond, None, None, 1)]}, "returned") == [(False,)]


@pytest.mark.parametrize(
    "formula",
    ["days_between(day, parse_date(left_text, '%d/%m/%Y'))",
     "coalesce(days_between(day, parse_date(left_text, '%d/%m/%Y')), 0)",
     "case when parse_date(left_text, '%d/%m/%Y') > day then 1 else 0 end"],
)  # fmt: skip
def test_a_date_that_stands_in_text_is_read_too(formula: str) -> None:
    use_case = spec("duration", derive={"duration": formula})
    assert found(use_case, [stay(), stay(2, left_text=None)]) is None
    said = "the date read from `left_text` in 1 rows newer than the cut-off (`at`)"
    assert found(use_case, [stay(), stay(2, left_text="07/05/2024")]) == said


def test_a_date_read_through_other_derived_columns_and_a_field_is_found() -> None:
    derive = {"left_day": "parse_date(left_text, '%d/%m/%Y')", "duration": "days_between(day, left_day)"}
    use_case = spec(derive=derive)
    field = {"meaning": "x", "value": "band(duration, 5)", "protect": "generalise", "identifier": "quasi"}
    use_case = spec_of(use_case.to_json()["extract"], sources=use_case.to_json()["sources"],
                       fields={"returned": {"meaning": "x"}, "duration_band": field}, disclosure={"k": 2})  # fmt: skip
    assert found(use_case, [stay(left_text="08/05/2024")]) is not None
    assert found(use_case, [stay()]) is None


def test_a_moment_put_together_is_compared_to_the_minute() -> None:
    """The day is that of the cut-off; the minute is not."""
    use_case = spec("late", derive={"late": "hour(timestamp_of(left_on, left_minute))"})
    assert found(use_case, [stay(left_minute=719)]) is None
    said = "the timestamp read from `left_minute`, `left_on` in 1 rows newer than the cut-off (`at`)"
    assert found(use_case, [stay(left_minute=721)]) == said


def test_what_an_earlier_event_tells_of_later_is_found() -> None:
    """They came before the cut-off and went out after it: nobody knew that day then."""
    told = {**HISTORY, "columns": {"out": {"measure": "last", "of": "out_at"}}}
    use_case = spec("out", history=[told])
    came = NOON - timedelta(3)
    assert found(use_case, [stay()], back=[("p1", came, came, NOON, 1)]) is None
    assert (
        found(use_case, [stay()], back=[("p1", came, came, LATE, 1)]) == "`out` in 1 rows newer than the cut-off (`at`)"
    )


def test_a_history_goes_by_the_time_at_which_its_events_became_known() -> None:
    """A stay is billed later than it began: its cost was not known on the day of the cut-off."""
    spent = {**HISTORY, "columns": {"spent": {"measure": "sum", "of": "cost"}}}
    with pytest.raises(SpecError) as refused:
        spec("spent", history=[spent], known_at={"back": "billed_at"})
    fault = refused.value.faults[0]
    assert (fault.found, fault.expected) == ("`came_at`", "`billed_at`, when its rows become known (`known_at`)")
    use_case = spec("spent", history=[{**spent, "at": "billed_at"}], known_at={"back": "billed_at"})
    event = ("p1", NOON - timedelta(2), LATE, None, 70)
    assert drawn(use_case, {"stays": [stay()], "back": [event]}, "spent") == [(None,)]


# ---- joins -----------------------------------------------------------------------------------------------------------

BY_WARD = {"source": "teams", "on": ["ward"], "orphans": "ignore", "kind": "left"}
BY_TEAM = {"source": "sizes", "on": ["team"], "orphans": "ignore", "kind": "left"}


def test_an_update_of_a_dimension_after_the_cut_off_is_found() -> None:
    use_case = spec("team", tables={"teams": TEAMS}, known_at={"teams": "moved_at"}, join=[BY_WARD])
    assert found(use_case, [stay()], teams=[("n", "red", NOON)]) is None
    assert found(use_case, [stay()], teams=[("n", "red", LATE)]) == "`moved_at` in 1 rows newer than the cut-off (`at`)"


def test_a_feature_behind_a_second_join_is_as_late_as_the_first() -> None:
    """The size of a team is old; that this ward has that team became known later."""
    use_case = spec("size", tables={"teams": TEAMS, "sizes": SIZES}, known_at={"teams": "moved_at"},
                    join=[BY_WARD, BY_TEAM])  # fmt: skip
    tables = {"sizes": [("red", 4)]}
    assert found(use_case, [stay()], teams=[("n", "red", NOON)], **tables) is None
    said = "`moved_at` in 1 rows newer than the cut-off (`at`)"
    assert found(use_case, [stay()], teams=[("n", "red", LATE)], **tables) == said


def test_a_join_by_a_later_day_is_a_leak_of_that_day() -> None:
    """The rain on the day on which they left."""
    join = [{"source": "weather", "on": ["left_on"], "orphans": "ignore", "kind": "left"}]
    use_case = spec("rain", tables={"weather": WEATHER}, join=join)
    after = NOON.date() + timedelta(1)
    assert found(use_case, [stay()], weather=[(NOON.date(), 3)]) is None
    said = "`left_on` in 1 rows newer than the cut-off (`at`)"
    assert found(use_case, [stay(left_on=after)], weather=[(after, 3)]) == said


def test_a_history_by_a_key_that_became_known_later_is_found() -> None:
    by_team = {"events": "calls", "on": ["team"], "at": "called_at", "until": "at", "columns": {"calls": "count"}}
    use_case = spec("calls", tables={"teams": TEAMS, "calls": {"team": "text", "called_at": "timestamp"}},
                    known_at={"teams": "moved_at"}, join=[BY_WARD], history=[by_team])  # fmt: skip
    calls = [("red", NOON - timedelta(1))]
    assert found(use_case, [stay()], teams=[("n", "red", NOON)], calls=calls) is None
    assert found(use_case, [stay()], teams=[("n", "red", LATE)], calls=calls) is not None


# ---- the label under another name ------------------------------------------------------------------------------------


def many(**cells: Any) -> tuple[list[Any], list[Any]]:
    """Two hundred stays, every fourth followed by a return; cells are functions of the number and of the return."""
    stays = [stay(n, **{name: of(n, n % 4 == 0) for name, of in cells.items()}) for n in range(200)]
    return stays, [(f"p{n}", LATE, None, None, 1) for n in range(0, 200, 4)]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("outcome", lambda n, back: "again" if back else "home"),
        ("outcome", lambda n, back: ["x", "y"][n % 2] if back else None),
        ("score", lambda n, back: n % 3 + 10 * back),
    ],
)
def test_a_column_that_is_the_label_is_refused(name: str, cell: Any) -> None:
    stays, back = many(**{name: cell})
    assert found(spec(name), stays, back=back) == f"`{name}` tells `returned` in all 200 rows"
    assert found(spec("ward"), stays, back=back) is None, "read by no feature"


def test_a_formula_that_makes_the_label_of_a_column_is_refused() -> None:
    stays, back = many(score=lambda n, back: n + 1000 * back)
    use_case = spec("high", derive={"high": "score > 999"})
    assert found(use_case, stays, back=back) == "`high` tells `returned` in all 200 rows"


def test_a_good_feature_is_no_copy() -> None:
    for cell in (lambda n, back: "again" if back and n != 8 else "home", lambda n, back: str(n)):
        stays, back = many(outcome=cell)
        assert found(spec("outcome"), stays, back=back) is None
    few, back = many(outcome=lambda n, back: str(back))
    assert found(spec("outcome"), few[:100], back=back) is None, "25 returns could be chance"


def test_a_feature_of_one_class_where_every_label_is_one_is_no_copy() -> None:
    stays, _ = many()
    assert found(spec("outcome", "ward"), stays) is None


# ---- what cannot be compared is told ---------------------------------------------------------------------------------


def rows_of(folder: Path, use_case: UseCase, tables: dict[str, pa.Table]) -> tuple[dict[str, int], list[Any]]:
    """Counts of the draw and the rows, from Parquet files through the engine."""
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    engine = open_engine("duckdb", scratch=folder, threads=1)
    try:
        paths = {name: where_of((f"{name}.parquet",), source=name, folder=folder) for name in use_case.sources}
        sample = extract(use_case, engine=engine, paths=paths)
        return dict(sample.drawing), engine.rows("SELECT before, returned FROM sample")
    finally:
        engine.close()


def world(stays: list[Any], back: list[Any], *, zone: str | None = None) -> dict[str, pa.Table]:
    kinds = TYPES | {"timestamp": pa.timestamp("us", zone)}
    found = {}
    for name, rows, columns in (("stays", stays, STAYS), ("back", back, BACK)):
        cells = zip(zip(*rows, strict=True), columns.values(), strict=True)
        found[name] = pa.table([pa.array(list(cell), kinds[kind]) for cell, kind in cells], names=list(columns))
    return found


def test_rows_without_cut_off_have_neither_label_nor_history_and_are_counted(tmp_path: Path) -> None:
    use_case = spec("before", history=[HISTORY])
    event = ("p1", NOON, None, None, 1)
    drawing, rows = rows_of(tmp_path, use_case, world([stay(at=None), stay(2)], [event]))
    assert drawing["rows without cut-off"] == 1
    assert sorted(rows, key=str) == [(0, False), (None, None)]


def test_a_zone_does_not_make_an_event_earlier_than_it_was(tmp_path: Path) -> None:
    """Half past one in Paris is half past eleven of the day before in Greenwich: moments are compared, not digits."""
    paris = timezone(timedelta(hours=2))
    cut = datetime(2024, 5, 6, 0, 0, tzinfo=UTC)
    before, after = (datetime(2024, 5, 6, hour, 30, tzinfo=paris) for hour in (1, 2))
    use_case = spec("before", history=[HISTORY])
    for moment, wanted in ((before, (1, False)), (after, (0, True))):
        tables = world([stay(at=cut, left_at=cut)], [("p1", moment, None, None, 1)], zone="Europe/Paris")
        assert rows_of(tmp_path, use_case, tables)[1] == [wanted]


def test_a_later_date_that_no_feature_reads_is_sound() -> None:
    assert found(spec("ward"), [stay(left_at=LATE, left_on=date(2030, 1, 1), left_text="01/01/2030")]) is None


def test_the_plan_names_features_made_from_a_key() -> None:
    """Numbers are often given in the order of time; nothing compares them, so that a reader must."""
    use_case = spec("early", derive={"early": "stay < 1000"})
    notes = plan(use_case, scope_of(use_case)).notes
    assert "early: made from a key, whose values may follow time or name somebody; no check sees it." in notes
    assert not [note for note in plan(spec("ward"), scope_of(spec("ward"))).notes if "made from a key" in note]
