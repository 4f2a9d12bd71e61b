"""On what terms a dataset may leave."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curator.spec.model._words import Name, Slug, Text, Word


class ChannelTerms(Word):
    """On what terms a channel may receive the dataset or a model made from it.

    Attributes:
        purposes: what a receiver may do; anything else is refused (closed list, deny by default).
        licence: SPDX name or the agreement's reference.
        max_days: longest time a release may last.
        models: whether models trained on the dataset may go too.
        legal_text: the text that allows leaving the police regime, where that regime applies.
        knows: fields whose values the receiver may have of people from elsewhere, for the attacks before a delivery;
            when absent the quasi-identifiers, and on `open` every field but tokens.
        claim: what the release may be called; `anonymous` only when no attack succeeds.
    """

    purposes: tuple[Slug, ...] = Field(min_length=1)
    licence: Text
    max_days: int = Field(ge=1, le=36525)
    models: bool = False
    legal_text: Text | None = None
    knows: tuple[Name, ...] | None = None
    claim: Literal["pseudonymised", "anonymous"] = "pseudonymised"


class Channels(Word):
    """The channels a dataset may leave by; an absent one is closed."""

    open: ChannelTerms | None = None
    research: ChannelTerms | None = None
    industry: ChannelTerms | None = None

    def terms(self, channel: str) -> ChannelTerms | None:
        """Terms of a channel; None when it is closed or unknown."""
        return getattr(self, channel) if channel in type(self).model_fields else None
