"""`doctor`: whether this machine and this capital can do the work; the first fault gives the exit code."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from curator.capital import Capital
from curator.cli._console import Answer, Console, table
from curator.cli._places import SETTINGS, capital_folder
from curator.errors import CuratorError, StorageError

_LIBRARIES = (
    "cryptography", "datasets", "duckdb", "dvc", "great-expectations", "numpy", "onnx", "onnxruntime", "pyarrow",
    "scikit-learn", "skl2onnx",
)  # fmt: skip
_PYTHON = (3, 11)
_ROOM = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at."""

    name: str
    found: str
    exit_code: int = 0

    def to_json(self) -> dict[str, object]:
        """What `--json` prints."""
        return {"check": self.name, "sound": not self.exit_code, "found": self.found}


def doctor(args: Namespace, console: Console) -> Answer:
    """Look at everything, even after a fault."""
    looks: dict[str, Callable[[], str]] = {"python": _python, "git": _git, "libraries": _libraries, "room": _room}
    root = capital_folder(args)
    if args.capital or (root / SETTINGS).is_file():
        looks |= _of_capital(root, agent=args.agent)
    checks = [_look(name, look) for name, look in looks.items()]
    rows = [("ok" if not check.exit_code else "FAULT", check.name, check.found) for check in checks]
    document = {"sound": all(not check.exit_code for check in checks), "checks": [check.to_json() for check in checks]}
    code = next((check.exit_code for check in checks if check.exit_code), 0)
    return Answer(document=document, text=table(rows, heads=("", "check", "found")), exit_code=code)


def _look(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, found=look())
    except CuratorError as error:
        return Check(name=name, found=f"{error.found}; {error.todo} [{error.code}]", exit_code=error.exit_code)


def _of_capital(root: Path, *, agent: str) -> Mapping[str, Callable[[], str]]:
    """The capital's own checks; each opens it again, so that one fault does not hide the others."""

    def capital() -> Capital:
        return Capital.open(root, agent=agent)

    return {
        "capital": lambda: (
            f"{capital().workspace.holder}: datasets {len(capital().datasets())}, models {len(capital().models())}"
        ),
        "holder's key": lambda: f"{len(capital().holder_key())} bytes",
        "agents": lambda: ", ".join(agent.name for agent in capital().directory().agents),
        "root secret": lambda: f"{len(capital().root_key())} bytes, readable by its owner alone",
        "epoch of keys": lambda: f"{capital().current_epoch().name}, its keys are those that it began with",
    }


def _python() -> str:
    if sys.version_info < _PYTHON:
        raise _unfit(
            "python-old", f"Python {platform.python_version()}", expected="Python 3.11 or later", todo="install it"
        )
    return platform.python_version()


def _git() -> str:
    program = shutil.which("git")
    if program is None:
        raise _unfit("git-absent", "no program `git` on the path", expected="Git 2.36 or later", todo="install Git")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _libraries() -> str:
    found = {name: _installed(name) for name in _LIBRARIES}
    absent = [name for name, number in found.items() if not number]
    if absent:
        raise _unfit(
            "library-absent",
            f"no {', '.join(absent)}",
            expected="every library of curator",
            todo="install `curator-capital` again",
        )
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _room() -> str:
    free = shutil.disk_usage(os.curdir).free
    if free < _ROOM:
        raise _unfit(
            "no-space",
            f"{free:,} bytes free on this disk",
            expected="at least 1 GB",
            todo="free some space, or work on another disk",
        )
    return f"{free:,} bytes free on this disk"


def _unfit(code: str, found: str, *, expected: str, todo: str) -> StorageError:
    return StorageError(code, asked="check the machine", found=found, expected=expected, todo=todo)
