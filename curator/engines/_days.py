"""Days that no file of text could hold, in columns of Parquet files: before the year 1, after the year 9999.

Parquet counts days and microseconds, so a file may hold the year 290,000, or what its writer took for infinity. Nearly
every program that reads dates fails on them. The file's own statistics say whether any can be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.files import Place
from curator.footer import Chunk, read_footer

_FIRST, _LAST = -719_162, 2_932_896  # days from 1970-01-01 to 0001-01-01 and to 9999-12-31
_ENDLESS = 2**63 - 1  # what the engine takes for an endless moment, with either sign
_WIDTHS = {1: 4, 2: 8}  # bytes of INT32 and INT64; an INT96 tells no order (Apache Parquet, parquet.thrift)
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}


def sound_day(value: str) -> str:
    """The condition that a date or timestamp lies in the years 1 to 9999; null when it is null."""
    return f"{value} >= DATE '0001-01-01' AND {value} < DATE '9999-12-31' + 1"


def odd_days(place: Place, columns: Iterable[str]) -> frozenset[str]:
    """Those of some columns of a Parquet file that may hold other days; nothing when the file cannot be read so.

    Args:
        place: of the file.
        columns: names in the file.
    """
    try:
        with place.open(parts=True) as stream:
            schema = parquet.read_schema(stream)
            wanted = {name: schema.field(name).type for name in columns if name in schema.names}
            days = {name: kind for name, kind in wanted.items() if _is_day(kind)}
            return _odd(stream, days) if days else frozenset()
    except (pa.ArrowException, OSError):
        return frozenset()  # the engine will say what is wrong with it


def _odd(stream: IO[bytes], days: Mapping[str, pa.DataType]) -> frozenset[str]:
    """The columns of days that are not all ordinary; every one where the footer is not as the format says."""
    try:
        chunks = read_footer(stream).chunks
    except ValueError:
        return frozenset(days)
    return frozenset(chunk.name for chunk in chunks if chunk.name in days and not _ordinary(chunk, days[chunk.name]))


def _is_day(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _ordinary(chunk: Chunk, kind: pa.DataType) -> bool:
    """Whether the statistics of a row group show that all days are ordinary ones."""
    if chunk.nulls == chunk.values:
        return True
    width = _WIDTHS.get(chunk.physical)
    if chunk.low is None or chunk.high is None or not len(chunk.low) == len(chunk.high) == width:
        return False
    low, high = (int.from_bytes(bound, "little", signed=True) for bound in (chunk.low, chunk.high))
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return abs(low) < _ENDLESS and abs(high) < _ENDLESS  # from 1677 to 2262
    day = 1 if pa.types.is_date(kind) else _A_DAY[kind.unit]
    return _FIRST * day <= low and high < (_LAST + 1) * day
