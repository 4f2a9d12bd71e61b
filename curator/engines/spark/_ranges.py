"""Rows kept by range in the executors, between the function that makes them and the one that works on each range.

One shuffle brings the bytes of a range to one executor, where they wait in memory or in encrypted files: the verdict on
all rows comes between the two functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyspark import StorageLevel

from curator.engines.spark._faults import translated
from curator.engines.spark._transport import COLUMNS, gathered, spread
from curator.protocols import Gathering, Spreading


class Ranges:
    """The bytes that a function gives of a relation's rows, by range."""

    def __init__(self, frame: Any, spreading: Spreading, *, ranges: int) -> None:
        names, places = frame.columns, [f"c{place}" for place in range(len(frame.columns))]
        packed = frame.toDF(*places).mapInArrow(spread(spreading, names), COLUMNS)
        self._kept = packed.repartition(ranges + 1, "part").persist(StorageLevel.MEMORY_AND_DISK)

    def notes(self) -> Iterator[bytes]:
        """What was given for the asker."""
        with translated("read the sources"):
            self._kept.count()  # all at once; what follows reads them one partition after the other
            for row in self._kept.where("part < 0").toLocalIterator():
                yield bytes(row.data)

    def gathered(self, gathering: Gathering) -> Iterator[bytes]:
        """What a function gives of each range."""
        with translated("write the shards"):
            ranges = self._kept.where("part >= 0").groupBy("part")
            for row in ranges.applyInArrow(gathered(gathering), COLUMNS).collect():
                yield bytes(row.data)

    def forget(self) -> None:
        """Let go of the rows."""
        with translated("close the engine"):
            self._kept.unpersist()
