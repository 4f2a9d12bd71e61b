"""Days that no file of text could hold, in columns of Parquet files: before the year 1, after the year 9999.

Parquet counts days and microseconds, so a file may hold the year 290,000, or what its writer took for infinity. Nearly
every program that reads dates fails on them. The file's own statistics say whether any can be there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.files import Place

_FIRST, _LAST = -719_162, 2_932_896  # days from 1970-01-01 to 0001-01-01 and to 9999-12-31
_ENDLESS = 2**63 - 1  # what the engine takes for an endless moment, with either sign
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
            file = parquet.ParquetFile(stream)
            schema, metadata = file.schema_arrow, file.metadata
            wanted = [name for name in columns if name in schema.names and _is_day(schema.field(name).type)]
            return frozenset(name for name in wanted if not _within(metadata, name, kind=schema.field(name).type))
    except (pa.ArrowException, OSError):
        return frozenset()  # the engine will say what is wrong with it


def _is_day(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def _within(metadata: parquet.FileMetaData, name: str, *, kind: pa.DataType) -> bool:
    """Whether the statistics of every row group show that all days are ordinary ones."""
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            if column.path_in_schema == name and not _ordinary(column, kind):
                return False
    return True


def _ordinary(column: Any, kind: pa.DataType) -> bool:
    if column.physical_type == "INT96":
        return False
    found = column.statistics
    if found is not None and found.null_count == column.num_values:
        return True
    if found is None or not found.has_min_max:
        return False
    low, high = int(found.min_raw), int(found.max_raw)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return abs(low) < _ENDLESS and abs(high) < _ENDLESS  # from 1677 to 2262
    day = 1 if pa.types.is_date(kind) else _A_DAY[kind.unit]
    return _FIRST * day <= low and high < (_LAST + 1) * day
