"""One capital for all foreign tables: what differs from test to test is the table and its spec."""

from __future__ import annotations

import outside_world
import pytest
from capital_world import empty_capital
from mariadb_server import MYSQLD


@pytest.fixture(scope="session", autouse=True)
def _capital(tmp_path_factory: pytest.TempPathFactory) -> None:
    outside_world.CAPITALS.append(empty_capital(tmp_path_factory.mktemp("outside") / "capital"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With a MySQL in MariaDB's place, only what meets it."""
    if MYSQLD:
        items[:] = [
            item for item in items if "mariadb" in item.nodeid or "mariadb" in getattr(item, "fixturenames", ())
        ]
