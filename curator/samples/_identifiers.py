"""How many identifiers were known, unknown and malformed, how likely tokens are to collide, and what could not move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from curator.arrow import integers
from curator.kernel import MALFORMED, BatchKernel
from curator.pseudonyms import collision_bound

_BITS = 128


@dataclass(frozen=True, kw_only=True)
class IdentifierCount:
    """What became of the identifiers of one token field, over the accepted rows.

    Attributes:
        method: `cmac`, `hmac-sha256` or `siv`.
        tokens: rows with a token.
        unknown: rows without one: the source gives no identifier, a placeholder, or a malformed one made null.
        malformed: rows whose identifier breaks its form's rules, set apart or made null; None when not examined.
    """

    method: str
    tokens: int
    unknown: int
    malformed: int | None

    @property
    def collision(self) -> float:
        """Upper bound of the chance that two different identifiers share a token, for as many as there are rows.

        An AES-SIV token holds its value, so two values never share one.
        """
        return 0.0 if self.method == "siv" else collision_bound(self.tokens, bits=_BITS)

    def facts(self) -> dict[str, Any]:
        """The counts, for the evidence."""
        return {**vars(self), "bits": _BITS, "collision_at_most": f"{self.collision:.1e}" if self.collision else "0"}


class IdentifierTally:
    """Counts identifiers batch by batch, from what the kernel says of them."""

    def __init__(self, kernel: BatchKernel) -> None:
        self._kernel = kernel
        self._examined = kernel.examined
        self._known = {token.name: 0 for token in kernel.tokens}
        self._malformed = dict.fromkeys(self._examined, 0)
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count a protected batch; returns it without the column that only this needed."""
        self._rows += len(batch)
        for name in self._known:
            self._known[name] += len(batch) - batch.column(name).null_count
        if MALFORMED not in batch.schema.names:
            return batch
        bits = integers(batch.column(MALFORMED))
        if bits.any():
            for place, name in enumerate(self._examined):
                self._malformed[name] += int(((bits >> np.uint64(place)) & np.uint64(1)).sum())
        return batch.drop_columns([MALFORMED])

    def figures(self) -> tuple[dict[str, int], dict[str, int], int]:
        """What was counted as plain numbers, for `merge` elsewhere."""
        return self._known, self._malformed, self._rows

    def merge(self, figures: tuple[Mapping[str, int], Mapping[str, int], int]) -> None:
        """Add what was counted elsewhere."""
        known, malformed, rows = figures
        self._known = {name: count + known[name] for name, count in self._known.items()}
        self._malformed = {name: count + malformed[name] for name, count in self._malformed.items()}
        self._rows += rows

    def unmoved(self) -> Mapping[str, int]:
        """Moved field -> rows where it became null: a day that stands for none, coordinates of no place."""
        return MappingProxyType({move.name: self._malformed[move.name] for move in self._kernel.moved})

    def counts(self) -> Mapping[str, IdentifierCount]:
        """What was counted, by token field."""
        methods = {token.name: token.method for token in self._kernel.tokens}
        found = {
            name: IdentifierCount(
                method=methods[name], tokens=known, unknown=self._rows - known, malformed=self._malformed.get(name)
            )
            for name, known in self._known.items()
        }
        return MappingProxyType(found)
