"""A cluster of several machines that share but one folder: the same bytes, or a refusal that says what is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capital_world import spec_value, write_spec
from spark_cluster import private
from spark_hosts import DRIVER, MASTER, NETWORK, PORT, Hosts, hosts, why_not
from spark_job import run

pytestmark = pytest.mark.slow

TESTS = Path(__file__).resolve().parent.parent
PACKAGE = TESTS.parent / "curator"
WAIT = 900


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, spark_installed: None, demo_base: Path) -> Iterator[Hosts]:
    """Two machines with other zones and languages than this one."""
    missing = why_not()
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("hosts")
    folder.chmod(0o700)
    with hosts(folder) as found:
        private(folder / "secret", found.secret)
        shutil.copytree(demo_base, found.shared / "base")
        write_spec(found.shared, spec_value())
        yield found


@pytest.fixture(scope="module")
def alone(running: Hosts) -> dict[str, Any]:
    """What DuckDB gives on this machine."""
    (spec,) = running.shared.glob("*.yaml")
    return run("duckdb", spec, running.shared / "base", running.folder / "alone")


@pytest.fixture
def first(running: Hosts) -> Iterator[subprocess.Popen[bytes]]:
    worker = running.worker(3, TZ="Pacific/Auckland", LANG="C")
    yield worker
    if worker.poll() is None:
        running.end(worker)


def job(found: Hosts, out: Path) -> subprocess.Popen[str]:
    (spec,) = found.shared.glob("*.yaml")
    environment = found.environment(
        CURATOR_SPARK_MASTER=f"spark://{NETWORK}{MASTER}:{PORT}",
        CURATOR_SPARK_SECRET_FILE=str(found.folder / "secret"),
        PYTHONPATH=f"{TESTS}:{TESTS.parent}",
    )  # fmt: skip
    command = [sys.executable, str(TESTS / "spark_job.py"), "spark", str(spec), str(found.shared / "base"), str(out)]
    return found.on(DRIVER, command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def refused(process: subprocess.Popen[str]) -> str:
    _, err = process.communicate(timeout=WAIT)
    assert process.returncode != 0
    return err


def waited(there: Any) -> None:
    until = time.monotonic() + WAIT
    while not there():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def test_one_shared_folder_is_enough_and_none_costs_time_only(
    running: Hosts, first: subprocess.Popen[bytes], alone: dict[str, Any]
) -> None:
    """Keys and code travel over a network that is not this machine's; zones and languages of workers do not count."""
    second = running.worker(4, TZ="America/New_York", LC_ALL="POSIX")
    try:
        for out, spread in ((running.shared / "all", True), (running.own / "apart", False)):
            theirs = told(job(running, out))
            assert (theirs["files"], theirs["rows"]) == (alone["files"], alone["rows"])
            assert theirs["spread"] == spread
    finally:
        running.end(second)


def test_a_machine_that_dies_costs_no_row(
    running: Hosts, first: subprocess.Popen[bytes], alone: dict[str, Any]
) -> None:
    """Its plug is pulled as soon as a shard is begun; what it wrote apart is gone, and no row is there twice."""
    second, out = running.worker(4), running.shared / "dying"
    asked = job(running, out)
    waited(lambda: [*out.glob("v/.attempt-*"), *out.glob("v/data/*/*")] or asked.poll() is not None)
    running.end(second)
    theirs = told(asked)
    assert (theirs["files"], theirs["rows"]) == (alone["files"], alone["rows"])
    written = sorted(str(path.relative_to(out / "v")) for path in (out / "v").rglob("*") if path.is_file())
    assert written == sorted(entry["path"] for entry in theirs["files"]), "no half shard, and nothing apart"


def test_a_driver_that_dies_leaves_no_program_behind(running: Hosts, first: subprocess.Popen[bytes]) -> None:
    asked = job(running, running.shared / "left")
    waited(lambda: _programs() or asked.poll() is not None)
    assert len(_programs(asked.pid)) > 1, "this process and Java's"
    asked.kill()
    asked.wait(60)
    waited(lambda: not _programs(asked.pid) + _programs())


def _programs(session: int | None = None) -> list[Path]:
    """The processes of a session, or the executors of these machines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            of = int((process / "stat").read_text().rpartition(")")[2].split()[3])
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        executor = b"CoarseGrainedExecutorBackend" in command and NETWORK.encode() in command
        if of == session or (executor and session is None):
            found.append(process)
    return found


@pytest.mark.parametrize("lack", ["curator", "another curator", "Python"])
def test_a_machine_without_what_is_here_is_refused(running: Hosts, tmp_path: Path, lack: str) -> None:
    other = tmp_path / "other"
    if lack == "curator":
        other.mkdir()
        covered = {PACKAGE: other}
    elif lack == "another curator":
        other.write_text((PACKAGE / "__init__.py").read_text().replace('__version__ = "', '__version__ = "9.'))
        covered = {PACKAGE / "__init__.py": other}
    else:
        other.touch()  # there, and no program
        covered = {Path(sys.executable).resolve(): other}
    worker = running.worker(3, covered=covered)
    try:
        said = refused(job(running, running.shared / lack.replace(" ", "-")))
        assert "error[spark-worker]" in said
        if lack == "another curator":
            assert "found:    a worker with curator 9." in said
        assert not [*running.shared.glob(f"{lack.replace(' ', '-')}/v/data/*/*")]
    finally:
        running.end(worker)
