"""Ctrl-C and kill -9 at named moments of a refresh: the version before stays whole, and the same command succeeds."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from capital_world import copy_capital, empty_capital, write_spec
from refresh_world import Row, lay, lay_feed, spec
from test_interrupted import STRIKE, environment

from curator.capital import Capital
from curator.manifest import Manifest

ROWS: list[Row] = [(n, f"person {n * 7919 % 300}", f"ward {n % 10}", n % 9) for n in range(1_000)]
RARE: list[Row] = [(2_000 + n, f"new {n}", "ward z", 1) for n in range(3)]
MOMENTS = {
    "the feed is read": "curator.capital._changes.ChangeFeed.bound",
    "the changes are known": "curator.following.Following.settle",
    "a shard is about to be written again": "curator.following.Following._rewrite",
    "a shard is written again": "curator.following.Following._written",
    "the classes are judged": "curator.anonymity.ClassCounter.failing",
    "new shards are written": "curator.edges.parquet.KeyedShards.finish",
    "the classes are counted": "curator.versioning.count_classes",
    "the index is kept": "curator.rowindex.RowIndex.save",
    "the book is kept": "curator.classbook.ClassBook.save",
    "the version is published": "curator.edges.workspace.Workspace.publish",
    "the version is moved": "curator.edges.workspace._publication.settle",
    "rows held back are forgotten": "curator.capital._curation.forget_held",
}
PUBLISHED = ("the version is moved", "rows held back are forgotten")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Capital:
    """A capital with a version that holds rows back, and beside it a source that changed since."""
    folder = tmp_path_factory.mktemp("refreshed")
    path = write_spec(folder, spec("changes"))
    lay(folder, [*ROWS, *RARE])
    lay_feed(folder, [])
    capital = empty_capital(folder / "capital")
    capital.refresh(path)
    came = [(3_000 + n, f"newer {n}", "ward z", 1) for n in range(4)]
    lay(folder, [*ROWS[2:], *RARE, *came])
    changes = [("D", 1, ROWS[0]), ("D", 2, ROWS[1]), *(("I", 3 + n, row) for n, row in enumerate(came))]
    lay_feed(folder, changes)
    return capital


@pytest.fixture(scope="module")
def whole(start: Capital) -> object:
    """The digest of the rows of a run over the whole source."""
    home = start.workspace.root.parent
    return empty_capital(home / "whole").curate(home / "spec.yaml").manifest.about["row_digest"]


@pytest.mark.parametrize("sign", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_refresh_struck_at_a_named_moment(
    moment: str, sign: str, start: Capital, whole: object, tmp_path: Path
) -> None:
    number = getattr(signal, sign)
    home = start.workspace.root.parent
    copy_capital(start, tmp_path / "capital")
    words = ["--capital", str(tmp_path / "capital"), "refresh", str(home / "spec.yaml")]
    command = [sys.executable, "-c", STRIKE, MOMENTS[moment], str(int(number)), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, timeout=120)
    assert done.returncode == (130 if sign == "SIGINT" else -9), done.stderr
    capital = Capital.open(tmp_path / "capital")
    assert capital.verify() == ()
    before = Manifest.read(capital.workspace.root / "datasets" / "visits" / "1.0.0")
    assert before.differences(capital.workspace.root / "datasets" / "visits" / "1.0.0") == []
    if capital.datasets() == ("visits@1.0.0",):
        assert capital.refresh(home / "spec.yaml").version is not None
        assert capital.verify() == ()
    else:
        assert moment in PUBLISHED
    assert capital.dataset("visits").ref == "visits@1.0.1"
    assert capital.dataset("visits").manifest.about["row_digest"] == whole
    assert capital.refresh(home / "spec.yaml").version is None
