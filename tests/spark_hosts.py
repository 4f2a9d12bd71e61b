"""A Spark cluster of four machines, as far as one can tell them: each has a network and mounts of its own.

    driver 10.231.7.1 ─┐
    master 10.231.7.2 ─┼─ one switch, no way out; `shared` is one folder for all, `own` is another one on each
    workers    .3, .4 ─┘

Made of network and mount namespaces (namespaces(7)), which only root may make.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spark_cluster import BRIEF, WAIT, private

NETWORK = "10.231.7."
PORT = 7077
DRIVER, MASTER = 1, 2


def why_not() -> str:
    """What this machine lacks for namespaces; empty when nothing."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return "network namespaces need root and iproute2"
    name = f"cur{secrets.token_hex(3)}"
    made = quiet("ip", "netns", "add", name)
    quiet("ip", "netns", "del", name)
    return "" if made and quiet("unshare", "-m", "true") else "network namespaces are not permitted here"


def quiet(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


@dataclass(kw_only=True)
class Hosts:
    """Machines that run: their names, what is shared and what is each one's own."""

    folder: Path
    mark: str
    secret: str
    machines: int
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def shared(self) -> Path:
        return self.folder / "shared"

    @property
    def own(self) -> Path:
        return self.folder / "own"

    def name(self, machine: int) -> str:
        return f"{self.mark}h{machine}"

    def environment(self, **more: str) -> dict[str, str]:
        import pyspark

        return {
            **os.environ, "SPARK_HOME": str(Path(pyspark.__file__).parent), "PYSPARK_PYTHON": sys.executable,
            "SPARK_DAEMON_MEMORY": "512m", "JAVA_TOOL_OPTIONS": BRIEF, **more,
        }  # fmt: skip

    def on(
        self, machine: int, command: Sequence[str], covered: Mapping[Path, Path] | None = None, **how: Any
    ) -> subprocess.Popen[Any]:
        """Start a program on a machine: its network, and a folder `own` that no other machine sees.

        Args:
            machine: its number.
            command: the program.
            covered: path -> what this machine has in its place.
            **how: of `Popen`.
        """
        kept = self.folder / f"disk-{machine}"
        kept.mkdir(exist_ok=True)
        mounts = [f"mount --bind {kept} {self.own}"]
        mounts += [f"mount --bind {other} {path}" for path, other in (covered or {}).items()]
        whole = ["ip", "netns", "exec", self.name(machine), "unshare", "--mount", "--propagation", "private"]
        whole += ["sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh", *command]
        process = subprocess.Popen(whole, start_new_session=True, **how)
        self.started.append(process)
        return process

    def worker(
        self, machine: int, *, covered: Mapping[Path, Path] | None = None, **environment: str
    ) -> subprocess.Popen[Any]:
        """A worker of one core."""
        place = ["--host", f"{NETWORK}{machine}", "--cores", "1", "--memory", "1g"]
        place += ["--work-dir", str(self.own / "work"), f"spark://{NETWORK}{MASTER}:{PORT}"]
        return self._program(machine, "worker.Worker", place, environment, covered)

    def master(self) -> None:
        """The master, waited for."""
        self._program(MASTER, "master.Master", ["--host", f"{NETWORK}{MASTER}", "--port", str(PORT)], {}, None)
        until = time.monotonic() + WAIT
        reached = f"import socket; socket.create_connection(('{NETWORK}{MASTER}', {PORT}), 1)"
        while self.on(DRIVER, [sys.executable, "-c", reached], stderr=subprocess.DEVNULL).wait(60):
            if time.monotonic() > until:
                raise TimeoutError("the master of the Spark cluster did not start")
            time.sleep(0.3)

    def _program(
        self,
        machine: int,
        program: str,
        place: Sequence[str],
        environment: Mapping[str, str],
        covered: Mapping[Path, Path] | None,
    ) -> subprocess.Popen[Any]:
        import pyspark

        local = self.folder / f"disk-{machine}" / "spark"
        local.mkdir(parents=True, exist_ok=True)
        command = [str(Path(pyspark.__file__).parent / "bin" / "spark-class"), f"org.apache.spark.deploy.{program}"]
        command += ["--webui-port", "0", "--properties-file", str(self.folder / "cluster.conf"), *place]
        known = self.environment(SPARK_LOCAL_IP=f"{NETWORK}{machine}", SPARK_LOCAL_DIRS=str(self.own / "spark"))
        with (self.folder / f"machine-{machine}.log").open("ab") as output:
            return self.on(
                machine, command, env={**known, **environment}, covered=covered, stdout=output, stderr=subprocess.STDOUT
            )

    def end(self, process: subprocess.Popen[Any]) -> None:
        """Pull the plug: the program and all it started, with no word to anyone."""
        with_it = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _session(path) == process.pid]
        for number in with_it:
            _killed(number)
        process.wait(30)


def _session(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return 0


def _killed(number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, 9)


@contextmanager
def hosts(folder: Path, *, workers: int = 2) -> Iterator[Hosts]:
    """Four machines, the master running; workers are started by `worker`, from machine 3 on."""
    secret = secrets.token_hex(24)
    made = Hosts(folder=folder, mark=f"cur{secrets.token_hex(2)}", secret=secret, machines=2 + workers)
    for part in (made.shared, made.own):
        part.mkdir()
    settings = {
        "spark.authenticate": "true", "spark.authenticate.secret": secret, "spark.network.crypto.enabled": "true",
        "spark.ui.enabled": "false", "spark.worker.timeout": "20",
    }  # fmt: skip
    private(folder / "cluster.conf", "".join(f"{name} {value}\n" for name, value in settings.items()))
    with ExitStack() as undone:
        _wired(made, undone)
        undone.callback(_ended, made)
        made.master()
        yield made


def _wired(made: Hosts, undone: ExitStack) -> None:
    """One switch in a namespace of its own, and a line from it to each machine, apart from this machine's network."""
    switch = f"{made.mark}sw"
    for name in (switch, *(made.name(machine) for machine in range(1, made.machines + 1))):
        subprocess.run(["ip", "netns", "add", name], check=True, timeout=60)
        undone.callback(quiet, "ip", "netns", "del", name)
    lines = [f"-n {switch} link add sw type bridge", f"-n {switch} link set sw up"]
    for machine in range(1, made.machines + 1):
        name = made.name(machine)
        lines += [
            f"-n {switch} link add p{machine} type veth peer name eth0 netns {name}",
            f"-n {switch} link set p{machine} master sw up",
            f"-n {name} addr add {NETWORK}{machine}/24 dev eth0",
            f"-n {name} link set eth0 up",
            f"-n {name} link set lo up",
        ]
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True, timeout=60)


def _ended(made: Hosts) -> None:
    for process in reversed(made.started):
        if process.poll() is None:
            made.end(process)
