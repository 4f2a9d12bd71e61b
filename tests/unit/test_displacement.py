"""Keyed moves: intervals of one person stay exact, places stay within their circle, nulls stay null."""

from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.displacement import METRES_PER_DEGREE, jittered, shifted
from curator.errors import UsageError
from curator.pseudonyms import TokenKernel, draws

KERNEL = TokenKernel(bytes(range(32)))


def tokens(people: list[str]) -> pa.Array:
    return KERNEL.tokens(pa.array(people, pa.string()))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("abcdef"), st.none() | st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1))
        ),
        max_size=40,
    ),
    days=st.integers(1, 400),
)
def test_intervals_of_one_person_stay_exact(rows: list[tuple[str, date | None]], days: int) -> None:
    moved = shifted(pa.array([day for _, day in rows], pa.date32()), tokens([who for who, _ in rows]), days=days)
    found: dict[str, set[int]] = {}
    for (who, day), after in zip(rows, moved.to_pylist(), strict=True):
        assert (day is None) == (after is None)
        if day is not None:
            found.setdefault(who, set()).add((after - day).days)
    assert all(len(moves) == 1 and abs(next(iter(moves))) <= days for moves in found.values())


def test_moves_are_spread_evenly() -> None:
    people = [str(number) for number in range(70_000)]
    moved = shifted(pa.array([date(2024, 1, 1)] * len(people), pa.date32()), tokens(people), days=3)
    counts = np.bincount([(day - date(2023, 12, 29)).days for day in moved.to_pylist()], minlength=7)
    assert len(counts) == 7
    assert (abs(counts - 10_000) < 500).all()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_timestamps_keep_their_time_of_day(unit: str, zone: str | None) -> None:
    moments = pa.array([datetime(2024, 5, 1, 13, 37, 11), None], pa.timestamp("s")).cast(pa.timestamp(unit, zone))
    moved = shifted(moments, tokens(["a", "a"]), days=30)
    assert moved.type == moments.type
    seconds = moved.cast(pa.timestamp("s", zone)).cast(pa.int64()).to_pylist()
    assert (seconds[0] - int(moments.cast(pa.timestamp("s", zone)).cast(pa.int64())[0].as_py())) % 86_400 == 0
    assert seconds[1] is None


@pytest.mark.parametrize("days", [1, 3650])
def test_a_day_that_stands_for_none_gives_no_move_away_and_no_move_leaves_the_calendar(days: int) -> None:
    said = [date(9999, 12, 31), date(9989, 1, 1), date(9988, 12, 31), date(12, 1, 1), date(11, 12, 31), date(1, 1, 1)]
    people = [str(number) for number in range(200)]
    for day in said:
        true = date(12, 1, 1) <= day < date(9989, 1, 1)
        for kind in (pa.date32(), pa.timestamp("us")):
            column = pa.array([day] * len(people), pa.date32()).cast(kind)
            moved = shifted(column, tokens(people), days=days)
            assert (moved.null_count, moved.type) == (0 if true else len(people), kind)
            assert all(abs((after.date() if kind != pa.date32() else after) - day) <= timedelta(days) for after
                       in moved.drop_null().to_pylist())  # fmt: skip


def test_other_types_are_refused() -> None:
    with pytest.raises(UsageError, match="shift-type"):
        shifted(pa.array(["2024-01-01"]), tokens(["a"]), days=3)
    with pytest.raises(UsageError, match="token-type"):
        draws(pa.array(["a"]))


def test_places_stay_within_their_circle_and_fill_it() -> None:
    people = [str(number) for number in range(20_000)]
    latitudes, longitudes = pa.array([48.85] * len(people)), pa.array([2.35] * len(people))
    drawn = tokens(people)
    up = (np.array(jittered(latitudes, drawn, metres=500).to_pylist()) - 48.85) * METRES_PER_DEGREE
    right = np.array(jittered(longitudes, drawn, metres=500, latitude=latitudes).to_pylist()) - 2.35
    right *= METRES_PER_DEGREE * np.cos(np.radians(48.85))
    reach = np.hypot(up, right)
    assert reach.max() <= 500.1
    assert abs((reach < 250).mean() - 0.25) < 0.02  # uniform over the area, not over the radius
    assert abs(up.mean()) < 10
    assert abs(right.mean()) < 10


def test_rows_of_one_key_move_alike_and_nulls_stay_null() -> None:
    place = pa.array([48.0, 48.0, None])
    moved = jittered(place, tokens(["a", "a", "a"]), metres=100).to_pylist()
    assert moved[0] == moved[1]
    assert moved[2] is None
    assert (
        jittered(pa.array([2.0, 2.0]), tokens(["a", "b"]), metres=9, latitude=pa.array([48.0, None])).to_pylist()[1]
        is None
    )


def test_nanoseconds_end_before_the_calendar_does() -> None:
    """2262-04-11 is the last day that 64 bits of nanoseconds hold: moved beyond, it would come out in 1677."""
    ends = np.array([2**63 - 1, 2**63 - 1 - 40 * 86_400 * 10**9, -(2**63) + 1], np.int64)
    moments = pa.Array.from_buffers(pa.timestamp("ns"), 3, [None, pa.py_buffer(ends)])
    for who in map(str, range(50)):
        moved = shifted(moments, tokens([who] * 3), days=30).cast(pa.int64()).to_pylist()
        assert (moved[0], moved[2]) == (None, None)
        assert abs(moved[1] - int(ends[1])) <= 30 * 86_400 * 10**9


NO_ANGLE = [float("nan"), float("inf"), float("-inf"), 652_709.4, -1e300]


@pytest.mark.parametrize("odd", [*NO_ANGLE, 90.001])
def test_what_is_no_latitude_does_not_pass_as_one(odd: float) -> None:
    places = pa.array([odd, 45.0, None, 89.9999])
    moved = jittered(places, tokens(["a", "a", "a", "b"]), metres=100_000).to_pylist()
    assert (moved[0], moved[2]) == (None, None)
    assert all(abs(latitude) <= 90 for latitude in (moved[1], moved[3]))
    longitudes = pa.array([2.35, 2.35, 2.35, 179.9999])
    along = jittered(longitudes, tokens(["a", "a", "a", "b"]), metres=100_000, latitude=places).to_pylist()
    assert (along[0], along[2]) == (None, None)
    assert all(abs(longitude) <= 180 for longitude in (along[1], along[3]))


@pytest.mark.parametrize("odd", [*NO_ANGLE, 180.001])
def test_what_is_no_longitude_does_not_pass_as_one(odd: float) -> None:
    moved = jittered(pa.array([odd, -180.0]), tokens(["a", "b"]), metres=900, latitude=pa.array([5.0, 5.0])).to_pylist()
    assert moved[0] is None
    assert abs(moved[1]) <= 180


def test_draws_say_nothing_in_the_order_of_values() -> None:
    numbers = draws(tokens([f"{number:06d}" for number in range(20_000)]))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert abs(np.corrcoef(numbers[:, 0], np.arange(20_000))[0, 1]) < 0.03
    assert abs(np.corrcoef(numbers[:, 0], numbers[:, 1])[0, 1]) < 0.03


def test_a_shift_is_far_from_the_true_date_for_most() -> None:
    people = [str(number) for number in range(5_000)]
    truth = date(2024, 2, 29)
    moved = shifted(pa.array([truth] * len(people), pa.date32()), tokens(people), days=28).to_pylist()
    assert sum(day == truth for day in moved) < 0.03 * len(people)
    assert {day - truth for day in moved} == {timedelta(days=move) for move in range(-28, 29)}
