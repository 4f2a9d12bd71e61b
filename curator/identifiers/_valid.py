"""Verdicts: the shape by a regular expression (RE2, linear in time), then the check digits of what has the shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.identifiers._canonical import canonical, cleaned, declared, each_chunk, finished
from curator.identifiers._checks import date_holds, iban_holds, luhn_holds, nir_key_holds, siret_holds, vin_holds
from curator.identifiers._column import Column, Mask, Octets, booleans, indices, mask_of, to_arrow
from curator.identifiers._declared import DeclaredForm
from curator.identifiers._forms import require_form
from curator.identifiers._quick import accepted

# Months above 12 stand for an incomplete record of birth (20 to 42, 50 to 99); 7 and 8 begin temporary numbers.
_MONTH = r"(?:0[1-9]|1[0-2]|[23]\d|4[0-2]|[5-9]\d)"
_DEPARTMENT = r"(?:0[1-9]|[1-9]\d|2[AB])"
_ORDER = r"(?:00[1-9]|0[1-9]\d|[1-9]\d{2})"
_NIR = rf"^(?:[1-4]\d{{2}}{_MONTH}{_DEPARTMENT}\d{{3}}{_ORDER}|[78]\d{{4}}(?:\d{{2}}|2[AB])\d{{6}})(?:\d{{2}})?$"

_LETTER, _LETTER_NOT_S = "[A-HJ-NP-TV-Z]", "[A-HJ-NP-RTV-Z]"
_PAIR = f"(?:{_LETTER_NOT_S}{_LETTER}|S{_LETTER_NOT_S})"  # SS is not given
_SIV = rf"(?:{_PAIR}|W)(?:00[1-9]|0[1-9]\d|[1-9]\d{{2}}){_PAIR}"
_FNI = r"[1-9]\d{0,3}[A-HJ-NP-Z]{1,3}(?:0[1-9]|[1-8]\d|9[0-5]|97[1-6]|2[AB])"

_ATOM = r"[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?"
_LAST_LABEL = r"(?:[\p{L}\p{M}]{2}[\p{L}\p{M}]*|xn--[a-z0-9-]+)"  # counted repeats of \p{L} would cost microseconds
_EMAIL = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LAST_LABEL}$"

_SHAPES: Mapping[str, tuple[str, ...]] = {
    "nir": (_NIR,),
    "plate": (f"^(?:{_SIV}|{_FNI})$",),
    "phone": (r"^\+(?:33[1-9]\d{8}|[124-9]\d{6,14}|3[0-24-9]\d{5,13})$",),
    "email": (_EMAIL, r"^[^@]{1,64}@", r"^.{1,254}$"),  # RFC 5321, 4.5.3.1
    "name": (r"\p{L}", r"^[^0-9]*$"),
    "surname": (r"\p{L}", r"^[^0-9]*$"),
    "weapon": (r"^[0-9A-Z]{6,20}$", r"[0-9].*[0-9].*[0-9].*[0-9]"),
    "licence": (r"^(?:\d{12}|\d{2}[A-Z]{2}\d{5})$",),
    "iban": (r"^[A-Z]{2}\d{2}[0-9A-Z]{11,30}$",),
    "siret": (r"^\d{14}$",),
    "siren": (r"^\d{9}$",),
    "vin": (r"^[0-9A-HJ-NPR-Z]{17}$",),
    "date": (r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$",),
}
_CHECKS: Mapping[str, Callable[[Octets], Mask]] = {
    "nir": nir_key_holds,
    "iban": iban_holds,
    "siret": siret_holds,
    "siren": luhn_holds,
    "vin": vin_holds,
    "date": date_holds,
}
_LENGTHS: Mapping[str, Iterable[int]] = {
    "nir": (15,),
    "iban": range(15, 35),
    "siret": (14,),
    "siren": (9,),
    "vin": (17,),
    "date": (10,),
}


def valid(array: pa.Array | pa.ChunkedArray, form: str | DeclaredForm) -> pa.BooleanArray:
    """Say of each value whether its canonical spelling obeys the rules of its form (see FORMS and its sources).

    A social security number given with its key (15 characters) is checked against it; given with 13, only its shape
    can be. A valid identifier is well made: that it was ever attributed is another question.

    Args:
        array: text, as for `canonical`; it need not be canonical.
        form: a name in FORMS, or a form that a spec declares.

    Returns:
        A boolean array of the same length; null where `canonical` gives null: an unknown value is not a wrong one, and
        whether it may be missing is a question of completeness.

    Raises:
        SpecError: `identifier-form-unknown`.
        UsageError: `identifier-type`, `column-too-long`, as for `canonical`.
    """
    if isinstance(form, DeclaredForm):
        return each_chunk(array, lambda chunk: declared(chunk, form)[1])
    require_form(form)
    return each_chunk(array, partial(_valid, form=form))


def examined(array: pa.Array | pa.ChunkedArray, form: str | DeclaredForm) -> tuple[pa.Array, pa.BooleanArray]:
    """`canonical` and `valid` of one column together; arguments, results and errors as theirs."""
    if not isinstance(array, pa.Array) or not pa.types.is_string(array.type):
        return canonical(array, form), valid(array, form)
    if isinstance(form, DeclaredForm):
        return declared(array, form)
    require_form(form)
    written = cleaned(array, form)
    column = finished(written, form)
    return to_arrow(column), _verdicts(written if form == "nir" else column, form=form, known=column.known)


def _valid(array: pa.Array, *, form: str) -> pa.BooleanArray:
    written = cleaned(array, form)
    column = finished(written, form)
    return _verdicts(written if form == "nir" else column, form=form, known=column.known)


def _verdicts(written: Column, *, form: str, known: Mask | None) -> pa.BooleanArray:
    verdict = _has_shape(written, form)
    for length in _LENGTHS.get(form, ()):
        rows = verdict & (written.lengths == length)
        if rows.any():
            verdict[rows] = _CHECKS[form](written.matrix(written.ends[:-1][rows], width=length))
    return booleans(verdict, known=known)


def _has_shape(column: Column, form: str) -> Mask:
    verdict = accepted(column, form)
    rest = np.flatnonzero(~verdict)
    if not len(rest):
        return verdict
    values = to_arrow(column.all_known())
    if 2 * len(rest) < len(verdict):
        values = values.take(indices(rest))
    else:
        rest = np.arange(len(verdict))
    holds = np.ones(len(rest), np.bool_)
    for pattern in _SHAPES.get(form, ()):
        holds &= mask_of(pc.match_substring_regex(values, pattern))
    verdict[rest] = holds
    return verdict
