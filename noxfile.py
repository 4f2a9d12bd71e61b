"""Every task of the project, each in an environment of its own from the hashed locks.

nox                    lint, types, layers and tests: what must pass before anything lands
nox -s slow            tests of minutes each: clusters of machines, days of refreshes, kills at many steps
nox -s demo            the main job, end to end, in ./capital-demo
nox -s mysql           what is tested with MariaDB, with real MySQL servers instead (`-- 8.0=UBUNTU 9=DEBIAN`)
nox -s bench           ratios against the limit and the peers, in one run
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "layers", "tests"]
nox.options.error_on_external_run = True

QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # compiled once, not at every start
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait do not take the cores of those that work
}


def _install(session: nox.Session, *locks: str) -> None:
    for lock in locks:
        session.install("--require-hashes", "-r", f"requirements/{lock}.txt")
    session.install("--no-deps", "-e", ".")


@nox.session
def demo(session: nox.Session) -> None:
    """The main job: from tables to a package opened as a vendor would."""
    _install(session, "core")
    session.run("curator", "demo", *session.posargs, env=QUIET)


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite but what takes minutes, and heavy sweeps."""
    _install(session, "test")
    workers = os.environ.get("CURATOR_TEST_WORKERS", "2")
    session.run("python", "-m", "pytest", "-n", workers, "-m", "not sweep and not slow", *session.posargs, env=QUIET)


@nox.session
def slow(session: nox.Session) -> None:
    """What takes minutes: clusters of several machines, days of refreshes, kills at many steps."""
    _install(session, "test")
    workers = os.environ.get("CURATOR_TEST_WORKERS", "2")
    session.run("python", "-m", "pytest", "-n", workers, "-m", "slow and not sweep", *session.posargs, env=QUIET)


@nox.session
def sweep(session: nox.Session) -> None:
    """Heavy sweeps: every crash point, large bases."""
    _install(session, "test")
    session.run("python", "-m", "pytest", "-m", "sweep", *session.posargs, env={**QUIET, "CURATOR_SWEEP": "all"})


@nox.session
def mysql(session: nox.Session) -> None:
    """What is tested with MariaDB, with MySQL instead: `-- 8.0=UBUNTU 9=DEBIAN`, the addresses of archives."""
    _install(session, "test")
    with tempfile.TemporaryDirectory(prefix="curator-mysql-") as folder:
        Path(folder).chmod(0o755)  # where tests run as root, the server runs as nobody
        for word in session.posargs:
            release, _, archive = word.partition("=")
            said = session.run("python", "tests/mysql_programs.py", release, archive, folder, silent=True)
            env = {**QUIET, "CURATOR_TEST_MYSQLD": str(said).split()[-1]}
            session.run("python", "-m", "pytest", "tests/outside", env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and that locks name no host."""
    _install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict types of the package."""
    _install(session, "lint")
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Imports point down."""
    _install(session, "lint")
    session.run("lint-imports", "--no-cache")


@nox.session
def docs(session: nox.Session) -> None:
    """Every example of the documentation runs."""
    _install(session, "test")
    session.run("python", "-m", "pytest", "tests/docs", *session.posargs, env=QUIET)


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios against the limit and the peers; with names (`-- tokens text`, `-- all`), those tables."""
    _install(session, "bench")
    Path("bench-out").mkdir(exist_ok=True)
    session.run("python", "-m", "tests.bench", *session.posargs, env=QUIET)


@nox.session
def lock(session: nox.Session) -> None:
    """Make the locks anew; they hold hashes and no address."""
    session.install("uv")
    common = ("uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--generate-hashes")
    quiet = ("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "nox -s lock")
    session.run(*common, *quiet, "pyproject.toml", "-o", "requirements/core.txt")
    for group in ("test", "lint", "bench"):
        session.run(*common, *quiet, "pyproject.toml", "--group", group, "-o", f"requirements/{group}.txt")
    session.run(*common, *quiet, "requirements/tools.in", "-o", "requirements/tools.txt")
