"""Identifiers that curator does not know: how their spellings are made one, and what makes one well made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curator.spec.model._words import Text, Word

Spelling = Literal["compact", "words", "upper", "lower", "exact"]
"""How the spellings of an identifier become one; see `IdentifierForm.spelling`."""

KnownCheck = Literal["luhn", "mod-11-10", "mod-97-10"]
"""Check digits by name: ISO/IEC 7812-1 annex B; ISO/IEC 7064 MOD 11,10 and MOD 97-10."""

_Character = Annotated[str, Field(min_length=1, max_length=1)]


class WeightedSum(Word):
    """A check character: the sum of weighted characters, modulo a number.

    Attributes:
        weights: one for each character from the first on.
        modulo: what the sum is divided by.
        symbols: one for each rest: the character that follows the weighted ones must be that of the rest. Without it
            the rest must be 0.
        letters: what a letter counts; A is 10 and Z is 35 when it says nothing.
    """

    weights: tuple[Annotated[int, Field(ge=-(10**12), le=10**12)], ...] = Field(min_length=1, max_length=34)
    modulo: Annotated[int, Field(ge=2, le=997)]
    symbols: Annotated[str, Field(min_length=2, max_length=997)] | None = None
    letters: dict[_Character, Annotated[int, Field(ge=0, le=99)]] = Field(default_factory=dict, max_length=36)


class IdentifierForm(Word):
    """The canonical form of an identifier, declared: a number, plate or card of whatever country.

    Attributes:
        title: what it is.
        source: the law or standard that rules it.
        spelling: `compact` (capital letters without accents; spaces, dots, dashes, slashes, quotes and brackets
            removed), `words` (as names), `upper` or `lower` (trimmed, one letter case), `exact` (as it is).
        same: a character of the source -> the one it stands for, such as a Cyrillic letter and its Latin double.
        pattern: what a well made one looks like, whole, once its spelling is canonical.
        width: shorter ones get zeros in front, up to so many characters, when that gives them the pattern.
        calling_code: of a telephone number, the country where it is written without one; all become +, code, number.
        trunk: the digit that is dialled before national numbers and falls away behind a country code.
        significant: how many characters, from the first on, tell one identifier from another; the rest is dropped.
        checks: check digits; a number too short to hold one is not held to it.
        unknown: words that stand for no identifier, besides the usual ones.
    """

    title: Text
    source: Text | None = None
    spelling: Spelling = "compact"
    same: dict[_Character, _Character] = Field(default_factory=dict, max_length=64)
    pattern: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    width: Annotated[int, Field(ge=2, le=40)] | None = None
    calling_code: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}$")] | None = None
    trunk: Annotated[str, Field(pattern=r"^[0-9]?$")] = "0"
    significant: Annotated[int, Field(ge=1, le=100)] | None = None
    checks: tuple[KnownCheck | WeightedSum, ...] = Field(default=(), max_length=4)
    unknown: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(default=(), max_length=100)
