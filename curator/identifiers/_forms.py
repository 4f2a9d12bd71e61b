"""The table of forms: what each identifier is, what its canonical spelling keeps, where its rule is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from curator.errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Form:
    """One kind of identifier.

    Attributes:
        name: the word used in specs.
        title: what it is, in a few words.
        meaning: what the canonical spelling is, and what `valid` asks.
        source: the standard or text that rules it.
    """

    name: str
    title: str
    meaning: str
    source: str


_CODES = "letters upper case without accents; spaces, dots, dashes, slashes, quotes, brackets removed"

_ALL = (
    Form(
        name="nir",
        title="French social security number",
        meaning=f"the 13 significant characters ({_CODES}); the 2-digit key is dropped when present. Valid: known "
        "shape, Corsica (2A, 2B) and temporary numbers (7, 8); the key is checked when all 15 characters are given",
        source="Décret n° 82-103 du 22 janvier 1982; INSEE, répertoire national d'identification (RNIPP)",
    ),
    Form(
        name="plate",
        title="French vehicle registration plate",
        meaning=f"{_CODES}. Valid: SIV AA123AA (no I, O, U, no SS; W123AA of garages) or FNI 1234AB75",
        source="Arrêté du 9 février 2009 relatif aux modalités d'immatriculation des véhicules",
    ),
    Form(
        name="phone",
        title="Telephone number",
        meaning="E.164: + and digits; 0X, 33, 0033, +33 and +33 (0) are one, overseas numbers take their own country "
        "code. Valid: +33 and 9 digits, or + and 7 to 15 digits elsewhere; short numbers name nobody and are not valid",
        source="ITU-T E.164; ARCEP, plan national de numérotation (décision n° 2018-0881)",
    ),
    Form(
        name="email",
        title="E-mail address",
        meaning="trimmed, lower case, Unicode NFC. Valid: a dot-atom, @, a domain name of two labels or more",
        source="RFC 5321 and RFC 5322 (dot-atom form), RFC 6531 for letters beyond ASCII",
    ),
    Form(
        name="name",
        title="Name of a person",
        meaning="upper case without accents (Œ gives OE), everything but letters and digits becomes one space. "
        "Valid: at least one letter and no digit",
        source="Unicode Standard Annex 15, form NFKD",
    ),
    Form(
        name="surname",
        title="Family name, whatever its particle",
        meaning="as `name`, without any space: DE LA TOUR, DELATOUR and De-la-Tour are one, as are LE GALL and LEGALL. "
        "The particle is kept: GAULLE is another name. Valid: at least one letter and no digit",
        source="Unicode Standard Annex 15, form NFKD; the practice of registers",
    ),
    Form(
        name="licence",
        title="French driving licence number",
        meaning=f"{_CODES}. Valid: 12 digits, or 2 digits, 2 letters and 5 digits (titles since 2013)",
        source="Arrêté du 20 avril 2012 fixant les conditions d'établissement du permis de conduire",
    ),
    Form(
        name="weapon",
        title="Number of a weapon permit, declaration or holder",
        meaning=f"{_CODES}. Valid: 6 to 20 letters and digits, 4 digits or more: no stricter shape is published",
        source="none public for the number; Code de la sécurité intérieure, livre III, titre Ier, for its meaning",
    ),
    Form(
        name="iban",
        title="International bank account number",
        meaning=f"{_CODES}. Valid: length of its country where it is known, and modulo 97 equal to 1",
        source="ISO 13616-1; ISO/IEC 7064, MOD 97-10",
    ),
    Form(
        name="siret",
        title="French establishment number",
        meaning=f"{_CODES}. Valid: 14 digits with the Luhn sum, or for La Poste (356000000) a digit sum multiple of 5",
        source="Code de commerce, art. R123-221; ISO/IEC 7812-1, annex B (Luhn)",
    ),
    Form(
        name="siren",
        title="French company number",
        meaning=f"{_CODES}. Valid: 9 digits with the Luhn sum",
        source="Code de commerce, art. R123-220; ISO/IEC 7812-1, annex B (Luhn)",
    ),
    Form(
        name="vin",
        title="Vehicle identification number",
        meaning=f"{_CODES}. Valid: 17 characters without I, O, Q; the check digit is asked where it is mandatory "
        "(first character 1 to 5, North America, and L, China): elsewhere makers use its place freely",
        source="ISO 3779; 49 CFR 565.15 (check digit); GB 16735",
    ),
    Form(
        name="date",
        title="Date as text",
        meaning="the ISO text, trimmed. Valid: a day of the Gregorian calendar, YYYY-MM-DD",
        source="ISO 8601-1, 5.2.2.1",
    ),
    Form(
        name="code",
        title="Any other code",
        meaning="trimmed, upper case, Unicode NFC; inner characters kept. Valid: always, when known",
        source="Unicode Standard Annex 15, form NFC",
    ),
    Form(
        name="raw",
        title="Kept as it is",
        meaning="unchanged, byte for byte; only the empty text becomes null. Valid: always, when known",
        source="none",
    ),
)

FORMS: Mapping[str, Form] = MappingProxyType({form.name: form for form in _ALL})
"""Every form by its name."""


def require_form(name: str) -> str:
    """The name when it is one of FORMS, else SpecError `identifier-form-unknown`."""
    if name in FORMS:
        return name
    raise SpecError(
        "identifier-form-unknown",
        asked="bring a column to its canonical spelling",
        found=f"the form {name!r}",
        expected=f"one of {', '.join(FORMS)}",
        todo="name one of these forms for the column; code suits most others, raw changes nothing",
    )
