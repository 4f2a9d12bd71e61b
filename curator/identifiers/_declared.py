"""Forms that a spec declares: the same few operations on whole columns, chosen by words instead of by name.

The spelling is cleaned as that of a form we know; what has the declared pattern, maybe once zeros or a calling code
stand before it, is well made, and only that is cut to its significant characters. Anything else is only cleaned, so
that two different values stay different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.expressions import portable
from curator.identifiers._checks import luhn_holds, mod_11_10_holds, mod_97_10_holds, weighted_holds
from curator.identifiers._column import Mask, Octets, booleans, from_arrow, mask_of
from curator.spec.model import IdentifierForm, WeightedSum

CLEANED_AS = {"compact": "plate", "words": "name", "upper": "code", "lower": "email", "exact": "raw"}
"""The known form whose cleaning a declared spelling is."""

_DIGITS = r"^[0-9]+$"
_KNOWN = {"luhn": luhn_holds, "mod-11-10": mod_11_10_holds, "mod-97-10": mod_97_10_holds}


@dataclass(frozen=True, kw_only=True)
class DeclaredForm:
    """A form by its name in the spec, and its words there; `canonical`, `valid` and `examined` take it like a name."""

    name: str
    words: IdentifierForm

    @property
    def cleaned_as(self) -> str:
        """The known form with the same cleaning."""
        return CLEANED_AS[self.words.spelling]


def spelt(values: pa.Array, form: DeclaredForm) -> tuple[pa.Array, pa.BooleanArray]:
    """Cleaned values in their canonical spelling, and which of them are well made; nulls stay null."""
    for mark, double in sorted(form.words.same.items()):
        values = pc.replace_substring(values, mark, double)
    if form.words.pattern is None:
        return values, pc.is_valid(values)
    if form.words.calling_code and form.words.trunk:
        values = _without_trunk(values, form)
    for offered in _candidates(values, form.words):
        values = pc.if_else(pc.and_(_shaped(offered, form), pc.invert(_shaped(values, form))), offered, values)
    sound = _checked(values, mask_of(_shaped(values, form)), words=form.words)
    if form.words.significant is not None:
        cut = pc.utf8_slice_codeunits(values, 0, form.words.significant)
        values = pc.if_else(booleans(sound, known=None), cut, values)
    return values, booleans(sound, known=None)


def _candidates(values: pa.Array, words: IdentifierForm) -> Iterator[pa.Array]:
    """Other spellings of the same identifiers, the likeliest first."""
    if words.width is not None:
        yield pc.utf8_lpad(values, width=words.width, padding="0")
    if words.calling_code is not None:
        yield from _numbers(values, code=words.calling_code, trunk=words.trunk)


def _numbers(values: pa.Array, *, code: str, trunk: str) -> Iterator[pa.Array]:
    """Telephone numbers (ITU-T E.164): 00 is +, and no trunk digit stands behind a country code."""
    abroad = pc.replace_substring_regex(values, "^00", "+")
    yield abroad
    if trunk:
        yield pc.replace_substring_regex(values, f"^{trunk}", f"+{code}")
    else:
        bare = pc.match_substring_regex(values, _DIGITS)
        yield pc.if_else(bare, pc.binary_join_element_wise(f"+{code}", values, ""), values)
    yield pc.replace_substring_regex(values, f"^{code}", f"+{code}")


def _without_trunk(values: pa.Array, form: DeclaredForm) -> pa.Array:
    """Telephone numbers of the form's own country written with both its code and the trunk digit, `+44 (0)20`."""
    code, trunk = form.words.calling_code, form.words.trunk
    offered = pc.replace_substring_regex(values, rf"^(?:\+|00)?{code}{trunk}", f"+{code}")
    return pc.if_else(_shaped(offered, form), offered, values)


def _shaped(values: pa.Array, form: DeclaredForm) -> pa.BooleanArray:
    pattern = portable(form.words.pattern or "", "duckdb", full=True)
    return pc.fill_null(pc.match_substring_regex(values, pattern), False)


def _checked(values: pa.Array, shaped: Mask, *, words: IdentifierForm) -> Mask:
    """Which of the values with the pattern hold their check digits too."""
    if not words.checks:
        return shaped
    column = from_arrow(values)
    sound, lengths = shaped.copy(), column.lengths
    ascii_rows = mask_of(pc.fill_null(pc.string_is_ascii(values), False))
    sound &= ascii_rows  # a check digit is defined on figures and Latin letters
    for length in np.unique(lengths[sound]).tolist():
        rows = sound & (lengths == length)
        cells = column.matrix(column.ends[:-1][rows], width=length)
        holds = np.ones(len(cells), np.bool_)
        for check in words.checks:
            holds &= _holds(cells, check)
        sound[rows] = holds
    return sound


def _holds(cells: Octets, check: str | WeightedSum) -> Mask:
    if isinstance(check, str):
        return _KNOWN[check](cells)
    return weighted_holds(
        cells, weights=check.weights, modulo=check.modulo, symbols=check.symbols, letters=check.letters
    )
