"""The batch kernel: a pure function from a batch of raw rows to a batch of protected rows.

It runs the same under any engine that hands over Arrow batches, holds no file and no connection, and does all that
needs a key: tokens, keyed moves of dates and places, the order of rows, their split. Everything else has been computed
inside the engine.

    in:   the mask columns, the row key and entity as text, plain fields, raw identifiers
    out:  `.order` (16 bytes), `.split` (int8), `.class` (uint64, when classes are counted), `.malformed` (uint64, one
          bit a token or moved field, when any is examined), `.person` (uint64, when people are counted whom no field
          tells apart), then the fields as written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.anonymity import ClassCoder, Codes
from curator.arrow import first_words, from_integers, integers, nothing, one_text, without_chunks
from curator.displacement import jittered, shifted
from curator.generalising import Levels, Merged
from curator.identifiers import DeclaredForm, canonical, examined
from curator.pseudonyms import HmacKernel, SivKernel, TokenKernel, thresholds
from curator.text import Masker

# Helper columns begin with a dot, which no field's name can: they are never written.
ROW_KEY, SPLIT, ENTITY = ".row key", ".split", ".entity {}"
BY, LATITUDE, LEAF = ".by {}", ".latitude {}", ".leaf {}"
_ENTITY_KEY = bytes(32)  # for counting: nothing made with it leaves the process
ORDER, CLASS, SENSITIVE, MALFORMED, PERSON = ".order", ".class", ".sensitive", ".malformed", ".person"


@dataclass(frozen=True, kw_only=True, repr=False)
class TokenField:
    """A field to tokenise.

    Attributes:
        name: of the field.
        form: its identifier's canonical form.
        key: its key (never shown).
        method: `cmac`, `hmac-sha256` or `siv`.
        malformed: what an identifier that breaks its form's rules becomes: `apart`, `unknown` or `token`, unexamined.
        apart: key of the malformed ones, so that none of their tokens equals that of a well made one.
    """

    name: str
    form: str | DeclaredForm
    key: bytes
    method: Literal["cmac", "hmac-sha256", "siv"] = "cmac"
    malformed: Literal["apart", "unknown", "token"] = "token"
    apart: bytes = b""


@dataclass(frozen=True, kw_only=True, repr=False)
class MovedField:
    """A date or coordinate to move by a keyed draw.

    Attributes:
        name: of the field.
        key: of the draw.
        by: who or what moves as one.
        days: for dates, the longest move; 0 for a coordinate.
        metres: for coordinates, the radius; 0 for a date.
        longitude: whether it is a longitude, whose latitude then stands in a column of its own.
    """

    name: str
    key: bytes
    by: tuple[Anchor, ...]
    days: int = 0
    metres: int = 0
    longitude: bool = False


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A column that names who or what moves as one: as `EntityPart`, in the helper column `.by COLUMN`."""

    column: str
    form: str | DeclaredForm
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class EntityPart:
    """One part of what a row is about.

    Attributes:
        form: its identifier's canonical form, so that two spellings stay in one split.
        field: the token field made from the same column, whose canonical form serves both; None when there is none.
    """

    form: str | DeclaredForm
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
        moved: those of the fields that are moved by a keyed draw.
        masked: those of the fields whose text is masked.
        merged: those of the fields whose rare categories become one.
        levels: those of the fields that are written at the levels of their hierarchies; None when there is none.
        people: the parts of the entity again, when people are counted whom no written field tells apart.
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
    moved: tuple[MovedField, ...] = ()
    masked: Mapping[str, Masker] = field(default_factory=dict)
    merged: Mapping[str, Merged] = field(default_factory=dict)
    levels: Levels | None = None
    people: tuple[EntityPart, ...] = ()
    _kernels: dict[bytes, Any] = field(default_factory=dict, compare=False)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A protected batch of the same rows, in the same order; null identifiers stay null."""
        plain, malformed = self._examine(batch)
        whose = self._entity_tokens(batch, plain)
        columns: dict[str, pa.Array] = {ORDER: self.row_tokens(batch), SPLIT: self._splits(batch, whose)}
        if self.people and whose is not None:
            columns[PERSON] = from_integers(first_words(whose), pa.uint64())
        moved = {move.name: self._moved(move, batch, plain=plain) for move in self.moved}
        if self.examines:
            unmoved = {name: _lost(batch.column(name), column) for name, column in moved.items()}
            columns[MALFORMED] = _bits(malformed | unmoved, rows=len(batch))
        tokens = {token.name: token for token in self.tokens}
        for name in self.fields:
            if name in tokens:
                columns[name] = self._tokens(tokens[name], plain[name], malformed=malformed.get(name))
            elif name in moved:
                columns[name] = moved[name]
            elif name in self.merged:
                columns[name] = self.merged[name].column(batch.column(name))
            elif name in self.masked:
                columns[name] = self.masked[name].column(_text(batch.column(name)))
            else:
                columns[name] = batch.column(name)
        if self.levels is not None:
            columns |= self.levels.columns(
                {name: self._leaf(name, batch, written=columns) for name in self.levels.hierarchies}
            )
        return self._with_classes(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))

    def _leaf(self, name: str, batch: pa.RecordBatch, *, written: Mapping[str, pa.Array]) -> pa.Array:
        """A field's finest values as text; merged first where its rare categories are."""
        return _text(written[name] if name in self.merged else batch.column(LEAF.format(name)))

    @property
    def examines(self) -> bool:
        """Whether any identifier is held to its form's rules, or any date or place to what can be moved."""
        return bool(self.examined)

    @property
    def examined(self) -> tuple[str, ...]:
        """The fields of which each has a bit in `.malformed`, in the order of the bits."""
        return (
            *(token.name for token in self.tokens if token.malformed != "token"),
            *(move.name for move in self.moved),
        )

    def _examine(self, batch: pa.RecordBatch) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
        """Canonical identifiers by field, and which of them are malformed where that is asked."""
        plain: dict[str, pa.Array] = {}
        malformed: dict[str, pa.Array] = {}
        for token in self.tokens:
            text = _text(batch.column(token.name))
            if token.malformed == "token":
                plain[token.name] = canonical(text, token.form)
                continue
            plain[token.name], sound = examined(text, token.form)
            # Null is not malformed. (A scalar made of a Python value would import pandas.)
            malformed[token.name] = pc.and_kleene(pc.invert(sound), sound.is_valid())
        return plain, malformed

    def _tokens(self, token: TokenField, values: pa.Array, *, malformed: pa.Array | None) -> pa.Array:
        if malformed is None or not malformed.true_count:
            return self._made(token, token.key, values=values)
        sound = self._made(token, token.key, values=pc.if_else(malformed, nothing(values.type), values))
        if token.malformed == "unknown":
            return sound
        apart = self._made(token, token.apart, values=values.filter(malformed))
        return pc.replace_with_mask(sound, malformed, apart)

    def _made(self, token: TokenField, key: bytes, *, values: pa.Array) -> pa.Array:
        if token.method == "siv":
            return self._kernel(key, SivKernel).seal(values)
        return self._kernel(key, HmacKernel if token.method == "hmac-sha256" else TokenKernel).tokens(values)

    def _moved(self, move: MovedField, batch: pa.RecordBatch, *, plain: Mapping[str, pa.Array]) -> pa.Array:
        """A moved date or coordinate; a row about nobody known moves by its own key."""
        parts = [
            plain[anchor.field]
            if anchor.field
            else canonical(_text(batch.column(BY.format(anchor.column))), anchor.form)
            for anchor in move.by
        ]
        tokens = self._tokens_or_alone(move.key, parts, batch=batch)
        if move.days:
            return shifted(batch.column(move.name), tokens, days=move.days)
        latitude = batch.column(LATITUDE.format(move.name)) if move.longitude else None
        return jittered(batch.column(move.name), tokens, metres=move.metres, latitude=latitude)

    def _tokens_or_alone(self, key: bytes, parts: Sequence[pa.Array], *, batch: pa.RecordBatch) -> pa.Array:
        """Tokens of what some parts name together; where they name nothing, of the row's own key."""
        tokens = self._kernel(key).tokens(parts[0] if len(parts) == 1 else _joined(parts))
        if tokens.null_count:
            alone = self._kernel(key).tokens(_text(batch.column(ROW_KEY)))
            tokens = pc.if_else(tokens.is_valid(), tokens, alone)
        return tokens

    def row_tokens(self, batch: pa.RecordBatch) -> pa.Array:
        """The keyed token of each row's key, null where a part of it is missing."""
        return self._kernel(self.order_key).tokens(_text(batch.column(ROW_KEY)))

    def _kernel(self, key: bytes, kind: Any = TokenKernel) -> Any:
        if key not in self._kernels:
            self._kernels[key] = SivKernel(key, padded=True) if kind is SivKernel else kind(key)
        return self._kernels[key]

    def _entity_tokens(self, batch: pa.RecordBatch, plain: Mapping[str, pa.Array]) -> pa.Array | None:
        """A token of whom each row is about; a row about nobody known is of somebody of its own. None when not asked.

        All are made under the split key, which no version, recipient or epoch changes.
        """
        asked = self.entity or self.people
        if not asked:
            return None
        parts = [
            plain[part.field] if part.field else canonical(_text(batch.column(ENTITY.format(index))), part.form)
            for index, part in enumerate(asked)
        ]
        return self._tokens_or_alone(self.split_key, parts, batch=batch)

    def _splits(self, batch: pa.RecordBatch, whose: pa.Array | None) -> pa.Array:
        """Split index of each row; a row about nobody known is drawn by its own key, so it stays alone."""
        if not self.entity or whose is None:
            return pc.cast(batch.column(SPLIT), pa.int8())
        return from_integers(thresholds(whose, self.shares), pa.int8())

    def class_codes(self, batch: pa.RecordBatch) -> tuple[Codes, Codes | None]:
        """Of rows as written: the code of each row's class, and of its sensitive value when that is counted."""
        coder = ClassCoder(self.class_key or b"", self.quasi)
        return coder.codes(batch), coder.value_codes(batch.column(self.sensitive)) if self.sensitive else None

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


def entity_codes(columns: Sequence[pa.Array], parts: Sequence[EntityPart]) -> tuple[Codes, Any]:
    """A code of whom each row is about, and whether anybody is named; comparable within one process only.

    Args:
        columns: the columns of the entity, as text.
        parts: their canonical forms.
    """
    plain = [canonical(_text(column), part.form) for column, part in zip(columns, parts, strict=True)]
    tokens = TokenKernel(_ENTITY_KEY).tokens(plain[0] if len(plain) == 1 else _joined(plain))
    return first_words(tokens), integers(pc.cast(tokens.is_valid(), pa.uint8())) == 1


def _bits(malformed: Mapping[str, pa.Array], *, rows: int) -> pa.Array:
    """One bit for each examined field, in the order of the fields."""
    bits = np.zeros(rows, np.uint64)
    for place, mask in enumerate(malformed.values()):
        if mask.true_count:
            bits |= integers(mask.cast(pa.uint8())).astype(np.uint64) << np.uint64(place)
    return from_integers(bits, pa.uint64())


def _lost(before: pa.Array, after: pa.Array) -> pa.BooleanArray:
    """Where a value stood and none was made of it."""
    return pc.and_not(before.is_valid(), after.is_valid())


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Several parts as one name; those unknown in part are alike when the rest is, null when every part is unknown."""
    known = reduce(pc.or_, [part.is_valid() for part in parts])
    joined = pc.binary_join_element_wise(*parts, one_text("\x1f"), null_handling="replace", null_replacement="\x1e")
    return pc.if_else(known, joined, nothing(joined.type))


def _text(column: pa.Array) -> pa.Array:
    column = without_chunks(column)
    return (
        column if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) else column.cast(pa.string())
    )
