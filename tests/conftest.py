"""Fixtures shared by the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
