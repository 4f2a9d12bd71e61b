"""Who answers for a use case, why it may use the data, and under what law."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from curator.spec.model._words import Slug, Text, Word


class Regime(StrEnum):
    """The law that governs the processing (GDPR art. 2(2)(d) sends police purposes to Directive 2016/680)."""

    gdpr = "gdpr"
    police = "police-directive"


class LegalBasis(StrEnum):
    """GDPR art. 6(1)(a)-(f); `law-enforcement` is Directive 2016/680 art. 8(1)."""

    consent = "consent"
    contract = "contract"
    obligation = "legal-obligation"
    vital = "vital-interests"
    public_task = "public-task"
    legitimate = "legitimate-interests"
    law_enforcement = "law-enforcement"


class AiActClass(StrEnum):
    """Class of the intended system under Regulation 2024/1689 (AI Act)."""

    minimal = "minimal"
    limited = "limited"
    high = "high"
    prohibited = "prohibited"


class Owner(Word):
    """Who answers for the use case (the controller's service)."""

    organisation: Text
    contact: Text


class Purpose(Word):
    """Why the data may be used (GDPR art. 5(1)(b)).

    Use cases that name the same purpose make tables for one another: their tokens, moves and splits agree.
    """

    statement: Text
    name: Slug | None = Field(None, description="shared with other use cases, so that their tables can be joined")
    compatible_uses: tuple[Text, ...] = ()


class Law(Word):
    """What allows it. Attributes name the texts; the retention is that of the dataset made from them."""

    regime: Regime
    basis: LegalBasis
    text: Text = Field(description="the article that founds the processing")
    dpia: Text = Field(description="reference of the impact assessment (GDPR art. 35, Directive 2016/680 art. 27)")
    ai_act: AiActClass
    retention_days: int = Field(ge=1, le=36525, description="days after which the dataset must be erased")
