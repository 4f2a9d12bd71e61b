"""The rows that a check set apart: sealed in the private folder, and readable for the holder of the root alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from capital_world import copy_capital, curate, empty_capital, make_base

from curator.capital import Capital
from curator.errors import IntegrityError, UsageError


@pytest.fixture(scope="module")
def capital(tmp_path_factory: pytest.TempPathFactory) -> Capital:
    folder = tmp_path_factory.mktemp("rejected")
    found = empty_capital(folder / "capital")
    curate(found, make_base(folder / "base"))
    return found


def test_every_rejected_row_is_there_as_it_was_read(capital: Capital) -> None:
    counted = capital.quality("road-accidents")
    rows = capital.rejected("road-accidents")
    assert rows.num_rows == counted["rows"] - counted["accepted"] > 0
    assert rows.column("person").null_count < rows.num_rows, "whoever corrects the source needs to know whose row it is"
    assert ".row key" in rows.column_names


def test_another_root_reads_nothing(capital: Capital, tmp_path: Path) -> None:
    copy = copy_capital(capital, tmp_path / "copy")
    key = copy.workspace.private / "keys" / "root.key"
    key.write_text("ab" * 64)
    with pytest.raises(IntegrityError):
        copy.rejected("road-accidents")


def test_rows_whose_days_are_over_are_not_there(capital: Capital, tmp_path: Path) -> None:
    copy = copy_capital(capital, tmp_path / "copy")
    shutil.rmtree(copy.workspace.private / "holder" / "rejected")
    with pytest.raises(UsageError) as raised:
        copy.rejected("road-accidents@1.0.0")
    assert raised.value.code == "rejected-absent"
