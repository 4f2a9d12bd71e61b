"""Ctrl-C, kill -9 and a full disk at any moment of `curate`: nothing half registered, and the same command succeeds.

Moments are drawn over the time that a whole run takes, and named ones struck exactly: the first batch, the shards, the
papers, the statements, the publication. (Every single call of a publication is struck by the sweep in `tests/crash`.)
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from capital_world import SPEC, copy_capital, empty_capital, make_base, spec_value, write_spec

from curator.capital import Capital, RunOptions
from curator.errors import StorageError

ROOT = SPEC.parent.parent
MOMENTS = {
    "the rows are named": "curator.capital._run.check",
    "the rows are protected": "curator.capital._run.protect",
    "the first batch": "curator.kernel.BatchKernel.__call__",
    "the classes are judged": "curator.anonymity.ClassCounter.failing",
    "a shard is opened": "curator.edges.parquet.ShardFile.__init__",
    "a shard is closed": "curator.edges.parquet.ShardFile.finish",
    "the files are measured": "curator.versioning.measure",
    "the papers are written": "curator.capital._curation.describe",
    "the statements are signed": "curator.capital._curation.statements",
    "rejected rows are kept": "curator.edges.quarantine.RejectedRows.keep",
    "the version is published": "curator.edges.workspace.Workspace.publish",
    "the version is moved": "curator.edges.workspace._publication.publish",
}
STRIKE = """
import importlib, os, signal, sys
path, name = sys.argv[1], int(sys.argv[2])
parts = path.split(".")
for cut in range(len(parts) - 1, 0, -1):
    try:
        owner = importlib.import_module(".".join(parts[:cut]))
        break
    except ModuleNotFoundError:
        continue
for part in parts[cut:-1]:
    owner = getattr(owner, part)
true = getattr(owner, parts[-1])
def struck(*args, **kwargs):
    if name == signal.SIGINT:
        raise KeyboardInterrupt
    os.kill(os.getpid(), name)
setattr(owner, parts[-1], struck)
from curator.cli import main
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Capital:
    """A capital without version, its tables and its spec beside it."""
    folder = tmp_path_factory.mktemp("interrupted")
    make_base(folder / "source")
    write_spec(folder, spec_value())
    return empty_capital(folder / "capital")


@pytest.fixture
def work(start: Capital, tmp_path: Path) -> Path:
    """A fresh copy of it."""
    copy_capital(start, tmp_path / "capital")
    for name in ("source", "spec.yaml"):
        (tmp_path / name).symlink_to(start.workspace.root.parent / name)
    return tmp_path


def words(work: Path) -> list[str]:
    return ["--capital", str(work / "capital"), "curate", str(work / "spec.yaml"), "--data", str(work / "source")]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def settled(work: Path, *, published: bool | None = None) -> None:
    """Opened again, the capital is whole: the version is there wholly or not at all; then the same command succeeds."""
    capital = Capital.open(work / "capital")
    assert capital.verify() == ()
    there = capital.datasets()
    assert there in ((), ("road-accidents@1.0.0",))
    if published is not None:
        assert bool(there) == published
    assert [*(capital.workspace.private / "tmp").iterdir()] == []
    if not there:
        status = subprocess.run(
            ["git", "-C", str(capital.workspace.root), "status", "--porcelain"], capture_output=True, check=True
        )
        assert status.stdout == b""
        assert not [*(capital.workspace.root / "datasets").glob("*/*")]
        capital.curate(work / "spec.yaml", RunOptions(data=work / "source"))
        assert capital.verify() == ()
    assert Capital.open(work / "capital").dataset("road-accidents").manifest.rows["train"] > 1_000


@pytest.mark.parametrize("sign", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_struck_at_a_named_moment(moment: str, sign: str, work: Path) -> None:
    number = getattr(signal, sign)
    command = [sys.executable, "-c", STRIKE, MOMENTS[moment], str(int(number)), *words(work)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=work, timeout=600)
    assert done.returncode == (130 if sign == "SIGINT" else -9), done.stderr
    if sign == "SIGINT":
        assert "interrupted" in done.stderr
        assert "Traceback" not in done.stderr
    settled(work, published=False)


@pytest.fixture(scope="module")
def whole_run(start: Capital, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that the command takes here, start of the interpreter included."""
    folder = tmp_path_factory.mktemp("timed")
    copy_capital(start, folder / "capital")
    for name in ("source", "spec.yaml"):
        (folder / name).symlink_to(start.workspace.root.parent / name)
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "curator", *words(folder)], check=True, capture_output=True, env=environment()
    )
    return time.monotonic() - began


RANDOM = [pytest.param(seed, marks=() if seed < 6 else pytest.mark.sweep) for seed in range(60)]


@pytest.mark.parametrize("seed", RANDOM)
def test_struck_at_a_random_moment(seed: int, work: Path, whole_run: float) -> None:
    chance = random.Random(seed)
    command = [sys.executable, "-m", "curator", *words(work)]
    sign = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)[seed % 3]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=work
    ) as child:
        time.sleep(whole_run * chance.uniform(0.25, 1.0))
        child.send_signal(sign)
        _, err = child.communicate(timeout=600)
    if sign == signal.SIGINT and child.returncode not in (0, -signal.SIGINT):
        assert b"Traceback" not in err
    settled(work)


# ---- no space -------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes; only root may mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk; RLIMIT_FSIZE is tested beside it")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)


@pytest.mark.parametrize("free", [0, 20_000, 60_000, 120_000, 200_000])
def test_a_full_disk_ends_in_words(free: int, start: Capital, tiny_disk: Path) -> None:
    capital = copy_capital(start, tiny_disk / "capital")
    source = start.workspace.root.parent
    stat = os.statvfs(tiny_disk)
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(b"x" * max(stat.f_bavail * stat.f_frsize - free, 0))
    with pytest.raises(StorageError) as refused:
        capital.curate(source / "spec.yaml", RunOptions(data=source / "source", threads=1))
    assert refused.value.code == "no-space", str(refused.value)
    assert capital.datasets() == ()
    ballast.unlink()
    capital = Capital.open(tiny_disk / "capital")
    assert capital.verify() == ()
    capital.curate(source / "spec.yaml", RunOptions(data=source / "source", threads=1))
    assert capital.verify() == ()


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from curator.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("limit", [0, 4_096, 20_000, 40_000])
def test_files_that_may_not_grow_end_in_words(limit: int, work: Path) -> None:
    """A limit on the size of files, as a quota sets it: EFBIG instead of ENOSPC."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", LIMITED, str(limit), *words(work)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=work, timeout=600)
    assert done.returncode == 17, done.stderr
    assert "error[" in done.stderr
    assert "Traceback" not in done.stderr
    settled(work, published=False)
