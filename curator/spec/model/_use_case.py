"""The use case as a whole."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from curator.canonical import sha256_json
from curator.spec.model._channels import Channels
from curator.spec.model._disclosure import Disclosure
from curator.spec.model._extraction import Extraction
from curator.spec.model._fields import IdentifierKind, OutputField
from curator.spec.model._forms import IdentifierForm
from curator.spec.model._law import Law, Owner, Purpose
from curator.spec.model._learning import Baseline, EntitySplits, TimeSplits
from curator.spec.model._quality import Quality
from curator.spec.model._refresh import Refresh
from curator.spec.model._representation import Representation
from curator.spec.model._sources import Source
from curator.spec.model._words import Name, Slug, Text, Version, Word


class UseCase(Word):
    """A use case: what it needs, why it may have it, what must hold."""

    curator: Literal[1] = Field(description="version of the spec language")
    name: Slug
    version: Version
    title: Text
    description: Text | None = None
    owner: Owner
    purpose: Purpose
    law: Law
    sources: dict[Name, Source] = Field(min_length=1)
    extract: Extraction
    forms: dict[Slug, IdentifierForm] = Field(default_factory=dict, max_length=64)
    fields: dict[Name, OutputField] = Field(min_length=1)
    quality: Quality = Quality()
    representation: Representation | None = None
    disclosure: Disclosure | None = None
    refresh: Refresh | None = None
    splits: EntitySplits | TimeSplits = Field(discriminator="by")
    model: Baseline | None = None
    channels: Channels = Channels()

    @property
    def ref(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 of the meaning of the spec: independent of comments, order of keys and layout.

        Only what differs from a default is hashed: a word that curator learns later leaves the digests of all specs
        that do not use it, and with them what is signed of their versions.
        """
        return sha256_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    def to_json(self) -> dict[str, Any]:
        """The spec as JSON, every default written out."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def purpose_name(self) -> str:
        """What the keys of its tokens, moves and splits stand under: the purpose it shares, else its own name."""
        return self.purpose.name or self.name

    def kept(self) -> dict[str, OutputField]:
        """The fields that are written: all but the dropped ones."""
        return {name: field for name, field in self.fields.items() if field.protect != "drop"}

    def quasi_identifiers(self) -> tuple[str, ...]:
        """Written fields that tell something about who a person is, in the order of the spec."""
        return tuple(name for name, field in self.kept().items() if field.identifier == IdentifierKind.quasi)
