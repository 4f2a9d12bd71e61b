"""One Spark context for a process: started when first needed, silent, on loopback, its files encrypted; then ended.

A JVM holds one Spark context. Engines opened while another is open share it, each with a session of its own (its views
and settings); the last to close ends it. `shared` keeps one for a block of code, since a start costs seconds.

Nothing secret is on a command line or in a file of Spark's: the JVM starts without settings, which then reach it over
its authenticated loopback connection; of a cluster, the secret is read from a file only its owner may read.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from curator.errors import SecretError, UsageError

MASTER, SECRET_FILE = "CURATOR_SPARK_MASTER", "CURATOR_SPARK_SECRET_FILE"
_SECRET = ("CURATOR_", "PGPASS", "MYSQL_PWD")  # how names of keys and passwords begin
_LOOPBACK = "127.0.0.1"
_MEMORY = "2g"
_JAVA = 17
# A run lasts a minute, and most of what Spark does in it is done a few times: only loops over rows repay Java's dear
# compiler. Three to ten times its own thresholds, which cost twelve seconds of processor more for 200,000 rows.
_COMPILER = "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 -XX:Tier4CompileThreshold=150000"
_LOOPS = "-XX:Tier4BackEdgeThreshold=400000"
_SETTINGS = {
    "spark.app.name": "curator",
    # Silent, and nothing kept of what ran: no page, no history, no log; Spark's logs quote cells.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.log.level": "OFF",
    "spark.executor.syncLogLevel.enabled": "true",
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
    # What is written for the run (shuffles, spills, kept relations) and what is sent, encrypted.
    "spark.io.encryption.enabled": "true",
    "spark.io.encryption.keySizeBits": "256",
    "spark.authenticate": "true",
    "spark.network.crypto.enabled": "true",
    # The SQL that curator writes, and its meaning.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.variable.substitute": "false",
    "spark.sql.caseSensitive": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # else digits behind the mark are dropped without a word
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.driver.maxResultSize": "2g",
}


def version() -> str:
    """The version of Spark."""
    return str(pyspark.__version__)


@dataclass
class Context:
    """The process's Spark context and how many hold it."""

    spark: Any
    folder: Path
    settings: dict[str, Any]
    holders: int = 1

    def session(self) -> Any:
        """A session with views and settings of its own."""
        return self.spark.newSession()

    def facts(self) -> dict[str, Any]:
        """Where the work is done, for the evidence; no name of a machine."""
        return {**self.settings, "threads": int(self.spark.sparkContext.defaultParallelism)}

    def release(self) -> None:
        """One holder less; the last one ends the context."""
        global _current
        with _LOCK:
            self.holders -= 1
            if self.holders == 0:
                _current = None
                self.spark.stop()
                shutil.rmtree(self.folder, ignore_errors=True)


_LOCK = threading.RLock()
_current: Context | None = None
_gateway: Any = None


def hold(scratch: Path, *, threads: int | None = None, memory: str | None = None) -> Context:
    """The process's context, started if there is none. Limits count for the one that starts it.

    Raises:
        UsageError: `java-missing`; `spark-running` when another program part holds Spark in this process.
        SecretError: `spark-secret`, when a cluster is named without its secret.
    """
    global _current
    with _LOCK:
        if _current is not None:
            _current.holders += 1
            return _current
        if SparkContext._active_spark_context is not None:
            raise UsageError(
                "spark-running",
                asked="open the engine spark",
                found="another Spark session in this process, with settings of its own",
                expected="none: curator's keeps its files encrypted and its logs silent",
                todo="stop that session first, or run curator in a process of its own",
            )
        folder = Path(tempfile.mkdtemp(prefix="spark-", dir=scratch)).resolve()
        conf, settings = _configured(folder, threads=threads, memory=memory)
        context = SparkContext(conf=conf, gateway=_launched(memory))
        context.setLogLevel("OFF")  # only what is set this way reaches the executors
        _current = Context(SparkSession(context), folder, settings)
        return _current


@contextmanager
def shared(scratch: Path, *, threads: int | None = None, memory: str | None = None) -> Iterator[None]:
    """Keep one context for all engines opened in the block."""
    context = hold(scratch, threads=threads, memory=memory)
    try:
        yield
    finally:
        context.release()


def _configured(folder: Path, *, threads: int | None, memory: str | None) -> tuple[Any, dict[str, Any]]:
    master = os.environ.get(MASTER, "")
    package = str(Path(__file__).resolve().parents[3])  # where `curator` is, for the executors of this machine
    values = {
        **_SETTINGS,
        "spark.master": master or f"local[{threads or '*'}]",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.executorEnv.PYTHONPATH": package,
    }
    if not master:
        values |= {"spark.driver.host": _LOOPBACK, "spark.driver.bindAddress": _LOOPBACK}
    if master:
        here = os.environ.get("SPARK_LOCAL_IP") or _reaching(master)
        if here:
            values |= {"spark.driver.host": here, "spark.driver.bindAddress": here}
        values["spark.authenticate.secret"] = _secret()
        if memory:
            values["spark.executor.memory"] = _java_size(memory)
    else:
        values["spark.sql.shuffle.partitions"] = str(max(4 * (threads or os.cpu_count() or 1), 8))
    conf = SparkConf(loadDefaults=False)
    # SparkConf keeps settings made before the JVM runs; they reach it over the loopback connection.
    for name, value in values.items():
        conf.set(name, value)
    limit = _java_size(memory) if memory else _MEMORY
    return conf, {"master": "cluster" if master else "local", "memory_limit": limit}


def _reaching(master: str) -> str:
    """The address of this machine by which it reaches the master, and so the workers this machine; empty if unknown.

    What Java takes by itself, the address of the machine's own name, is often one that no other machine knows.
    """
    found = re.match(r"spark://\[?([^,\]]+?)\]?:(\d+)", master)
    if not found:
        return ""
    try:
        family, kind, _, _, place = socket.getaddrinfo(found[1], int(found[2]), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(place)  # of datagrams: nothing is sent
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _secret() -> str:
    """The cluster's secret, from a file that only its owner reads."""
    path = os.environ.get(SECRET_FILE, "")
    try:
        mode = Path(path).stat().st_mode if path else 0o777
        secret = Path(path).read_text().strip() if path and not mode & 0o077 else ""
    except OSError:
        secret = ""
    if len(secret) >= 16:
        return secret
    raise SecretError(
        "spark-secret",
        asked=f"join the Spark cluster that {MASTER} names",
        found="no secret of at least 16 characters in a file that only its owner reads",
        expected=f"{SECRET_FILE}: a file of mode 0600 with the cluster's `spark.authenticate.secret`",
        todo=f"write the secret to a file, `chmod 600` it, and name it in {SECRET_FILE}",
    )


def _launched(memory: str | None) -> Any:
    """The JVM, started once a process; it dies with this process. Its settings come later, over its connection."""
    global _gateway
    if _gateway is not None:
        return _gateway
    require_java()
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).disabled = True  # they write whole errors, cells included, to the standard error
    folder = tempfile.mkdtemp(prefix="curator-jvm-")  # mode 0700; native libraries, never rows
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    local = not os.environ.get(MASTER)
    size = _java_size(memory) if memory and local else _MEMORY
    options = f"-XX:-UsePerfData -Djava.io.tmpdir={folder} {_COMPILER} {_LOOPS}"
    changed = {"PYSPARK_SUBMIT_ARGS": f"--driver-memory {size} --driver-java-options '{options}' pyspark-shell"}
    if local:
        changed["SPARK_LOCAL_IP"] = _LOOPBACK
    # The keys and passwords of this process are not its children's: a child's environment can be read.
    secret = [name for name in os.environ if name.startswith(_SECRET)]
    before = {name: os.environ.get(name) for name in (*changed, *secret)}
    for name in secret:
        del os.environ[name]
    os.environ.update(changed)
    try:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        _gateway = launch_gateway(None, popen_kwargs=quiet)
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    return _gateway


def _java_size(memory: str) -> str:
    """`1GB` or `1.5 GiB` as Java writes sizes: whole mebibytes."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT])i?B?\s*", memory, re.IGNORECASE)
    if not found:
        return _MEMORY
    power = {"K": -1, "M": 0, "G": 1, "T": 2}[found.group(2).upper()]
    return f"{max(int(float(found.group(1)) * 1024**power), 512)}m"  # Spark does not start below 450 MB


def require_java() -> None:
    """Refuse before Spark tries, which then only says that its gateway is gone. Raises UsageError `java-missing`."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = "no Java on this machine"
    if program and Path(program).is_file():
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
        number = re.search(r'version "(\d+)', done.stderr + done.stdout)
        major = int(number.group(1)) if number else 0
        if major >= _JAVA:
            return
        found = f"Java {major}" if major else "a Java that does not say its version"
    raise UsageError(
        "java-missing",
        asked="open the engine spark",
        found=found,
        expected=f"Java {_JAVA} or newer: `java` on the PATH, or JAVA_HOME",
        todo="install it (Debian: `apt install openjdk-17-jre-headless`), or use `--engine duckdb`",
    )
