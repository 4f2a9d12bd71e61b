"""Fixtures shared by the whole suite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from curator.capital import Capital

ROOT = Path(__file__).resolve().parent.parent

# Nothing calls out, whatever a dependency's default is.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    DVC_NO_ANALYTICS="1",
    GX_ANALYTICS_ENABLED="false",
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables beside the project; absent elsewhere than on the project's machines."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "the real tables (../shared/data) are not beside this checkout"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def demo_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demonstration base, to be read only."""
    from capital_world import make_base

    return make_base(tmp_path_factory.mktemp("base") / "tables")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> Capital:
    """A capital with a dataset, a model and a delivered package, to be read only: change a copy of it."""
    from capital_world import whole_capital

    return whole_capital(tmp_path_factory.mktemp("whole") / "capital", demo_base)
