"""One demonstration for all the pages that begin after it."""

from __future__ import annotations

from pathlib import Path

import pytest
from doc_runner import reader


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `curator demo` leaves, to be copied."""
    folder, state = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("state")
    shell = reader(folder, state)
    printed = shell.run("curator --quiet demo --rows 6000")
    assert shell.code == 0, printed
    return folder / "capital-demo"
