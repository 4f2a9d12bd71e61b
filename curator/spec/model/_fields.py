"""The columns of the dataset: meaning, what they could betray, how they are protected."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from curator.spec.model._text import TextMask
from curator.spec.model._words import Formula, Name, Slug, Text, Word


class IdentifierKind(StrEnum):
    """Statistical disclosure control's kinds: what a column tells about who somebody is."""

    direct = "direct"
    quasi = "quasi"
    sensitive = "sensitive"
    none = "none"


Protection = Literal["keep", "drop", "token", "generalise", "shift", "jitter", "clamp", "round", "merge_rare", "mask"]
"""What is done to a column; see `OutputField.protect`."""

TokenMethod = Literal["cmac", "hmac-sha256", "siv"]
"""How tokens are made: AES-CMAC and HMAC-SHA256 lead one way only, AES-SIV can be opened by the custodian."""

Malformed = Literal["apart", "unknown", "token"]
"""What becomes of an identifier that is not well made; see `OutputField.malformed`."""


class OutputField(Word):
    """One column of the dataset: where it comes from, what it means, who it could betray, how it is protected.

    Attributes:
        from_: the source or derived column; the field's own name when absent.
        value: for `generalise`, the formula that makes it coarser; exclusive with `from`.
        meaning: what a reader must know to use it.
        unit: unit of measure (SI or plain words).
        identifier: what it tells about a person; may be left out only when its name does not look personal.
        because: why a field whose name looks personal is not.
        protect: `keep` as is, `drop` it, `token` (keyed pseudonym), `generalise` (coarser value), `shift` (a date moved
            by a number of days of the person's own, so that intervals stay), `jitter` (a coordinate moved within a
            circle), `clamp` (top and bottom coding), `round` (to a multiple), `merge_rare`
            (categories of few people become one), `mask` (free text, its mentions replaced).
        form: for `token`, the canonical form of the identifier (nir, plate, phone, email, name, licence ...).
        domain: for `token`, the field domain of the key; fields that must be joinable share one. The form when absent.
        method: for `token`, `cmac` (when absent), `hmac-sha256`, or `siv`, which the holder's custodian can reveal.
        malformed: for `token`, what an identifier that breaks its form's rules becomes: `apart` (when absent), a token
            that no well made one can equal; `unknown`, a null; `token`, a token like any other, without a check.
            Those set apart or made null are counted.
        by: for `shift` and `jitter`, the columns that name who or what moves as one; for `shift`, the entity when
            absent.
        days: for `shift`, the longest move, forwards or backwards.
        metres: for `jitter`, the radius of the circle.
        latitude: for the `jitter` of a longitude, the column of its latitude; absent for a latitude.
        least, most: for `clamp`, the bounds; what lies beyond one becomes the bound.
        to: for `round`, the whole number that every value becomes a multiple of; halves go up.
        fewer_than: for `merge_rare`, people below whom a category is merged; where the merged ones are still fewer
            together, the smallest of the others join them.
        other: for `merge_rare`, the category that they become; of the column's type.
        mask: for `mask`, what is masked and how; everything, within each text, by the rules alone when absent.
    """

    from_: Name | None = Field(default=None, alias="from")
    value: Formula | None = None
    meaning: Text
    unit: Text | None = None
    identifier: IdentifierKind | None = None
    because: Text | None = None
    protect: Protection = "keep"
    form: Slug | None = None
    domain: Slug | None = None
    method: TokenMethod | None = None
    malformed: Malformed | None = None
    by: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    metres: Annotated[int, Field(ge=1, le=100_000)] | None = None
    latitude: Name | None = None
    least: float | None = Field(default=None, allow_inf_nan=False, ge=-1e15, le=1e15)
    most: float | None = Field(default=None, allow_inf_nan=False, ge=-1e15, le=1e15)
    to: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    fewer_than: Annotated[int, Field(ge=2, le=1_000_000_000)] | None = None
    other: Annotated[str, Field(min_length=1, max_length=200)] | int | None = None
    mask: TextMask | None = None
