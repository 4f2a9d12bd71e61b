"""How free text is masked."""

from __future__ import annotations

from typing import Literal

from curator.spec.model._words import Text, Word

TextKind = Literal[
    "person", "nir", "plate", "phone", "email", "iban", "date", "address", "licence", "vin", "siren", "siret", "agent",
    "account", "url", "ip", "coordinates", "amount", "number", "place", "organisation", "other",
]  # fmt: skip
"""What may be masked in free text, as `curator.text` finds it."""


class TextMask(Word):
    """How the texts of a column are masked.

    Attributes:
        entities: what is masked; everything when absent.
        scope: `document` counts surrogates within a text (PERSONNE_1); `dataset` keys them, so that one person has one
            surrogate in every text.
        model: a model of named entities of the extra `text`, or `none` for the rules alone.
        evaluation: the report of `curator text evaluate --out` on texts like these, beside the spec; without one the
            card says that nothing was measured.
    """

    entities: tuple[TextKind, ...] = ()
    scope: Literal["document", "dataset"] = "document"
    model: Literal["none", "fr_core_news_sm", "fr_core_news_md", "fr_core_news_lg"] = "none"
    evaluation: Text | None = None
