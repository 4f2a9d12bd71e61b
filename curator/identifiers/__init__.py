"""Identifiers: one canonical spelling and one verdict for each, so that a person has one token on every engine.

Registers spell the same plate "ab-123-cd" and "AB 123 CD", the same name with a composed or a combining accent, and an
unknown person "", "N/A" or "INCONNU". `canonical` brings each to one spelling and the unknown ones to null, so that all
the unknown people never become one person; `valid` says whether the spelling obeys the identifier's own rules (shape
and check digits). `FORMS` lists the kinds of identifier and where their rule stands; a spec may declare others
(`DeclaredForm`).

    >>> canonical(pa.array(["ab-123-cd", "AB 123 CD", "n/a", None]), "plate").to_pylist()
    ['AB123CD', 'AB123CD', None, None]
"""

from curator.identifiers._canonical import canonical
from curator.identifiers._checks import nir_key, vin_check
from curator.identifiers._declared import DeclaredForm
from curator.identifiers._forms import FORMS, Form
from curator.identifiers._placeholders import PLACEHOLDERS
from curator.identifiers._valid import examined, valid

__all__ = ["FORMS", "PLACEHOLDERS", "DeclaredForm", "Form", "canonical", "examined", "nir_key", "valid", "vin_check"]
