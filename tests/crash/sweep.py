"""Crash injection: run one publication under strace and strike it at the K-th call that changes the disk.

Random kills miss the narrow windows; a strike at every call finds them. Three kinds of victim: the Python process
alone (its Git may live on), a Git child alone, and both together, as in a power cut.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
    "fsync,fdatasync,chmod,fchmod,fchmodat,ftruncate,flock,copy_file_range,sendfile"
)
HERE = Path(__file__).resolve().parent
NEXT = "1.0.1"
_DATE = "2026-01-02T03:04:05Z"
_SHIM = """#!/bin/sh
n=$(($(cat "$SHIM_STATE/count") + 1)); echo $n > "$SHIM_STATE/count"
if [ "$SHIM_AT" = all ]; then
    exec strace -qq -e signal=none -o "$SHIM_STATE/log.$n" -e trace=$SHIM_CALLS "$SHIM_GIT" "$@"
fi
if [ "$SHIM_AT" != "$n" ]; then exec "$SHIM_GIT" "$@"; fi
strace -qq -o /dev/null -e trace=$SHIM_CALLS -e inject=$SHIM_CALLS:$SHIM_STRIKE:when=$SHIM_WHEN "$SHIM_GIT" "$@"
rc=$?
if [ "$SHIM_PARENT" = dies ] && [ $rc -ge 128 ]; then kill -9 $PPID; fi
exit $rc
"""


@dataclass(frozen=True)
class Strike:
    """One point of a sweep.

    Attributes:
        what: strace's injection: `signal=KILL`, `signal=INT`, `error=ENOSPC`, `error=EIO`.
        call: the system call that is struck.
        when: which one of that call, counted from 1 within the victim.
        git: which Git child is the victim, counted from 1; 0 for the Python process.
        both: whether the Python process dies with its Git.
    """

    what: str
    call: str
    when: int
    git: int = 0
    both: bool = False


@dataclass(frozen=True)
class State:
    """What can be seen of a workspace: references, files, Git's opinion, leftovers."""

    references: str
    files: dict[str, str] = field(hash=False)
    status: str
    leftovers: tuple[str, ...]


def look(root: Path) -> State:
    """The visible state of a workspace. Git's reflogs and unnamed objects are not part of it."""
    files = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith((".git/", ".curator/", ".dvc/tmp/")):
            links = path.stat().st_nlink if "/cache/" in name or name.startswith("datasets/") else 0
            files[name] = f"{path.stat().st_mode & 0o777:o} {links} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        elif path.is_dir() and name.startswith(("datasets/", "evidence", "specs", "models")):
            files[name + "/"] = "folder"
    left = [*(root / ".git").rglob("*.lock"), *(root / ".git").glob("curator-*")]
    left += [*(root / ".curator/journal").iterdir(), *(root / ".curator/tmp").iterdir()]
    return State(
        references=_git(root, "for-each-ref") + _git(root, "symbolic-ref", "HEAD"),
        files=files,
        status=_git(root, "status", "--porcelain", "-uall"),
        leftovers=tuple(sorted(path.relative_to(root).as_posix() for path in left)),
    )


def copy(base: Path, target: Path) -> Path:
    """A copy of a workspace with its hard links."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base), str(target)], check=True)
    return target


def publish_plainly(root: Path, version: str = NEXT) -> subprocess.CompletedProcess[str]:
    """Publish one more version in another process, undisturbed."""
    return _run([], root, version=version, environment=environment())


def publish_struck(root: Path, strike: Strike, *, state: Path) -> subprocess.CompletedProcess[str]:
    """Publish one more version in another process and strike it once."""
    if strike.git == 0:
        inject = f"inject={strike.call}:{strike.what}:when={strike.when}"
        tracer = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={strike.call}", "-e", inject]
        return _run(tracer, root, version=NEXT, environment=environment())
    shim = {"SHIM_AT": str(strike.git), "SHIM_WHEN": str(strike.when), "SHIM_STRIKE": strike.what}
    shim |= {"SHIM_CALLS": strike.call, "SHIM_PARENT": "dies" if strike.both else "lives"}
    return _run([], root, version=NEXT, environment=_shimmed(state, shim))


def python_points(root: Path, *, log: Path) -> list[tuple[str, int]]:
    """Every (call, number) of the Python process in one publication that changes the disk."""
    tracer = ["strace", "-qq", "-e", "signal=none", "-o", str(log), "-e", f"trace={CALLS}"]
    done = _run(tracer, root, version=NEXT, environment=environment())
    assert done.returncode == 0, done.stderr
    return numbered(log)


def git_points(root: Path, *, state: Path) -> list[tuple[int, str, int]]:
    """Every (Git child, call, number) of one publication."""
    done = _run([], root, version=NEXT, environment=_shimmed(state, {"SHIM_AT": "all"}))
    assert done.returncode == 0, done.stderr
    children = range(1, int((state / "count").read_text()) + 1)
    return [(child, *point) for child in children for point in numbered(state / f"log.{child}")]


def numbered(log: Path) -> list[tuple[str, int]]:
    """strace counts each call by its own name: the K-th rename, the K-th write."""
    counts: Counter[str] = Counter()
    points = []
    for line in log.read_text().splitlines():
        name = line.split("(", 1)[0]
        if name in CALLS.split(","):
            counts[name] += 1
            points.append((name, counts[name]))
    return points


def environment() -> dict[str, str]:
    """A fixed clock and author for Git, so that two runs of one publication give the same commit."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
    paths = {"PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]), "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | who | paths


_IDENTITY = {"NAME": "tester", "EMAIL": "tester@localhost", "DATE": _DATE}


def _shimmed(state: Path, variables: dict[str, str]) -> dict[str, str]:
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    (state / "count").write_text("0\n")
    (state / "git").write_text(_SHIM)
    (state / "git").chmod(0o755)
    plain = environment()
    fixed = {"SHIM_STATE": str(state), "SHIM_CALLS": CALLS, "SHIM_GIT": shutil.which("git") or "git"}
    return plain | fixed | variables | {"PATH": f"{state}{os.pathsep}{plain['PATH']}"}


def _run(
    tracer: list[str], root: Path, *, version: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [*tracer, sys.executable, "-B", str(HERE / "staging.py"), str(root), version]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout
