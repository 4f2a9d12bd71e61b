"""Dates as text: the patterns accept what `datetime.strptime` accepts, on ASCII digits and plain spaces."""

# ruff: noqa: E501 (tables of cases read better one case a line)

from __future__ import annotations

import datetime
import itertools

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.expressions import parse
from curator.suite._strftime import unreadable

FORMATS = [
    "%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d%m%Y", "%m/%d/%y", "%y%m%d", "%Y-%m-%dT%H:%M:%S", "%d/%m", "%Y", "%H:%M", "%d.%m.%Y",
    "le %d %m %Y", "%H%M%S", "%m%d", "%Y%m%d%H%M", "%d-%m-%y %H:%M", "100%% %Y",
]  # fmt: skip


def accepted(layout: str, values: list[str]) -> list[bool]:
    sql = parse(f"not {unreadable('t', layout)}", {"t": "text"}).sql("duckdb")
    with duckdb.connect() as base:
        base.execute("CREATE TABLE rows (place INTEGER, t VARCHAR)")
        base.executemany("INSERT INTO rows VALUES (?, ?)", list(enumerate(values)))
        return [row[0] for row in base.execute(f"SELECT {sql} FROM rows ORDER BY place").fetchall()]


def read_by_python(layout: str, value: str) -> bool:
    try:
        datetime.datetime.strptime(value, layout)
    except ValueError:
        return False
    return True


def test_every_day_of_four_kinds_of_year() -> None:
    years = ("1900", "2000", "2013", "2016", "0000", "0004", "9999")
    values = [
        f"{y}-{m}-{d}" for y, m, d in itertools.product(years, ("0", "1", "2", "02", "4", "11", "12", "13"), range(33))
    ]
    values += [f"{y}-02-{d:02d}" for y in years for d in range(33)]
    assert accepted("%Y-%m-%d", values) == [read_by_python("%Y-%m-%d", value) for value in values]


def test_every_short_run_of_digits() -> None:
    values = ["2013" + "".join(run) for n in (2, 3, 4) for run in itertools.product("01239", repeat=n)]
    for layout in ("%Y%m%d", "%Y%d%m"):
        assert accepted(layout, values) == [read_by_python(layout, value) for value in values]


@pytest.mark.parametrize("layout", FORMATS)
@settings(max_examples=5, deadline=None, derandomize=True)
@given(data=st.data())
def test_other_layouts(layout: str, data: st.DataObject) -> None:
    moments = st.datetimes(datetime.datetime(1000, 1, 1), datetime.datetime(9999, 12, 31)).map(
        lambda m: m.strftime(layout)
    )
    mangled = st.tuples(moments, st.integers(0, 20), st.sampled_from("0123456789 -/:")).map(
        lambda given: given[0][: given[1]] + given[2] + given[0][given[1] + 1 :]
    )
    unpadded = moments.map(lambda text: text.replace("0", "", 1))
    values = data.draw(st.lists(moments | mangled | unpadded | mangled.map(str.lower), min_size=20, max_size=40))
    assert accepted(layout, values) == [read_by_python(layout, value) for value in values]
