"""What one batch of raw rows becomes on its way: masks, rejected rows, accepted rows protected.

A pure function of a batch, so that it runs where the rows are: in this process under DuckDB, in the Python workers of
the executors under Spark. All that needs the whole stream (counts, quarantine, shards) stays with who asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.arrow import from_integers, integers, positions, rows_where
from curator.kernel import ORDER, BatchKernel

MASK = ".mask {}"

Masks = npt.NDArray[np.int32]
Stepped = tuple[pa.RecordBatch | None, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class RowStep:
    """Sets rejected rows apart and protects the others.

    Attributes:
        kernel: the keyed part.
        rejecting: for each mask column, the bits that reject a row.
        keys: whether rejected rows get the token of their row key, as `.order`.
    """

    kernel: BatchKernel
    rejecting: tuple[int, ...]
    keys: bool = False

    def __call__(self, batch: pa.RecordBatch) -> Stepped:
        """Of a batch: its mask columns, its rejected rows, its accepted rows protected; None where there is no row."""
        masks = batch.select([MASK.format(index) for index in range(len(self.rejecting))])
        keep = accepted([integers(column) for column in masks.columns], self.rejecting, rows=len(batch))
        if keep.all():
            return _counted(masks, len(batch)), None, self.kernel(batch) if len(batch) else None
        rejected = batch.take(positions(~keep))
        if self.keys:
            rejected = rejected.append_column(ORDER, self.kernel.row_tokens(rejected))
        kept = rows_where(batch, keep)
        return _counted(masks, len(batch)), rejected, self.kernel(kept) if len(kept) else None


def accepted(masks: Sequence[Masks], rejecting: Sequence[int], *, rows: int) -> npt.NDArray[np.bool_]:
    """Rows with no rejecting bit."""
    keep = np.ones(rows, np.bool_)
    for mask, bits in zip(masks, rejecting, strict=True):
        if bits:
            keep &= (mask & np.int32(bits)) == 0
    return keep


def _counted(masks: pa.RecordBatch, rows: int) -> pa.RecordBatch:
    """The masks; where there is no mask column, one that is zero, since a batch without columns forgets its rows."""
    if masks.num_columns:
        return masks
    return pa.record_batch([from_integers(np.zeros(rows, np.int32), pa.int32())], names=[MASK.format(0)])
