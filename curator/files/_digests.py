"""Digests of a source's files, taken before the rows are used and again after the last was read.

The evidence names each file by a keyed digest, since a plain digest of raw rows would confirm a guess of them. The
holder keeps them in a private place too, with size and time, to tell a file that came back from an archive from one
that was changed. Each reading takes one digest: hashing is what costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from curator.files._places import Place
from curator.files._snapshot import changed_source

FileName = tuple[str, str]


class SourceDigests:
    """The digests of one run's files, taken on a thread of their own. Use as a context manager.

    Args:
        key: of the keyed digests, derived for this use alone.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._worker = ThreadPoolExecutor(1)
        self._places: dict[FileName, Place] = {}
        self._first: dict[FileName, Future[str]] = {}

    def __enter__(self) -> SourceDigests:
        return self

    def __exit__(self, *failure: object) -> None:
        self._worker.shutdown(cancel_futures=True)

    def begin(self, source: str, places: Iterable[Place]) -> None:
        """Take the digests of a source's files meanwhile."""
        for place in places:
            self._places[source, place.address] = place
            self._first[source, place.address] = self._worker.submit(place.digest, self._key)

    def settle(self) -> None:
        """Read every file once more and refuse one whose bytes are others than before.

        Raises:
            SourceError: `source-changed`.
        """
        for name, place in self._places.items():
            try:
                again = place.digest(self._key)
            except OSError:
                again = ""
            if again != self._first[name].result():
                raise changed_source(name[0], f"other bytes than when the reading began: {place.name}")

    def keyed(self) -> list[tuple[str, str, str]]:
        """Source, file's name and keyed digest of each file, in order."""
        return [
            (source, self._places[source, address].name, job.result())
            for (source, address), job in sorted(self._first.items())
        ]

    def facts(self) -> dict[str, Any]:
        """For the holder's private place: every file with its size, time and digest."""
        told: dict[str, list[dict[str, Any]]] = {}
        for (source, address), job in sorted(self._first.items()):
            place = self._places[source, address]
            state = place.identity()
            told.setdefault(source, []).append(
                {
                    "file": place.name,
                    "bytes": state.size if state else None,
                    "changed": state.changed if state else None,
                    "keyed": job.result(),
                }
            )
        return told
