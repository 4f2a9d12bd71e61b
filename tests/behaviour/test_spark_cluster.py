"""A standalone cluster gives the bytes that DuckDB gives; its secret, its keys and its rows stay where they belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from capital_world import spec_value, write_spec
from spark_cluster import BRIEF, Cluster, cluster
from spark_job import run

TESTS = Path(__file__).resolve().parent.parent
JOB = TESTS / "spark_job.py"


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory, spark_installed: None) -> Any:
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


class Watcher(threading.Thread):
    """Looks for texts that must not be there on command lines and in the files of the cluster, while it works."""

    def __init__(self, found: Cluster, canaries: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.cluster, self.canaries, self.seen, self.ended = found, canaries, set[str](), threading.Event()
        self.most = 0

    def run(self) -> None:
        kept = {self.cluster.secret_file, self.cluster.folder / "cluster.conf"}
        while not self.ended.is_set():
            commands = [*Path("/proc").glob("[0-9]*/cmdline")]
            files = [path for path in self.cluster.folder.rglob("*") if path not in kept]
            for path in commands + files:
                try:
                    data = path.read_bytes() if path.is_file() else b""
                except OSError:
                    continue
                self.most = max(self.most, 0 if path in commands else len(data))
                self.seen |= {path.name for canary in self.canaries if canary in data}
            time.sleep(0.3)


def curated(found: Cluster, spec: Path, base: Path, out: Path) -> dict[str, Any]:
    environment = {
        **os.environ, "CURATOR_SPARK_MASTER": found.master, "CURATOR_SPARK_SECRET_FILE": str(found.secret_file),
        "PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent))), "JAVA_TOOL_OPTIONS": BRIEF,
    }  # fmt: skip
    command = [sys.executable, str(JOB), "spark", str(spec), str(base), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing of Spark's reaches the screen"
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_cluster_gives_the_same_bytes(running: Cluster, demo_base: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    spec = write_spec(tmp_path, spec_value())
    identifiers = parquet.read_table(demo_base / "persons.parquet", columns=["nir"])["nir"].drop_null()
    watcher = Watcher(running, [running.secret.encode(), *(str(nir).encode() for nir in identifiers[:50])])
    watcher.start()
    try:
        theirs = curated(running, spec, demo_base, tmp_path / "cluster")
    finally:
        watcher.ended.set()
        watcher.join()
    ours = run("duckdb", spec, demo_base, tmp_path / "alone")
    assert theirs["files"] == ours["files"]
    assert theirs["rows"] == ours["rows"]
    assert theirs["engine"]["master"] == "cluster"
    assert theirs["engine"]["threads"] == 2, "both workers worked"
    assert theirs["spread"], "the workers wrote the shards"
    assert watcher.most > 1_000, "nothing was written, so nothing was looked at"
    assert watcher.seen == set()
