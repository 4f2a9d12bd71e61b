"""Point-in-time joins against a slow, plain reference; and every planted leak, refused where it shows."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampling_world import HEAD, drawn, spec_of

from curator.errors import QualityError, SpecError
from curator.planning import plan
from curator.spec import UseCase, parse_use_case, scope_of

SLOW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VISITS = {"visit": "integer", "who": "text", "ward": "text", "day": "date", "at": "timestamp", "left_on": "date",
          "left_at": "timestamp"}  # fmt: skip
EVENTS = {"who": "text", "ward": "text", "on_day": "date", "on_at": "timestamp", "kind": "text", "cost": "integer",
          "rate": "decimal"}  # fmt: skip
WHO, WARD = st.sampled_from([None, "ann", "bob", "cid"]), st.sampled_from([None, "n", "s"])
DAYS = st.none() | st.dates(date(2020, 1, 1), date(2020, 1, 12))
HOURS = st.sampled_from([0, 1, 12, 23])
KIND = st.sampled_from([None, "a", "b", "é"])


def moments(days: Any) -> Any:
    return st.tuples(days, HOURS).map(lambda found: found[0] and datetime(*found[0].timetuple()[:3], found[1]))


VISIT_ROWS = st.lists(st.tuples(WHO, WARD, DAYS, moments(DAYS)), max_size=12).map(
    lambda rows: [(number, *row, None, None) for number, row in enumerate(rows)]
)
RATE = st.none() | st.integers(-50, 50).map(lambda cents: Decimal(cents).scaleb(-2))
EVENT_ROWS = st.lists(
    st.tuples(WHO, WARD, DAYS, moments(DAYS), KIND, st.none() | st.integers(-3, 9), RATE), max_size=15
)


def use_case(extract: dict[str, Any], **changes: Any) -> UseCase:
    sources = {"visits": {"path": "v.csv", "columns": VISITS}, "events": {"path": "e.csv", "columns": EVENTS}}
    part = {"from": "visits", "row_key": ["visit"], "entity": ["who"], **extract}
    changes = {"fields": {"visit": {"meaning": "x", "identifier": "none"}}, **changes}
    return spec_of(part, **{"sources": sources, **changes})


def history(*, cut: str, at: str, on: list[str], **more: Any) -> dict[str, Any]:
    columns = {
        "seen": "count", "ago": "days_since", "spent": {"measure": "sum", "of": "cost"},
        "paid": {"measure": "sum", "of": "rate"}, "usual": {"measure": "mean", "of": "cost"},
        "least": {"measure": "min", "of": "cost"}, "most": {"measure": "max", "of": "kind"},
        "last_kind": {"measure": "last", "of": "kind"},
    }  # fmt: skip
    return {"events": "events", "on": on, "at": at, "until": cut, "columns": columns, **more}


def matching(row: tuple[Any, ...], events: list[tuple[Any, ...]], part: dict[str, Any], *, cut: str) -> list[Any]:
    """Events of the row's key, at a known time, that meet the condition."""
    visit, found = dict(zip(VISITS, row, strict=True)), []
    for cells in events:
        event = dict(zip(EVENTS, cells, strict=True))
        same = all(visit[key] is not None and visit[key] == event[key] for key in part["on"])
        timed = event[part["at"]] is not None and visit[cut] is not None
        if same and timed and (part.get("where") is None or event["kind"] == "a"):
            found.append((event[part["at"]], event))
    return found


def told(row: tuple[Any, ...], events: list[tuple[Any, ...]], part: dict[str, Any]) -> tuple[Any, ...]:
    """The history of one row."""
    visit, cut = dict(zip(VISITS, row, strict=True)), part["until"]
    if any(visit[name] is None for name in (*part["on"], cut)):
        return (row[0], *[None] * 8)
    moment, back = visit[cut], part.get("within_days")
    past = [
        (at, event) for at, event in matching(row, events, part, cut=cut)
        if (at < moment if part.get("strictly") else at <= moment)
        and (back is None or at >= moment - timedelta(days=back))
    ]  # fmt: skip
    if not past:
        return (row[0], 0, *[None] * 7)

    def cells(name: str) -> list[Any]:
        return [event[name] for _, event in past if event[name] is not None]

    newest = max(at for at, _ in past)
    costs, rates, kinds = cells("cost"), cells("rate"), cells("kind")
    last = [event["kind"] for at, event in past if at == newest and event["kind"] is not None]
    ago = (date(*moment.timetuple()[:3]) - date(*newest.timetuple()[:3])).days
    return (
        row[0], len(past), ago, sum(costs) if costs else None, sum(rates) if rates else None,
        sum(costs) / len(costs) if costs else None, min(costs, default=None), max(kinds, default=None),
        max(last, default=None),
    )  # fmt: skip


COLUMNS = "visit, seen, ago, spent, paid, usual, least, most, last_kind"
SHAPES = st.sampled_from([("day", "on_day"), ("at", "on_at")])
ON = st.sampled_from([["who"], ["who", "ward"]])


@settings(SLOW, max_examples=120)
@given(VISIT_ROWS, EVENT_ROWS, SHAPES, ON, st.fixed_dictionaries({}, optional={
    "strictly": st.just(True), "within_days": st.integers(1, 5), "where": st.just("kind = 'a'")}))  # fmt: skip
def test_a_history_tells_what_plain_python_finds(
    visits: list[Any], events: list[Any], shape: tuple[str, str], on: list[str], more: dict[str, Any]
) -> None:
    part = history(cut=shape[0], at=shape[1], on=on, **more)
    found = drawn(use_case({"history": [part]}), {"visits": visits, "events": events}, COLUMNS)
    assert found == [told(row, events, part) for row in visits]


@settings(SLOW, max_examples=120)
@given(VISIT_ROWS, EVENT_ROWS, SHAPES, ON, st.integers(1, 6), st.none() | st.dates(date(2020, 1, 3), date(2020, 1, 14)))
def test_a_label_is_an_event_after_the_cut_off_and_within_the_horizon(
    visits: list[Any], events: list[Any], shape: tuple[str, str], on: list[str], days: int, until: date | None
) -> None:
    cut, at = shape
    part: dict[str, Any] = {"name": "back", "events": "events", "on": on, "at": at, "after": cut, "within_days": days,
                            "where": "kind = 'a'"}  # fmt: skip
    if until is not None:
        part["observed_until"] = until.isoformat()
    found = drawn(use_case({"label": part}), {"visits": visits, "events": events}, "visit, back")
    for row, (visit, back) in zip(visits, found, strict=True):
        moment = dict(zip(VISITS, row, strict=True))[cut]
        assert row[0] == visit
        if any(dict(zip(VISITS, row, strict=True))[name] is None for name in (*on, cut)):
            assert back is None
            continue
        end = moment + timedelta(days=days)
        last_day = end if isinstance(end, date) and not isinstance(end, datetime) else end.date()
        if until is not None and last_day > until:
            assert back is None, "nobody knows yet"
        else:
            assert back == any(moment < when <= end for when, _ in matching(row, events, part, cut=cut))


@pytest.mark.parametrize(("cut", "at"), [("day", "on_day"), ("at", "on_at")])
def test_a_label_may_be_observed_to_the_last_day_of_the_calendar(cut: str, at: str) -> None:
    """The usual way to write "for ever"; a horizon that ends after it is still unknown."""
    row = {"visit": 1, "who": "ann", "ward": "n", "day": date(2020, 1, 1), "at": datetime(2020, 1, 1)}
    late = row | {"visit": 2, "day": date(9999, 12, 30), "at": datetime(9999, 12, 30)}
    visits = [tuple(one.get(name) for name in VISITS) for one in (row, late)]
    label = {"name": "back", "events": "events", "on": ["who"], "at": at, "after": cut, "within_days": 9,
             "observed_until": "9999-12-31"}  # fmt: skip
    found = drawn(use_case({"label": label}), {"visits": visits, "events": []}, "visit, back")
    assert found == [(1, False), (2, None)]


@SLOW
@given(VISIT_ROWS, EVENT_ROWS)
def test_events_after_the_cut_off_change_no_feature(visits: list[Any], events: list[Any]) -> None:
    """Take away all that comes after a day: rows of that day or earlier have the same history."""
    part = history(cut="day", at="on_day", on=["who"])
    spec, bound = use_case({"history": [part]}), date(2020, 1, 6)
    early = [event for event in events if event[2] is None or event[2] <= bound]
    whole = drawn(spec, {"visits": visits, "events": events}, f"day, {COLUMNS}")
    cut = drawn(spec, {"visits": visits, "events": early}, f"day, {COLUMNS}")
    assert [row for row in whole if row[0] and row[0] <= bound] == [row for row in cut if row[0] and row[0] <= bound]


def test_the_base_may_be_its_own_events() -> None:
    stays = [(1, "ann", "n", date(2020, 1, 1)), (2, "ann", "s", date(2020, 1, 5)), (3, "ann", "n", date(2020, 3, 1)),
             (4, "bob", "n", date(2020, 1, 2))]  # fmt: skip
    rows = [(*stay, None, None, None) for stay in stays]
    before = {"events": "visits", "on": ["who"], "at": "day", "until": "day", "strictly": True,
              "columns": {"before": "count", "last_ward": {"measure": "last", "of": "ward"}}}  # fmt: skip
    label = {"name": "back", "events": "visits", "on": ["who"], "at": "day", "after": "day", "within_days": 30}
    spec = use_case({"history": [before], "label": label}, sources={"visits": {"path": "v.csv", "columns": VISITS}})
    found = drawn(spec, {"visits": rows}, "visit, before, last_ward, back")
    assert found == [(1, 0, None, True), (2, 1, "n", False), (3, 2, "s", False), (4, 0, None, False)]


def test_derived_columns_filters_and_samples_may_use_what_events_tell() -> None:
    rows = [(n, f"p{n}", "n", date(2020, 1, 1), None, None, None) for n in range(20)]
    events = [(f"p{n}", "n", date(2020, 1, 5), None, "a", 1, None) for n in range(0, 20, 4)]
    label = {"name": "back", "events": "events", "on": ["who"], "at": "on_day", "after": "day", "within_days": 30}
    sample = {"by": ["visit"], "negatives": {"positive": "back", "per_positive": 1.0}}
    spec = use_case(
        {"label": label, "derive": {"twice": "back and visit >= 0"}, "where": "visit < 16", "sample": sample}
    )
    found = drawn(spec, {"visits": rows, "events": events}, "twice, back")
    assert found == [(False, False)] * 4 + [(True, True)] * 4


# ---- leaks that the spec shows ---------------------------------------------------------------------------------------

LABEL = {"name": "back", "events": "events", "on": ["who"], "at": "on_day", "after": "day", "within_days": 30}
FIELDS: dict[str, Any] = {
    "visit": {"meaning": "x", "identifier": "none"}, "ward": {"meaning": "x"}, "back": {"meaning": "x"},
    "seen": {"meaning": "x"}, "hint": {"meaning": "x"}, "stay": {"meaning": "x"},
}  # fmt: skip
DERIVE = {"hint": "case when back then 1 else 0 end", "stay": "days_between(day, left_on)"}
MODEL = {"name": "m", "task": "classification", "estimator": "logistic-regression", "target": "back"}


def planted(*features: str, **extract: Any) -> UseCase:
    part = {
        "history": [{"events": "events", "on": ["who"], "at": "on_day", "until": "day", "columns": {"seen": "count"}}],
        "label": LABEL, "derive": DERIVE, **extract,
    }  # fmt: skip
    return use_case(part, fields=FIELDS, model={**MODEL, "features": list(features)})


def refused(*features: str, **extract: Any) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as error:
        planted(*features, **extract)
    return [(fault.found, fault.expected) for fault in error.value.faults]


def test_a_spec_without_leak_is_sound() -> None:
    told = plan(planted("ward", "seen"), scope_of(planted("ward", "seen"))).render()
    assert "history  events: events" in told.replace("   ", "  ")
    assert "Nobody said until when `events` is known" in " ".join(told.split())


def test_a_feature_made_from_the_label_is_refused() -> None:
    assert refused("ward", "hint")[0][0] == "`hint`, made from the label `back`"


def test_a_history_that_ends_elsewhere_than_the_label_begins_is_refused() -> None:
    late = {"events": "events", "on": ["who"], "at": "on_day", "until": "left_on", "columns": {"seen": "count"}}
    assert refused("ward", history=[late])[0][0] == "`left_on`, not the label's cut-off"


def test_the_events_of_the_label_joined_as_they_are_are_refused() -> None:
    sources = {"visits": {"path": "v.csv", "columns": {**VISITS, "event": "integer"}},
               "events": {"path": "e.csv", "columns": {"who": "text", "on_day": "date", "kind": "text"}}}  # fmt: skip
    said = "`kind`, a column of `events`, whose events make the label"
    with pytest.raises(SpecError) as error:
        use_case(
            {"label": LABEL, "join": [{"source": "events", "on": ["who"]}]}, sources=sources,
            fields={"kind": {"meaning": "x"}, "back": {"meaning": "x"}},
        )  # fmt: skip
    assert [fault.found for fault in error.value.faults] == [said], "without a model, every written field"
    with pytest.raises(SpecError) as error:
        use_case(
            {"label": LABEL, "join": [{"source": "events", "on": ["who"]}]}, sources=sources,
            fields={"kind": {"meaning": "x"}, "back": {"meaning": "x"}}, model={**MODEL, "features": ["kind"]},
        )  # fmt: skip
    assert [fault.found for fault in error.value.faults] == [
        "`kind`, a column of `events`, whose events make the label"
    ]


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ({"after": "at"}, "`at` of type timestamp, beside `on_day` of type date"),
        ({"after": "ward"}, "`ward` of type text"),
        ({"at": "kind"}, "`kind` of type text"),
        ({"at": "when"}, "`when`, which is no column here"),
        ({"on": ["kind"]}, "`kind`, not a column of the rows"),
        ({"events": "event"}, "`event`"),
        ({"name": "ward"}, "`ward`, already a column"),
        ({"name": "true"}, "`true`, a word of the expression language"),
        ({"where": "cost"}, "a formula of type integer"),
        ({"observed_until": "2020-02-30"}, "a day that does not exist"),
        ({"within_days": 0}, "0"),
    ],
)
def test_a_label_that_cannot_be_is_refused_with_its_place(label: dict[str, Any], found: str) -> None:
    with pytest.raises(SpecError) as error:
        use_case({"label": {**LABEL, **label}})
    assert found in [fault.found for fault in error.value.faults]


@pytest.mark.parametrize(
    ("measure", "found"),
    [
        ({"measure": "count", "of": "cost"}, "`count` of `cost`"),
        ("sum", "`sum` without `of`"),
        ({"measure": "sum", "of": "kind"}, "`sum` of a column of type text"),
        ({"measure": "sum", "of": "price"}, "`price`, no column of the events"),
        ("newest", "'newest'"),
    ],
)
def test_a_measure_that_cannot_be_is_refused(measure: Any, found: str) -> None:
    part = {"events": "events", "on": ["who"], "at": "on_day", "until": "day", "columns": {"made": measure}}
    with pytest.raises(SpecError) as error:
        use_case({"history": [part]})
    assert found in [fault.found for fault in error.value.faults]


def test_sources_that_only_events_use_are_used_and_told_of() -> None:
    columns = {c.name: c.used_for for c in plan(planted("ward"), scope_of(planted("ward"))).sources[1].columns}
    assert columns["who"] == ("history events", "label back")
    assert columns["on_day"] == ("history events", "label back")
    assert columns["cost"] == ()


# ---- leaks that only the data show -----------------------------------------------------------------------------------

ROWS = [(1, "ann", "n", date(2020, 1, 1), None, date(2020, 1, 1), None),
        (2, "bob", "s", date(2020, 1, 2), None, None, None)]  # fmt: skip
LATE = [*ROWS, (3, "cid", "n", date(2020, 1, 3), None, date(2020, 1, 4), None)]
HAPPENED = [("ann", "n", date(2020, 1, 9), None, "a", 1, None)]


def test_a_date_after_the_cut_off_behind_a_derived_feature_is_found() -> None:
    """How long somebody will stay is not known on arrival."""
    spec = planted("ward", "stay")
    assert len(drawn(spec, {"visits": ROWS, "events": HAPPENED}, "visit")) == 2
    with pytest.raises(QualityError) as error:
        drawn(spec, {"visits": LATE, "events": HAPPENED}, "visit")
    assert error.value.code == "feature-leak"
    assert error.value.found == "`left_on` in 1 rows newer than the cut-off (`day`)"
    assert len(drawn(planted("ward"), {"visits": LATE, "events": HAPPENED}, "visit")) == 3, "read by no feature"


def test_rows_known_only_after_the_cut_off_are_found() -> None:
    spec = planted("ward")
    source = copy.deepcopy(spec.sources["visits"]).model_copy(update={"known_at": "left_on"})
    late = spec.model_copy(update={"sources": {**spec.sources, "visits": source}})
    with pytest.raises(QualityError, match="`left_on` in 1 rows"):
        drawn(late, {"visits": LATE, "events": HAPPENED}, "visit")


def test_without_a_model_every_written_field_counts() -> None:
    fields = {"visit": FIELDS["visit"], "back": FIELDS["back"], "left_on": {"meaning": "x"}}
    spec = use_case({"label": LABEL}, fields=fields)
    with pytest.raises(QualityError, match="feature-leak"):
        drawn(spec, {"visits": LATE, "events": HAPPENED}, "visit")


def test_a_day_beside_a_moment_is_compared_by_the_day() -> None:
    label = {**LABEL, "at": "on_at", "after": "at"}
    spec = use_case({"label": label}, fields={"back": {"meaning": "x"}, "left_on": {"meaning": "x"}})
    row = (1, "ann", "n", None, datetime(2020, 1, 3, 8), date(2020, 1, 3), None)
    assert drawn(spec, {"visits": [row], "events": HAPPENED}, "visit") == [(1,)]
    with pytest.raises(QualityError):
        drawn(spec, {"visits": [(*row[:5], date(2020, 1, 4), None)], "events": HAPPENED}, "visit")


def test_the_newest_event_of_each_history_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the join ever let the future through, the data would show it."""
    from curator.sampling import _events

    monkeypatch.setattr(_events, "_in_time", lambda index, table: "true")
    with pytest.raises(QualityError, match="the history of `events` in 1 rows"):
        drawn(planted("ward"), {"visits": ROWS, "events": HAPPENED}, "visit")


# ---- nothing else ever escapes ---------------------------------------------------------------------------------------

WHOLE: dict[str, Any] = {
    **HEAD,
    "sources": {"visits": {"path": "v.csv", "columns": VISITS, "where": "visit >= 0", "known_at": "day"},
                "events": {"path": "e.csv", "columns": EVENTS, "where": "kind <> 'z'"}},
    "extract": {
        "from": "visits", "row_key": ["visit"], "entity": ["who"], "where": "back is not null", "derive": DERIVE,
        "window": {"column": "day", "since": "2019-01-01", "until": "2021-01-01"},
        "history": [{"events": "events", "on": ["who", "ward"], "at": "on_day", "until": "day", "where": "kind = 'a'",
                     "within_days": 9, "columns": {"seen": "count", "spent": {"measure": "sum", "of": "cost"}}}],
        "label": {**LABEL, "where": "cost > 0", "observed_until": "2020-12-31"},
        "sample": {"fraction": 0.5, "by": ["who"], "seed": 1, "per_entity": 5, "max_rows": 99,
                   "at_least": {"by": ["ward"], "rows": 3},
                   "quotas": {"by": "ward", "rows": {"n": "all", "s": 5}, "others": 2},
                   "strata": {"by": ["ward", "back"], "fraction": 0.25},
                   "negatives": {"positive": "back", "per_positive": 1.5, "within": ["ward"]}},
    },
    "fields": FIELDS, "model": {**MODEL, "features": ["ward", "seen"]},
    "representation": {"dimensions": {"ward": "ward", "month": "month(day)"}, "unknown": ["?"], "smallest_cell": 12,
                       "limits": {"difference": 0.1, "divergence": 0.01, "missing": 0.3}},
}  # fmt: skip
JUNK = [None, True, -1, 0, 10**15, 0.5, 1e300, "", "x", "who", "back", "seen", "day", "é'", [], {}, [[]], {"x": {}},
        ["x", "x"], ["who"], {"measure": "sum"}, {"measure": "last", "of": "who"}, "2020-02-30"]  # fmt: skip


def places(item: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [path, *(found for key, child in pairs for found in places(child, (*path, key)))]


PLACES = [found for part in ("sources", "extract", "representation") for found in places(WHOLE[part], (part,))]


def test_the_whole_spec_is_sound_and_planned() -> None:
    spec = parse_use_case(json.dumps(WHOLE))
    told = plan(spec, scope_of(spec))
    assert not [
        name for name in told.needless if name.split(".")[1] in ("who", "ward", "day", "on_day", "cost", "kind")
    ]
    assert "Rows of one sampling key that fall into different classes or strata are drawn apart." in told.notes
    assert plan(spec, scope_of(spec)).to_json()["representation"]["dimensions"] == {
        "ward": "ward",
        "month": "month(day)",
    }


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK))
def test_junk_anywhere_is_refused_with_its_place_or_makes_sound_sql(path: tuple[Any, ...], junk: Any) -> None:
    changed = copy.deepcopy(WHOLE)
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = junk
    try:
        spec = parse_use_case(json.dumps(changed))
    except SpecError as error:
        faults = error.faults
        assert all(fault.found and fault.expected for fault in faults)
        return
    tables = {"visits": [(*row, None, None) for row in ((1, "ann", "n", date(2020, 1, 1), None),)], "events": HAPPENED}
    if set(spec.sources) == set(tables) and all(
        set(spec.sources[name].columns) == set(columns) for name, columns in (("visits", VISITS), ("events", EVENTS))
    ):
        drawn(spec, tables, "1")
    plan(spec, scope_of(spec)).render()
