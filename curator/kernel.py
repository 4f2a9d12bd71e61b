"""The batch kernel: a pure function from a batch of raw rows to a batch of protected rows.

It runs the same under any engine that hands over Arrow batches, holds no file and no connection, and does all that
needs a
key: tokens, the order of rows, their split. Everything else has been computed inside the engine.

    in:   the mask columns, the row key and entity as text, plain fields, raw identifiers
    out:  `.order` (16 bytes), `.split` (int8), `.class` (uint64, when classes are counted), then the fields as written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from curator.anonymity import ClassCoder
from curator.arrow import from_integers, without_chunks
from curator.identifiers import canonical
from curator.pseudonyms import TokenKernel, thresholds

# Helper columns begin with a dot, which no field's name can: they are never written.
ROW_KEY, SPLIT, ENTITY = ".row key", ".split", ".entity {}"
ORDER, CLASS, SENSITIVE = ".order", ".class", ".sensitive"


@dataclass(frozen=True, kw_only=True, repr=False)
class TokenField:
    """A field to tokenise: its name, its identifier's canonical form, its key (never shown)."""

    name: str
    form: str
    key: bytes


@dataclass(frozen=True, kw_only=True)
class EntityPart:
    """One part of what a row is about.

    Attributes:
        form: its identifier's canonical form, so that two spellings stay in one split.
        field: the token field made from the same column, whose canonical form serves both; None when there is none.
    """

    form: str
    field: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class BatchKernel:
    """Protects batches.

    Attributes:
        fields: the written fields, in order.
        tokens: those of them that become tokens.
        order_key: key of the order of rows.
        split_key: key of the draw of splits.
        entity: the parts of the entity; empty when splits are cut in time by the engine.
        shares: share of each split, in order, when they are drawn.
        class_key: key of the class codes, None when no class is counted.
        quasi: quasi-identifiers among the fields.
        sensitive: the field whose diversity is counted.
    """

    fields: tuple[str, ...]
    tokens: tuple[TokenField, ...]
    order_key: bytes
    split_key: bytes
    entity: tuple[EntityPart, ...]
    shares: tuple[float, ...]
    class_key: bytes | None = None
    quasi: tuple[str, ...] = ()
    sensitive: str | None = None
    _kernels: dict[bytes, TokenKernel] = field(default_factory=dict, compare=False)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A protected batch of the same rows, in the same order; null identifiers stay null."""
        plain = {token.name: canonical(_text(batch.column(token.name)), token.form) for token in self.tokens}
        order = self.row_tokens(batch)
        columns: dict[str, pa.Array] = {ORDER: order, SPLIT: self._splits(batch, plain)}
        keys = {token.name: token.key for token in self.tokens}
        for name in self.fields:
            columns[name] = self._kernel(keys[name]).tokens(plain[name]) if name in keys else batch.column(name)
        return self._with_classes(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))

    def row_tokens(self, batch: pa.RecordBatch) -> pa.Array:
        """The keyed token of each row's key, null where a part of it is missing."""
        return self._kernel(self.order_key).tokens(_text(batch.column(ROW_KEY)))

    def _kernel(self, key: bytes) -> TokenKernel:
        if key not in self._kernels:
            self._kernels[key] = TokenKernel(key)
        return self._kernels[key]

    def _splits(self, batch: pa.RecordBatch, plain: Mapping[str, pa.Array]) -> pa.Array:
        """Split index of each row; a row about nobody known is drawn by its own key, so it stays alone.

        Both are drawn under the split key, which no version, recipient or epoch changes.
        """
        if not self.entity:
            return pc.cast(batch.column(SPLIT), pa.int8())
        parts = [
            plain[part.field] if part.field else canonical(_text(batch.column(ENTITY.format(index))), part.form)
            for index, part in enumerate(self.entity)
        ]
        entity = parts[0] if len(parts) == 1 else _joined(parts)
        tokens = self._kernel(self.split_key).tokens(entity)
        if tokens.null_count:
            alone = self._kernel(self.split_key).tokens(_text(batch.column(ROW_KEY)))
            tokens = pc.if_else(tokens.is_valid(), tokens, alone)
        return from_integers(thresholds(tokens, self.shares), pa.int8())

    def _with_classes(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.class_key is None:
            return batch
        coder = ClassCoder(self.class_key, self.quasi)
        added = {CLASS: from_integers(coder.codes(batch), pa.uint64())}
        if self.sensitive is not None:
            added[SENSITIVE] = from_integers(coder.value_codes(batch.column(self.sensitive)), pa.uint64())
        for name, column in added.items():
            batch = batch.append_column(name, column)
        return batch


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Several parts as one name; those unknown in part are alike when the rest is, null when every part is unknown."""
    known = reduce(pc.or_, [part.is_valid() for part in parts])
    joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\x1e")
    return pc.if_else(known, joined, pa.scalar(None, joined.type))


def _text(column: pa.Array) -> pa.Array:
    column = without_chunks(column)
    return (
        column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else column.cast(pa.string())
    )
