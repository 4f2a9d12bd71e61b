"""Passwords: from the environment, or from a file that only its owner can read. Never from an address or a spec.

For the source `persons`, the first that is set: `CURATOR_PERSONS_PASSWORD`, `CURATOR_PERSONS_PASSWORD_FILE`,
`CURATOR_SOURCE_PASSWORD`, `CURATOR_SOURCE_PASSWORD_FILE`. A file holds the password alone; one line end is left out.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from curator.errors import SourceError
from curator.sources._faults import variable

_LONGEST = 4_096


def password_of(source: str) -> str | None:
    """The password for a source; None when none is set.

    Raises:
        SourceError: `password-file`, when the file cannot be read or others may read it.
    """
    for name in (variable(source), variable("source")):
        if name in os.environ:
            return os.environ[name]
        if f"{name}_FILE" in os.environ:
            return _from_file(source, f"{name}_FILE")
    return None


def _from_file(source: str, name: str) -> str:
    path = Path(os.environ[name])
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _refused(source, name, found="something else than a file")
            if status.st_mode & 0o077:
                raise _refused(
                    source, name, found=f"a file that others may use (mode {stat.S_IMODE(status.st_mode):04o})"
                )
            text = stream.read(_LONGEST).decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as fault:
        raise _refused(source, name, found=f"no file that can be read ({type(fault).__name__})") from None
    except UnicodeDecodeError:
        raise _refused(source, name, found="bytes that are no UTF-8") from None
    if not text or "\n" in text or "\0" in text:
        raise _refused(source, name, found="a file that does not hold one password on one line")
    return text


def _refused(source: str, name: str, *, found: str) -> SourceError:
    return SourceError(
        "password-file",
        asked=f"read the password for the source `{source}` from the file that `{name}` names",
        found=found,
        expected="a file of one line that only you can read",
        todo="write the password there and run `chmod 600` on the file",
    )
