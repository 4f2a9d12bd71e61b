"""The laws of a refresh from PostgreSQL: a table that grows, where late and erased rows are seen too, and a feed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from capital_world import empty_capital
from postgres_server import PASSWORD, PostgresServer
from refresh_days import COLUMNS, World, begun, lawful, tried
from test_live_feeds import inserted

pytestmark = pytest.mark.slow

TYPES = {"visit": "BIGINT", "person": "TEXT", "ward": "TEXT", "cost": "BIGINT", "day": "DATE", "note": "TEXT",
         "op": "TEXT", "at": "BIGINT"}  # fmt: skip
DAYS = {
    "append": ["came", "late", "erased", "unreadable", "nothing", "closed", "came"],
    "changes": ["came", "late", "erased", "changed", "unreadable", "nothing", "closed", "field"],
}


class Tables(World):
    """The source in a database."""

    server: PostgresServer

    def write(self, name: str, table: pa.Table) -> None:
        columns = ", ".join(f"{column} {TYPES[column]}" for column in table.column_names)
        rows = [
            [cell if cell is None or isinstance(cell, int) else str(cell) for cell in row.values()]
            for row in table.to_pylist()
        ]
        self.server.run(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({columns})", *inserted(name, rows))


@pytest.mark.parametrize("sample", ["all", "a fraction of people"])
@pytest.mark.parametrize("feed", DAYS)
def test_a_refresh_from_postgresql_publishes_what_a_run_over_all_rows_would(
    feed: str, sample: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)
    world = begun(tmp_path, feed, sample, "parquet", seed=5, kind=Tables)
    assert isinstance(world, Tables)
    world.server = postgres
    world.spec["sources"] = {"t": {"path": postgres.address(), "table": "visits", "columns": COLUMNS}}
    if feed == "changes":
        world.spec["refresh"]["changes"] |= {"path": postgres.address(), "table": "changes"}
    capital = empty_capital(tmp_path / "capital")
    tried(capital, world.lay())
    feeds = set()
    for number, what in enumerate(DAYS[feed]):
        world.live(what, number)
        lawful(world, capital, name=f"whole {number}")
        if capital.datasets():
            feeds.add(capital.dataset("visits").manifest.about.get("refresh", {}).get("feed"))
    assert feed in feeds
    assert capital.verify() == ()
