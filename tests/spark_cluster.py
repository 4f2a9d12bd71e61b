"""A Spark cluster of one master and two workers on loopback, from the programs that the wheel brings."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from held_port import held_port

WAIT = 600  # seconds for a JVM on a busy machine
BRIEF = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # for a short life: half the work is else in compiling well
WITHHELD = ("CURATOR_ROOT_KEY", "CURATOR_EPOCH_KEY_1", "PGPASSWORD", "MYSQL_PWD")  # of no use to Spark


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A running cluster: its address, its secret and where that is, its folder, the output of its programs."""

    master: str
    secret: str
    secret_file: Path
    folder: Path


@contextmanager
def cluster(folder: Path, *, workers: int = 2) -> Iterator[Cluster]:
    """Start the programs, wait for them, end them by their own process id."""
    with held_port() as port:
        yield from _started(folder, port, workers=workers)


def _started(folder: Path, port: int, *, workers: int) -> Iterator[Cluster]:
    folder.chmod(0o700)
    secret = secrets.token_hex(24)
    secret_file = private(folder / "secret", secret)
    settings = {
        "spark.authenticate": "true", "spark.authenticate.secret": secret, "spark.network.crypto.enabled": "true",
        "spark.ui.enabled": "false",
    }  # fmt: skip
    properties = private(folder / "cluster.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
    master = f"spark://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []
    try:
        start(started, folder, "master.Master", "--host", "127.0.0.1", "--port", str(port), conf=properties)
        wait_for(port)
        for number in range(workers):
            place = [
                "--host",
                "127.0.0.1",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                str(folder / f"work-{number}"),
            ]
            start(started, folder, "worker.Worker", *place, master, conf=properties)
        yield Cluster(master=master, secret=secret, secret_file=secret_file, folder=folder)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(started: list[subprocess.Popen[bytes]], folder: Path, program: str, *arguments: str, conf: Path) -> None:
    import pyspark

    home = Path(pyspark.__file__).parent
    local = folder / f"local-{len(started)}"
    local.mkdir(mode=0o700)
    environment = {
        **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(local),
        "PYSPARK_PYTHON": sys.executable, "SPARK_DAEMON_MEMORY": "512m", "JAVA_TOOL_OPTIONS": BRIEF,
    }  # fmt: skip
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{program}", "--webui-port", "0"]
    command += ["--properties-file", str(conf), *arguments]
    output = (folder / f"{program}-{len(started)}.log").open("wb")
    started.append(subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT))


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def wait_for(port: int) -> None:
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.3)
    raise TimeoutError("the master of the Spark cluster did not start")
