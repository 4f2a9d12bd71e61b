"""The canonical forms that a spec may name, and what is wrong with those it declares itself."""

from __future__ import annotations

from collections.abc import Iterator

from curator.expressions import regex_is_safe
from curator.spec.model import IdentifierForm, UseCase, WeightedSum
from curator.spec.scope import PathKey, Scope, Trouble

FORMS = (
    "nir", "plate", "phone", "email", "name", "surname", "licence", "weapon", "iban", "siret", "siren", "vin", "date",
    "code", "raw",
)  # fmt: skip
"""Canonical forms of identifiers, as `curator.identifiers` implements them."""

_OF_A_PATTERN = ("width", "calling_code", "significant", "checks")


def form_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """Declared forms that take a known name, that no field uses, or whose words do not go together."""
    used = {field.form for field in spec.fields.values()}
    for name, form in spec.forms.items():
        path: PathKey = ("forms", name)
        if name in FORMS:
            yield Trouble(path, "the name of a form that curator has", "another name, such as `national-" + name + "`")
        elif name not in used:
            yield Trouble(path, "a form that no field names", "`form: " + name + "` at a field, or no such form")
        yield from _words(path, form)


def _words(path: PathKey, form: IdentifierForm) -> Iterator[Trouble]:
    if form.pattern is None:
        for word in _OF_A_PATTERN:
            if getattr(form, word):
                yield Trouble((*path, word), f"`{word}` without `pattern`", "the `pattern` of a well made identifier")
    elif (reason := regex_is_safe(form.pattern)) is not None:
        yield Trouble((*path, "pattern"), f"a pattern outside the portable ones: {reason}", "a simpler pattern")
    if form.calling_code and form.spelling != "compact":
        yield Trouble((*path, "spelling"), f"`{form.spelling}` of a telephone number", "`spelling: compact`")
    for place, check in enumerate(form.checks):
        if isinstance(check, WeightedSum) and check.symbols is not None and len(check.symbols) != check.modulo:
            found = f"{len(check.symbols)} symbols for {check.modulo} rests"
            yield Trouble((*path, "checks", place, "symbols"), found, "one symbol for each rest, from 0 on")
