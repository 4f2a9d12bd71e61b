"""Where files stand, and which files a name means."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from curator.addresses import Address, place_of
from curator.errors import SourceError
from curator.evidence import keyed_digest
from curator.files._snapshot import Identity, Snapshot, local_identity
from curator.files._stores import SCHEMES, stored_places


class Place(Protocol):
    """One file, wherever it stands."""

    @property
    def name(self) -> str:
        """Last part of its address: what errors and evidence call it."""

    @property
    def address(self) -> str:
        """Its whole address, which tells it from all others."""

    @property
    def path(self) -> Path | None:
        """Its path when it stands on a disk of this machine."""

    def open(self, *, parts: bool = False) -> IO[bytes]:
        """Its bytes, from the start, seekable; `parts` when they are asked for here and there."""

    def identity(self) -> Identity | None:
        """What tells one state of the file from another; None when there is no such file."""

    def digest(self, key: bytes) -> str:
        """HMAC-SHA256 of its bytes, or of what an object store says of them: without the key it confirms no guess."""


class LocalPlace:
    """A file on a disk of this machine."""

    def __init__(self, path: Path) -> None:
        self.path: Path | None = path
        self.address = str(path)
        self._path = path

    @property
    def name(self) -> str:
        """The file's own name."""
        return self._path.name

    def open(self, *, parts: bool = False) -> IO[bytes]:
        """Its bytes."""
        return self._path.open("rb")

    def identity(self) -> Identity | None:
        """Device, number, size and times of the file."""
        return local_identity(self._path)

    def digest(self, key: bytes) -> str:
        """HMAC-SHA256 of its bytes."""
        return keyed_digest(self._path, key)

    def __repr__(self) -> str:
        return f"LocalPlace({self.name})"


Where: TypeAlias = "Path | Address | tuple[Path | Address, ...]"
"""Where a source stands: a file or a pattern of this machine, an address, or several of them."""


def where_of(addresses: Sequence[str], *, source: str, folder: Path) -> Where:
    """Places as a spec writes them, relative paths below a folder. Raises SourceError for an address with a secret."""
    places = tuple(place_of(address, source=source, folder=folder) for address in addresses)
    return places[0] if len(places) == 1 else places


def files_of(name: str, where: Where) -> tuple[Snapshot, tuple[Place, ...]]:
    """The files that a source means, and their state before the first read.

    Raises:
        SourceError: `source-missing`, when a pattern matches nothing.
    """
    asked = where if isinstance(where, tuple) else (where,)

    def look() -> dict[str, Identity]:
        matches = [place for where in asked for place in _matches(name, where)]
        now = {place.address: place.identity() for place in matches}
        return {address: state for address, state in now.items() if state is not None}

    places = _places(name, asked)
    return Snapshot.take(name, look), places


def _places(name: str, asked: Sequence[Path | Address]) -> tuple[Place, ...]:
    """The files that paths and patterns mean, each once, sorted by name."""
    found: dict[str, Place] = {}
    for where in asked:
        matches = _matches(name, where)
        if not matches:
            raise _no_match(name, where)
        found |= {place.address: place for place in matches}
    return tuple(sorted(found.values(), key=lambda place: (place.name, place.address)))


def _matches(name: str, where: Path | Address) -> Sequence[Place]:
    return [LocalPlace(path) for path in _matching(where)] if isinstance(where, Path) else _remote(name, where)


def _matching(path: Path) -> list[Path]:
    """The files of a pattern (`*`, `?` and `[...]` as in a shell); a file or folder of exactly that name is itself."""
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    matches = (Path(match) for match in glob.glob(str(path)))  # noqa: PTH207 (a pattern in any of its parts)
    return [match for match in matches if match.is_file()]


def _remote(name: str, address: Address) -> Sequence[Place]:
    """The objects of an address, by its scheme. Raises SourceError when no reader has that scheme."""
    if address.scheme in SCHEMES:
        return stored_places(name, address)
    raise SourceError(
        "source-scheme",
        asked=f"read the source `{name}`",
        found=f"an address of the scheme `{address.scheme}`",
        expected="a path, or an address that begins with " + ", ".join(f"`{scheme}://`" for scheme in SCHEMES),
        todo="correct the address in the spec",
    )


def _no_match(name: str, where: Path | Address) -> SourceError:
    return SourceError(
        "source-missing",
        asked=f"read the source `{name}`",
        found=f"no file that matches {where.name}",
        expected="at least one file",
        todo=f"correct the pattern, or give the folder with `--data FOLDER` or the files with `--source {name}=PATH`",
    )
