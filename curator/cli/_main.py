"""Parse, call, print, and turn whatever went wrong into lines a person can use and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from curator.cli._console import Answer, Console
from curator.cli._parser import build_parser
from curator.errors import CuratorError, StorageError

INTERNAL, INTERRUPTED, BROKEN_PIPE = 1, 130, 141  # 130 and 141: 128 and the number of the signal, as shells have it
_FULL = {errno.ENOSPC, errno.EDQUOT}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its arguments; the process's own when None.

    Returns:
        The exit code: 0, that of the error's class, 1 for a fault of curator itself, 130 when interrupted, 141 when
        nobody reads the output any more.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    console = Console(as_json="--json" in arguments, quiet="--quiet" in arguments)
    try:
        code = _guarded(arguments, console)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        return BROKEN_PIPE
    except OSError as fault:  # stdout itself cannot be written: a full disk behind a redirection
        _close_stdout()
        sys.stderr.write(f"{_of_system(fault).render()}\n")
        return StorageError.exit_code
    return code


def _guarded(arguments: Sequence[str], console: Console) -> int:
    """Run, and print what was raised; a fault of curator itself never prints its own text, which may hold values."""
    try:
        return _run(arguments, console)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        console.fail({"error": "interrupted", "exit_code": INTERRUPTED}, "interrupted: nothing is half made")
        return INTERRUPTED
    except CuratorError as error:
        return _refuse(error, console)
    except OSError as fault:
        return _refuse(_of_system(fault), console)
    except Exception as fault:  # noqa: BLE001 - the one place where a fault of ours must become a line, not a traceback
        return _internal(fault, console)


def _run(arguments: Sequence[str], console: Console) -> int:
    try:
        parsed = build_parser().parse_args(arguments)
    except SystemExit as done:  # --help and --version print and leave
        return int(done.code or 0)
    module, _, name = parsed.run.partition(":")
    command: Callable[[Any, Console], Answer] = getattr(import_module(module), name)
    answer = command(parsed, console)
    console.answer(answer)
    return answer.exit_code


def _refuse(error: CuratorError, console: Console) -> int:
    console.fail(error.to_json(), f"{error.render()}\n  explained: curator explain {error.code}")
    return error.exit_code


def _of_system(fault: OSError) -> StorageError:
    """An error of the system that no stage expected; its text is left out, the number says enough."""
    full = fault.errno in _FULL
    return StorageError(
        "no-space" if full else "disk-failed",
        asked="run the command",
        found="no space left on a disk" if full else f"the system refused: {os.strerror(fault.errno or errno.EIO)}",
        expected="room, and the right to read and write the files named",
        todo="free some space, then run the same command again" if full else "check the paths, the disk and the rights",
    )


def _internal(fault: Exception, console: Console) -> int:
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


def _close_stdout() -> None:
    """Let the interpreter end without a second complaint about the closed pipe (the way Python's manual gives)."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # a stdout that is no file
        return
