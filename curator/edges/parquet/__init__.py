"""Writes protected batches as Parquet shards, hashing each byte on its way out, and in an order that tells nothing.

Rows are ordered by a keyed token of their row key. They go into range shards by its first bits (to temporary Arrow
files that hold protected rows only, or to memory when few), then each range is sorted, relieved of the classes to
suppress and written: memory stays flat, bytes do not depend on threads, memory limits or the engine's whims.
"""

from __future__ import annotations

from curator.edges.parquet._plain import EngineOrderShards
from curator.edges.parquet._ranges import KeyedShards, RangeWriter, by_range, shard_count, sliced
from curator.edges.parquet._shard import ROW_GROUP, HashingFile, ShardFile, ShardReport

__all__ = [
    "ROW_GROUP",
    "EngineOrderShards",
    "HashingFile",
    "KeyedShards",
    "RangeWriter",
    "ShardFile",
    "ShardReport",
    "by_range",
    "shard_count",
    "sliced",
]
