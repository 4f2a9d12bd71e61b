"""What the places of rows tell: columns that rise or fall with them, and rows of a kind that stand together.

Rows sorted by arrival, by a name or by a file of origin tell what no column does. Two statistics see it: Spearman's
rank correlation of each column with the place (1904), and how many neighbours are equal, against as many as there are
in random order (Wald and Wolfowitz's runs, 1940, for any number of kinds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.attacks._leak import Leak
from curator.risk import column_of

_SIGMAS = 5.0
_PAIRS = 3  # equal neighbours beyond chance that are always forgiven
_FEWEST = 10


def order_leaks(shards: Sequence[Mapping[str, pa.ChunkedArray]]) -> tuple[Leak, ...]:
    """Columns whose values go with the place of a row, or whose equal values stand together, beyond chance.

    Tokens count by their first bytes: if they stood in order, they or the rows would have been sorted by arrival.
    """
    worst: dict[str, int] = {}
    for shard in shards:
        for name, column in shard.items():
            rising = abs(rank_correlation(column)) * np.sqrt(max(len(column) - 1, 1)) > _SIGMAS
            if rising or neighbours(column) > _SIGMAS:
                worst[name] = worst.get(name, 0) + 1
    return tuple(Leak(kind="row-order", where=name, count=count) for name, count in sorted(worst.items()))


def rank_correlation(column: pa.ChunkedArray) -> float:
    """Spearman's correlation of a column with the places of its rows; 0 when it has no order or no spread."""
    values = column
    if pa.types.is_fixed_size_binary(column.type):
        heads = [int.from_bytes(value[:6], "big") if value is not None else None for value in column.to_pylist()]
        values = pa.chunked_array([pa.array(heads, pa.int64())])
    numbers = column_of("", values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        order = pc.rank(values.combine_chunks(), tiebreaker="dense")
        numbers = column_of("", order)
    if not numbers.ordered or numbers.values < 2 or len(numbers.codes) < 3:
        return 0.0
    ranks = _mean_ranks(numbers.codes.astype(np.int64), numbers.values)
    places = np.arange(len(ranks), dtype=np.float64)
    return float(np.corrcoef(ranks, places)[0, 1]) if ranks.std() > 0 else 0.0


def neighbours(column: pa.ChunkedArray) -> float:
    """Equal neighbours beyond those of a random order, in standard deviations; 0 when a few pairs explain them."""
    codes = column_of("", column).codes.astype(np.int64)
    rows = len(codes)
    if rows < _FEWEST:
        return 0.0
    counts = np.bincount(codes).astype(np.float64)
    equal = int((codes[1:] == codes[:-1]).sum())
    expected = float((counts * (counts - 1)).sum()) / rows
    share, cubes = expected / rows, float(((counts / rows) ** 3).sum())
    variance = rows * (share - share**2 + 2 * max(cubes - share**2, 0.0))
    beyond = equal - expected - _PAIRS
    return beyond / max(variance, 1.0) ** 0.5 if beyond > 0 else 0.0


def _mean_ranks(codes: npt.NDArray[np.int64], values: int) -> npt.NDArray[np.float64]:
    counts = np.bincount(codes, minlength=values)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[codes], np.float64)
