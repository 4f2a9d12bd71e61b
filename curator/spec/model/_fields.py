"""The columns of the dataset: meaning, what they could betray, how they are protected."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from curator.spec.model._words import Formula, Name, Slug, Text, Word


class IdentifierKind(StrEnum):
    """Statistical disclosure control's kinds: what a column tells about who somebody is."""

    direct = "direct"
    quasi = "quasi"
    sensitive = "sensitive"
    none = "none"


class OutputField(Word):
    """One column of the dataset: where it comes from, what it means, who it could betray, how it is protected.

    Attributes:
        from_: the source or derived column; the field's own name when absent.
        value: for `generalise`, the formula that makes it coarser; exclusive with `from`.
        meaning: what a reader must know to use it.
        unit: unit of measure (SI or plain words).
        identifier: what it tells about a person; may be left out only when its name does not look personal.
        because: why a field whose name looks personal is not.
        protect: `keep` as is, `drop` it, `token` (keyed pseudonym), `generalise` (coarser value).
        form: for `token`, the canonical form of the identifier (nir, plate, phone, email, name, licence ...).
        domain: for `token`, the field domain of the key; fields that must be joinable share one. The form when absent.
    """

    from_: Name | None = Field(default=None, alias="from")
    value: Formula | None = None
    meaning: Text
    unit: Text | None = None
    identifier: IdentifierKind | None = None
    because: Text | None = None
    protect: Literal["keep", "drop", "token", "generalise"] = "keep"
    form: Slug | None = None
    domain: Slug | None = None
