"""Weekly rescue calls: ISO weeks, a week twice, two absent, an extreme that is true, and a split cut in time."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flows import Flow, failing, quality, rows

from curator.records import DatasetVersion


@pytest.fixture(scope="module")
def version(flow: Flow, shared_data: Path) -> DatasetVersion:
    return flow.curate("rescue-activity", data=shared_data / "sdis91-weekly")


@pytest.fixture(scope="module")
def weeks(version: DatasetVersion) -> dict[str, dict[str, Any]]:
    return {row["week"]: row for row in rows(version)}


def _read(path: Path, *, separator: str) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream, delimiter=separator)


def test_one_of_416_rows_is_rejected_and_every_week_stays(
    flow: Flow, version: DatasetVersion, weeks: dict[str, dict[str, Any]]
) -> None:
    check = flow.facts(version, "check")
    assert (check["rows"], check["accepted"], sum(check["rejected"].values())) == (416, 415, 1)
    assert sum(version.manifest.rows.values()) == len(weeks) == 415


def test_reports_name_what_is_odd(version: DatasetVersion) -> None:
    assert failing(version) == {
        "values_to_be_in_set weather_of_another_year": 1,
        "values_to_be_in_set weather_known": 2,
        "values_to_be_between total_calls mostly": 1,
    }
    figures = {
        result["expectation_config"]["type"]: result["result"].get("observed_value")
        for result in quality(version)["results"]
        if not result["success"] and "unexpected_count" not in result["result"]
    }
    assert figures == {
        "expect_column_unique_value_count_to_be_between": 415,  # of 417: two weeks are absent
        "expect_column_proportion_of_unique_values_to_be_between": pytest.approx(415 / 416),  # one is twice
        "expect_column_max_to_be_between": None,  # a largest value is some row's own: never in the papers of a version
    }


def test_the_absent_weeks_are_201501_and_201553(weeks: dict[str, dict[str, Any]]) -> None:
    every = {date(2010, 1, 4) + timedelta(days=7 * step) for step in range(417)}
    labels = {f"{monday.isocalendar().year}{monday.isocalendar().week:02}" for monday in every}
    assert len(labels) == 417
    assert labels - set(weeks) == {"201501", "201553"}
    assert not set(weeks) - labels


def test_weeks_begin_on_the_monday_of_iso_8601(weeks: dict[str, dict[str, Any]]) -> None:
    for week, row in weeks.items():
        assert row["week_start"] == date.fromisocalendar(int(week[:4]), int(week[4:]), 1)
        assert row["iso_week"] == int(week[4:])


def test_splits_are_the_iso_years(version: DatasetVersion, weeks: dict[str, dict[str, Any]]) -> None:
    expected = {"2016": "validation", "2017": "test"}
    assert {week: row[".split"] for week, row in weeks.items()} == {
        week: expected.get(week[:4], "train") for week in weeks
    }
    assert version.manifest.rows == {"train": 311, "validation": 52, "test": 52}


def test_the_flood_week_is_kept(weeks: dict[str, dict[str, Any]]) -> None:
    assert weeks["201622"]["calls"] == 3763
    assert max(row["calls"] for week, row in weeks.items() if week != "201622") == 2601


def test_numbers_are_those_of_the_source_made_whole(weeks: dict[str, dict[str, Any]], shared_data: Path) -> None:
    for source in _read(shared_data / "sdis91-weekly" / "merged_data.csv.gz", separator="\t"):
        row = weeks[source["yearweek"]]
        assert row["calls"] == float(source["ope_total"])
        assert row["fire_calls"] == float(source["INCN"]) + float(source["INCU"])
        assert isinstance(row["calls"], int)


def test_weather_was_labelled_with_the_year_of_each_monday(shared_data: Path) -> None:
    """Why 201201 is there twice: the labels of the weather, newest first, are those of this wrong rule, every one."""
    found = [row["week"] for row in _read(shared_data / "sdis91-weekly" / "wwo_hist.csv.gz", separator=",")]
    mondays = [date(2017, 12, 25) - timedelta(days=7 * step) for step in range(len(found))]
    assert found == [f"{monday.year}{monday.isocalendar().week:02}" for monday in mondays]
    assert found.count("201201") == 2


def test_weather_of_another_year_is_left_out(weeks: dict[str, dict[str, Any]]) -> None:
    weather = ("temperature_max", "temperature_min", "temperature_mean", "snow", "rain")
    empty = {week for week, row in weeks.items() if all(row[name] is None for name in weather)}
    assert empty == {"201301", "201401"}
    assert weeks["201201"]["rain"] == Decimal("5.6")


def test_every_week_finds_its_region_and_the_other_weeks_are_counted(flow: Flow, version: DatasetVersion) -> None:
    orphans = flow.facts(version, "extract")["orphans"]["flu"]
    assert orphans["left"] == 0
    assert orphans["right"] > 0


def test_the_spec_needs_no_disclosure_limit(version: DatasetVersion) -> None:
    assert json.loads((version.folder / "disclosure.json").read_text(encoding="utf-8")) is None


def test_baseline_beats_the_mean(flow: Flow, version: DatasetVersion) -> None:
    model = flow.capital.train(version.ref)
    metrics = json.loads((model.folder / "metrics.json").read_text(encoding="utf-8"))["splits"]
    assert metrics["test"]["rows"] == 52
    assert metrics["test"]["model"]["mae"] < metrics["test"]["baseline"]["mae"]
    stages = [step.stage for step in flow.capital.trace(model.ref)]
    assert stages[:5] == ["package", "commit", "protect", "check", "extract"]
