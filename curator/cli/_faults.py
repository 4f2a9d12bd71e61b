"""What is said when a command did not end well: an error's own words, or no words at all where they may hold values."""

from __future__ import annotations

import errno
import os
import traceback
from pathlib import Path
from types import TracebackType

from curator.cli._console import Console
from curator.errors import CuratorError, StorageError, UsageError

INTERNAL, INTERRUPTED = 1, 130  # 130: 128 and the number of the signal, as shells have it
_FULL = {errno.ENOSPC, errno.EDQUOT}


def tell(fault: BaseException, *, as_json: bool) -> int:
    """Say what went wrong; returns the exit code."""
    console = Console(as_json=as_json)
    if isinstance(fault, KeyboardInterrupt):
        console.fail({"error": "interrupted", "exit_code": INTERRUPTED}, "interrupted: nothing is half made")
        return INTERRUPTED
    if isinstance(fault, OSError):
        fault = of_system(fault)
    if isinstance(fault, MemoryError):
        fault = _no_memory()
    if not isinstance(fault, CuratorError):
        return _internal(fault, console)
    console.fail(fault.to_json(), f"{fault.render()}\n  explained: curator explain {fault.code}")
    return fault.exit_code


def of_system(fault: OSError) -> StorageError:
    """An error of the system that no stage expected; its path is left out, the system's words for it are enough."""
    full = fault.errno in _FULL
    return StorageError(
        "no-space" if full else "disk-failed",
        asked="run the command",
        found="no space left on a disk" if full else f"the system refused: {os.strerror(fault.errno or errno.EIO)}",
        expected="room, and the right to read and write the files named",
        todo="free some space, then run the same command again" if full else "check the paths, the disk and the rights",
    )


def _no_memory() -> StorageError:
    return StorageError(
        "engine-memory",
        asked="run the command",
        found="the machine refused more memory",
        expected="more memory for this process: `ulimit -v`, a container's limit, or other programs take it",
        todo="raise the limit, or give the engine less of what there is with --memory",
    )


def not_unicode(encoding: str) -> UsageError:
    """The refusal of a locale in which a name on the command line is not the name of a file."""
    return UsageError(
        "locale-not-unicode",
        asked="read names of files and words of the command line",
        found=f"a locale whose names are {encoding}",
        expected="UTF-8, which Python takes by itself unless it is told otherwise",
        todo="unset PYTHONUTF8, or set PYTHONUTF8=1 or LC_ALL=C.UTF-8, and run the command again",
    )


def _internal(fault: BaseException, console: Console) -> int:
    kind, where = type(fault).__name__, _place(fault.__traceback__)
    text = (
        f"error[internal] curator itself failed: {kind} at {where}\n"
        "  do next:  run it again with CURATOR_DEBUG=1 for the traceback (it may show values of rows), and report it"
    )
    console.fail({"error": "internal", "exit_code": INTERNAL, "kind": kind, "where": where}, text)
    if os.environ.get("CURATOR_DEBUG") == "1":
        traceback.print_exception(fault)
    return INTERNAL


def _place(trace: TracebackType | None) -> str:
    """The innermost line of curator's own code, relative to the package."""
    home = Path(__file__).resolve().parent.parent
    frames = [frame for frame in traceback.extract_tb(trace) if Path(frame.filename).is_relative_to(home)]
    if not frames:
        return "an unknown place"
    return f"{Path(frames[-1].filename).relative_to(home.parent).as_posix()}:{frames[-1].lineno}"
