"""A refresh from a feed in PostgreSQL, killed wherever it touches the disk or starts Git: no change is lost.

The process is killed at the n-th call that opens a file to write, renames, links, removes or makes one, or starts
another process. Then the source lives on, and the same command follows it to the row.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from capital_world import copy_capital, empty_capital, write_spec
from postgres_server import PASSWORD, PostgresServer
from refresh_world import Row
from test_interrupted import environment
from test_live_feeds import ROWS, laid, rows, spec, told

from curator.capital import Capital

pytestmark = pytest.mark.slow

STRIKES = 8  # spread over the run, its first call and its last among them
STRUCK = """
import os, signal, sys
at, count = int(sys.argv[1]), 0
writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def heard(event, arguments):
    global count
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & writes):
        return
    if event in ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "subprocess.Popen"):
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
from curator.cli import main
sys.addaudithook(heard)
code = main(sys.argv[2:])
print(count, file=sys.stderr)
sys.exit(code)
"""
CAME: list[tuple[str, object, Row]] = [
    ("I", 11, (ROWS + 11, "new", "ward 1", 1)), ("U", 12, (7, "person 7", "ward 2", 49)), ("D", 13, rows()[9]),
]  # fmt: skip
LATER: tuple[str, object, Row] = ("I", 14, (ROWS + 14, "newer", "ward 1", 2))


def struck(capital: Path, path: Path, *, at: int) -> subprocess.CompletedProcess[str]:
    """A refresh that is killed at that call; never where it is 0."""
    words = ["--capital", str(capital), "refresh", str(path), "--quiet"]
    command = [sys.executable, "-c", STRUCK, str(at), *words]
    env = {**environment(), "CURATOR_SOURCE_PASSWORD": PASSWORD, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=capital.parent, timeout=120)


def test_no_change_is_lost_wherever_a_refresh_is_killed(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURATOR_SOURCE_PASSWORD", PASSWORD)
    laid(postgres, rows())
    path = write_spec(tmp_path, spec(postgres, "changes"))
    start = empty_capital(tmp_path / "start")
    start.refresh(path)
    noted = (start.workspace.private / "holder/rows/visits@1.0.0.json").read_bytes()
    told(postgres, *CAME)
    copy_capital(start, tmp_path / "through")
    through = struck(tmp_path / "through", path, at=0)
    assert through.returncode == 0, through.stderr
    calls = int(through.stderr.split()[-1])
    whole = empty_capital(tmp_path / "whole").curate(path).manifest.about["row_digest"]
    dead, published = [], 0
    for strike in range(STRIKES):
        place = tmp_path / f"struck {strike}"
        copy_capital(start, place)
        done = struck(place, path, at=1 + strike * (calls - 1) // (STRIKES - 1))
        assert done.returncode in (-signal.SIGKILL, 0), done.stderr  # 0: of a few calls less than the first
        capital = Capital.open(place)
        assert capital.verify() == ()
        assert (capital.workspace.private / "holder/rows/visits@1.0.0.json").read_bytes() == noted
        there = capital.datasets() != ("visits@1.0.0",)
        published += there
        assert (capital.refresh(path).version is None) == there
        version = capital.dataset("visits")
        assert (version.ref, version.manifest.about["row_digest"]) == ("visits@1.0.1", whole)
        assert watermark(capital) == "13"
        dead.append(capital)
    assert 0 < published < STRIKES
    told(postgres, LATER)
    whole = empty_capital(tmp_path / "whole later").curate(path).manifest.about["row_digest"]
    for capital in dead:
        found = capital.refresh(path)
        assert (found.feed, found.changes and found.changes.facts()) == (
            "changes", {"added": 1, "changed": 0, "vanished": 0},
        )  # fmt: skip
        assert capital.dataset("visits").manifest.about["row_digest"] == whole
        assert capital.verify() == ()


def watermark(capital: Capital) -> str:
    """How far the newest version read its feed."""
    ref = capital.datasets()[-1]
    noted = (capital.workspace.private / f"holder/rows/{ref}.json").read_text(encoding="utf-8")
    return str(json.loads(noted)["watermark"])
