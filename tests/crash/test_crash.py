"""After a strike at any call that changes the disk, the next opening shows the old state or the new one, never a third.

The default run takes a sample of the points, different ones each time the code changes the sequence; all of them with
`CURATOR_SWEEP=all`. Each point is a real process under strace, killed or refused by the kernel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import staging
import sweep
from sweep import State, Strike

from curator.edges.workspace import Workspace
from curator.errors import StorageError

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

_SAMPLE = 7
_REFUSED = 17  # exit code of StorageError


@dataclass(frozen=True)
class Case:
    """A workspace with one version, what it looks like, and what it looks like after the next one."""

    base: Path
    old: State
    new: State
    python: list[tuple[str, int]]
    git: list[tuple[int, str, int]]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("crash")
    with pytest.MonkeyPatch.context() as patch:
        for key, value in sweep.environment().items():
            if key.startswith("GIT_"):
                patch.setenv(key, value)
        yield _case(folder)


def _case(folder: Path) -> Case:
    base = folder / "base"
    staging.publish(Workspace.create(base, holder="H"), "accidents", "1.0.0")
    python = sweep.python_points(sweep.copy(base, folder / "counted"), log=folder / "log")
    git = sweep.git_points(sweep.copy(base, folder / "counted"), state=folder / "shim")
    return Case(base, sweep.look(base), sweep.look(folder / "counted"), python, git)


def chosen(strikes: list[Strike]) -> list[Strike]:
    """All strikes, or evenly spread ones with the first and the last: one before the branch moves, one after it."""
    if os.environ.get("CURATOR_SWEEP") == "all" or len(strikes) <= _SAMPLE:
        return strikes
    last = len(strikes) - 1
    return [strikes[number * last // (_SAMPLE - 1)] for number in range(_SAMPLE)]


def judge(case: Case, strike: Strike, *, tmp_path: Path) -> str:
    """Strike one publication, open the workspace again, and say what is seen; a publication undone must succeed now."""
    root = sweep.copy(case.base, tmp_path / "struck")
    done = sweep.publish_struck(root, strike, state=tmp_path / "shim")
    assert "Traceback" not in done.stderr or strike.what == "signal=INT", done.stderr
    killed = strike.what == "signal=KILL" and (strike.git == 0 or strike.both)
    if killed:
        assert done.returncode == -9, "the strike did not land"
    Workspace.open(root)
    seen = sweep.look(root)
    if seen == case.new:
        assert killed or strike.what == "signal=INT" or done.returncode == 0, "an error for a publication that is there"
        return "new"
    assert seen == case.old, strike
    assert done.returncode != 0, "success was reported for a publication that is not there"
    assert staging.main(str(root), sweep.NEXT) == 0
    assert sweep.look(root) == case.new, strike
    return "old"


def survey(case: Case, strikes: list[Strike], *, tmp_path: Path) -> set[str]:
    return {judge(case, strike, tmp_path=tmp_path) for strike in chosen(strikes)}


def test_the_sweep_sees_the_whole_publication(case: Case) -> None:
    assert case.old != case.new
    assert case.new.leftovers == ()
    assert {"rename", "link", "mkdir", "write", "fsync", "unlink", "chmod"} <= {call for call, _ in case.python}
    assert {"link", "rename", "write", "fsync"} & {call for _, call, _ in case.git}
    assert len(case.python) + len(case.git) >= 200


def test_the_process_killed(case: Case, tmp_path: Path) -> None:
    strikes = [Strike("signal=KILL", call, when) for call, when in case.python]
    assert survey(case, strikes, tmp_path=tmp_path) == {"old", "new"}


def test_the_process_and_its_git_killed(case: Case, tmp_path: Path) -> None:
    strikes = [Strike("signal=KILL", call, when, git=child, both=True) for child, call, when in case.git]
    assert survey(case, strikes, tmp_path=tmp_path) == {"old", "new"}


def test_git_alone_killed(case: Case, tmp_path: Path) -> None:
    strikes = [Strike("signal=KILL", call, when, git=child) for child, call, when in case.git]
    assert survey(case, strikes, tmp_path=tmp_path) == {"old", "new"}


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_the_disk_refuses(case: Case, tmp_path: Path, error: str) -> None:
    calls = [point for point in case.python if point[0] != "flock"]
    strikes = [Strike(f"error={error}", call, when) for call, when in calls]
    assert "old" in survey(case, strikes, tmp_path=tmp_path)


def test_the_disk_is_full_for_git(case: Case, tmp_path: Path) -> None:
    strikes = [Strike("error=ENOSPC", call, when, git=child) for child, call, when in case.git]
    assert "old" in survey(case, strikes, tmp_path=tmp_path)


def test_ctrl_c(case: Case, tmp_path: Path) -> None:
    strikes = [Strike("signal=INT", call, when) for call, when in case.python]
    assert survey(case, strikes, tmp_path=tmp_path) == {"old", "new"}


def test_a_refusal_is_undone_at_once_and_says_why(case: Case, tmp_path: Path) -> None:
    """A full disk while the data is placed: one clear error, and the old state without another opening."""
    number = sum(1 for call, _ in case.python if call == "mkdir")
    root = sweep.copy(case.base, tmp_path / "full")
    done = sweep.publish_struck(root, Strike("error=ENOSPC", "mkdir", number), state=tmp_path / "shim")
    assert done.returncode == _REFUSED
    assert re.search(r"error\[no-space\].*\n.*bytes are free\n.*bytes and some room", done.stderr)
    assert sweep.look(root) == case.old


def test_healing_can_be_killed_too(case: Case, tmp_path: Path) -> None:
    """A crash, then a crash at points of the repair, then an opening: still the old state or the new one."""
    renames = [when for call, when in case.python if call == "rename"]
    root = sweep.copy(case.base, tmp_path / "twice")
    sweep.publish_struck(root, Strike("signal=KILL", "rename", renames[-3]), state=tmp_path / "shim")
    crashed = sweep.copy(root, tmp_path / "crashed")
    for call, when in [
        ("rename", 1),
        ("unlink", 1),
        ("unlink", 2),
        ("unlink", 4),
        ("unlink", 6),
        ("rmdir", 1),
        ("fsync", 2),
    ]:
        root = sweep.copy(crashed, tmp_path / "twice")
        done = sweep.publish_struck(root, Strike("signal=KILL", call, when), state=tmp_path / "shim")
        assert done.returncode == -9
        Workspace.open(root)
        assert sweep.look(root) in (case.old, case.new)


def test_a_creation_killed_anywhere_is_completed_by_the_next(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from curator.edges.workspace import Workspace; "
    script += "Workspace.create(Path(sys.argv[1]), holder='H')"

    def create(root: Path, *tracer: str) -> subprocess.CompletedProcess[str]:
        command = [*tracer, sys.executable, "-B", "-c", script, str(root)]
        return subprocess.run(command, env=sweep.environment(), capture_output=True, text=True, check=False)

    log = tmp_path / "log"
    create(tmp_path / "counted", "strace", "-qq", "-e", "signal=none", "-o", str(log), "-e", f"trace={sweep.CALLS}")
    strikes = [Strike("signal=KILL", call, when) for call, when in sweep.numbered(log)]
    for number, strike in enumerate(chosen(strikes)):
        root = tmp_path / f"w{number}"
        inject = f"inject={strike.call}:{strike.what}:when={strike.when}"
        done = create(root, "strace", "-qq", "-o", os.devnull, "-e", f"trace={strike.call}", "-e", inject)
        assert done.returncode == -9
        if (root / "curator.yaml").is_file() and not (root / ".curator" / "begun").exists():
            workspace = Workspace.open(root)
        else:
            with pytest.raises(StorageError, match="workspace-absent"):
                Workspace.open(root)
            workspace = Workspace.create(root, holder="H")
        assert workspace.faults() == []
        staging.publish(workspace, "accidents", "1.0.0")


def test_every_visible_name_is_durable_before_the_branch_moves(case: Case, tmp_path: Path) -> None:
    """The order that survives a power cut: fsync of the file, rename, fsync of the folder, and only then the branch."""
    root = sweep.copy(case.base, tmp_path / "ordered")
    log = tmp_path / "log"
    tracer = ["strace", "-f", "-qq", "-y", "-e", "signal=none", "-o", str(log), "-e", "trace=fsync,rename,link,execve"]
    command = [*tracer, sys.executable, "-B", str(Path(staging.__file__)), str(root), sweep.NEXT]
    subprocess.run(command, env=sweep.environment(), check=True, capture_output=True)
    lines = [line for line in log.read_text().splitlines() if "ENOENT" not in line and "EEXIST" not in line]
    switch = next(number for number, line in enumerate(lines) if "refs/heads/main.lock" in line and "rename(" in line)
    checked = 0
    for number, line in enumerate(lines[:switch]):
        moved = re.search(rf'(?:rename|link)\("([^"]+)", "({re.escape(str(root))}/[^"]+)"\)', line)
        if moved is None or re.search(r"/\.git/|/\.curator/tmp/|\.curator$", moved[2]):  # none of them is relied on
            continue
        folder = re.escape(str(Path(moved[2]).parent))
        assert any(re.search(rf"fsync\(\d+<{folder}>\)", later) for later in lines[number:switch]), moved[2]
        source = re.escape(moved[1])
        assert any(re.search(rf"fsync\(\d+<{source}(?:/[^>]*)?>\)", sooner) for sooner in lines[:number]), moved[1]
        checked += 1
    assert checked >= 8
