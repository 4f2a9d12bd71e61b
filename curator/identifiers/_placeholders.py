"""Words that people type where there is no identifier: they must become null, never one shared person."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.identifiers._column import Column, Mask, from_texts, indices, mask_of, to_arrow

PLACEHOLDERS: tuple[str, ...] = (
    "N/A", "NA", "N.A.", "NAN", "NULL", "NONE", "ND", "N.D.", "NC", "N.C.", "NR", "N.R.", "NSP", "VIDE", "EMPTY",
    "INCONNU", "INCONNUE", "INCONNUS", "INCONNUES", "UNKNOWN", "UNK", "SANS", "SANS OBJET", "NEANT", "NÉANT",
    "AUCUN", "AUCUNE", "NON RENSEIGNE", "NON RENSEIGNÉ", "NON RENSEIGNEE", "NON RENSEIGNÉE", "NON COMMUNIQUE",
    "NON COMMUNIQUÉ", "NON CONNU", "NON DISPONIBLE", "NON APPLICABLE", "NON DETERMINE", "NON DÉTERMINÉ", "NON DEFINI",
    "NON DÉFINI", "A COMPLETER", "À COMPLÉTER", "A RENSEIGNER", "À RENSEIGNER", "ABSENT", "ANONYME", "TBD", "TODO",
)  # fmt: skip
"""Upper-case words that mean no value, in every form but `raw`. Beside them: only punctuation, only zeros, only X, and
for numbers five nines or more. A code that is really "NA" (a country) must be declared `raw`."""

_FILLER = r"^(?:[[:punct:]\s]+|[Xx]+|\+?0+)$"
_NUMBER_FILLER = r"^(?:[[:punct:]\s]+|[Xx]+|\+?0+|9{5,})$"
_DATE_FILLER = r"^(?:[0[:punct:]\s]+|[Xx[:punct:]\s]+)$"
_NUMBERS = frozenset({"nir", "phone", "siren", "siret", "licence"})


def unknown(column: Column, form: str) -> Mask:
    """Which values say nothing: empty, or a placeholder. The column is in its canonical spelling."""
    verdict: Mask = column.lengths == 0
    candidates = np.flatnonzero(_beginnings()[column.leading().astype(np.uint16)])
    if len(candidates):
        verdict[candidates] |= _is_placeholder(to_arrow(column.all_known()).take(indices(candidates)), form)
    return verdict


def _is_placeholder(values: pa.Array, form: str) -> Mask:
    filler = _DATE_FILLER if form == "date" else _NUMBER_FILLER if form in _NUMBERS else _FILLER
    words = pc.is_in(pc.utf8_upper(values), _words())
    return mask_of(words) | mask_of(pc.match_substring_regex(values, filler))


@cache
def _words() -> pa.Array:
    """Every placeholder as it may stand after cleaning: as written, without accents, spaced or end to end."""
    return to_arrow(from_texts([word.encode() for word in sorted(_spellings())]))


@cache
def _spellings() -> frozenset[str]:
    plain = {word.replace("É", "E").replace("À", "A") for word in PLACEHOLDERS}
    spaced = {" ".join(word.replace(".", " ").replace("/", " ").split()) for word in plain}
    return frozenset(PLACEHOLDERS) | plain | spaced | {word.replace(" ", "") for word in spaced}


@cache
def _beginnings() -> Mask:
    """Which two first bytes, read little-endian, a placeholder can have: a cheap test that most rows fail."""
    table = np.zeros((256, 256), np.bool_)
    for word in _spellings() | {word.lower() for word in _spellings()}:
        first, second = (word.encode() + b"\0")[:2]
        table[second, first] = True
        table[second ^ 0x20, first] = True  # the other case, for a mixed spelling
    marks = [byte for byte in range(1, 128) if not chr(byte).isalnum()]
    for alike in (marks, list(b"Xx"), list(b"0"), list(b"9"), [*marks, *b"0"], [*marks, *b"Xx"]):
        table[np.ix_([0, *alike], alike)] = True
    return table.reshape(-1)
