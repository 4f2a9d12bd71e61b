"""Laws of a refresh over any days of a source in files: rows came, changed, were erased, came late, came unreadable;
nothing happened; the spec grew a field or asked for another k."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from capital_world import empty_capital
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refresh_days import begun, lawful, tried

from curator.edges.parquet import _ranges

pytestmark = pytest.mark.slow

ANY = ("came", "changed", "erased", "late", "unreadable", "nothing", "closed", "field", "k")
DAYS = {"full": ANY, "changes": ANY, "append": ("came", "unreadable", "nothing", "field", "k")}
FOLLOWED = [
    ("full", "all", "parquet"), ("full", "two rows a person", "csv"), ("full", "strata", "parquet"),
    ("full", "quotas", "csv"),
    ("append", "all", "csv"), ("append", "a fraction of people", "parquet"),
    ("changes", "all", "parquet"), ("changes", "a fraction of people", "csv"),
]  # fmt: skip


@pytest.mark.parametrize(("feed", "sample", "form"), FOLLOWED)
@settings(
    max_examples=2, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data(), seed=st.integers(0, 1_000))
def test_a_refresh_publishes_what_a_run_over_all_rows_would(
    data: st.DataObject, seed: int, feed: str, sample: str, form: str
) -> None:
    days = data.draw(st.lists(st.tuples(st.sampled_from(DAYS[feed]), st.integers(0, 999)), min_size=2, max_size=3))
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ranges, "ROWS_PER_SHARD", 20)
        world = begun(Path(place), feed, sample, form, seed=seed)
        capital = empty_capital(Path(place) / "capital")
        tried(capital, world.lay())
        for number, (what, chance) in enumerate(days):
            world.live(what, chance)
            lawful(world, capital, name=f"whole {number}")
        assert capital.verify() == ()
