"""Parse, call, print; whatever went wrong becomes lines a person can use and an exit code (`_faults`).

Little of even the standard library is imported before a command runs: `typing`, `dataclasses` and `pathlib` together
take longer than Python takes to start, and `curator --help` needs none of them.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from curator.cli._console import Answer, Console

_UNICODE = ("utf-8", "utf8")
BROKEN_PIPE, INTERRUPTED = 141, 130  # 128 and the number of the signal, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: its arguments; the process's own when None.

    Returns:
        The exit code: 0, that of the error's class, 1 for a fault of curator itself, 130 when interrupted, 141 when
        nobody reads the output any more.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    os.umask(os.umask(0o077) | 0o002)  # whatever the surroundings allow, not everybody writes in a capital
    _open_streams()
    try:
        code = _guarded(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:  # once more, while it was said what happened
        return INTERRUPTED
    except OSError as fault:  # stdout itself cannot be written: a full disk behind a redirection
        from curator.cli._faults import of_system

        _close_stdout()
        error = of_system(fault)
        with suppress(OSError):
            sys.stderr.write(f"{error.render()}\n")
        return error.exit_code
    return code


def _guarded(arguments: Sequence[str]) -> int:
    try:
        from curator.cli._parser import build_parser  # here, so that Ctrl-C meanwhile becomes a line too

        return _run(build_parser().parse_args(arguments))
    except SystemExit as done:  # --help and --version print and leave
        return int(done.code or 0)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001 - the one place where any fault becomes a line
        from curator.cli._faults import tell

        return tell(fault, as_json="--json" in arguments)


def _run(parsed: Namespace) -> int:
    from importlib import import_module

    from curator.cli._console import Console

    if sys.getfilesystemencoding() not in _UNICODE:
        from curator.cli._faults import not_unicode

        raise not_unicode(sys.getfilesystemencoding())
    console = Console(as_json=parsed.json, quiet=parsed.quiet)
    module, _, name = parsed.run.partition(":")
    command: Callable[[Namespace, Console], Answer] = getattr(import_module(module), name)
    answer = command(parsed, console)
    console.answer(answer)
    return answer.exit_code


def _open_streams() -> None:
    """Lead standard streams that are closed nowhere: the next file opened would take their number, and their words."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _close_stdout() -> None:
    """Let the interpreter end without a second complaint about what cannot be written (as Python's manual advises)."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # a stdout that is no file
        return
