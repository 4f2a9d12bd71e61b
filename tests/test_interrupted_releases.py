"""kill -9 while a model is made, or a package is asked for, delivered or recalled: the old state or the new, then on.

Every single call of a publication is struck by the sweep in `tests/crash`; here are the moments between.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from capital_world import copy_capital
from test_interrupted import ROOT, STRIKE

from curator.capital import Capital

START = "from curator.cli import main"
FEW = STRIKE.replace(START, f"import curator.attacks._gate as gate\ngate.SAMPLE = 4_000\n{START}")  # see `few_guesses`
DATASET = "road-accidents@1.0.0"
UNTIL = str(datetime.now(UTC).date() + timedelta(days=20))
ASKED = ["--to", "Institute", "--channel", "research", "--purpose", "road-safety-research", "--until", UNTIL]
SWITCH, DONE = "curator.edges.workspace._publication._switch", "curator.edges.workspace._publication._finish"


@pytest.fixture(scope="module")
def approved(whole: Capital, tmp_path_factory: pytest.TempPathFactory) -> Capital:
    """A capital with a delivered request, and another that waits for its delivery."""
    capital = copy_capital(whole, tmp_path_factory.mktemp("approved") / "capital")
    until = datetime.now(UTC).date() + timedelta(days=10)
    case = capital.request([DATASET], to="Institute", channel="research", purpose="road-safety-research", until=until)
    Capital.open(capital.workspace.root, agent="reviewer").review(case.id, approve=True, reason="as before")
    return capital


def requests(capital: Capital) -> dict[str, str]:
    return {case.state: case.id for case in capital.requests()}


def run(root: Path, words: list[str], *, moment: str = "") -> subprocess.CompletedProcess[str]:
    """The command, struck dead at a moment where one is named."""
    program = [FEW, moment, "9"] if moment else [FEW.replace("setattr(owner", "0 and setattr(owner"), "os.getpid", "9"]
    command = [sys.executable, "-c", *program, "--capital", str(root), "--json", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.mark.parametrize(
    ("what", "moment", "left"),
    [
        ("train", "curator.capital._models.package_model", ""),
        ("train", SWITCH, ""),
        ("request", SWITCH, ""),
        ("recall", SWITCH, ""),
        ("recall", DONE, "recalled"),
        ("deliver", "curator.capital._releases._place", ""),
        ("deliver", "curator.capital._releases.sync_file", ".part"),
        ("deliver", "curator.capital._releases._publish", ".cur"),
    ],
)
def test_struck_at_a_named_moment(what: str, moment: str, left: str, approved: Capital, tmp_path: Path) -> None:
    """A package that was written and not recorded is named by `verify` until the same command records it."""
    root = copy_capital(approved, tmp_path / "capital").workspace.root
    known = requests(approved)
    words = {
        "train": ["train", DATASET], "request": ["release", "request", DATASET, *ASKED],
        "recall": ["release", "recall", known["delivered"], "--reason", "a mistake"],
        "deliver": ["release", "deliver", known["approved"]],
    }[what]  # fmt: skip
    assert run(root, words, moment=moment).returncode == -9
    capital = Capital.open(root)
    assert [*(capital.workspace.private / "tmp").iterdir()] == []
    found = [str(finding) for finding in capital.verify()]
    assert all(text.startswith("releases/") and left in text for text in found)
    assert bool(found) == left.startswith(".")
    again = run(root, words)
    if left == "recalled":
        assert json.loads(again.stdout)["error"] == "move-not-allowed"
    else:
        assert again.returncode == 0, again.stdout + again.stderr
    assert Capital.open(root).verify() == ()
