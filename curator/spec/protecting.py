"""The rules of the words that protect a field: which word goes with which protection, and what each one needs."""

from __future__ import annotations

from collections.abc import Iterator

from curator.spec.model import OutputField, UseCase
from curator.spec.scope import PathKey, Scope, Trouble, try_parse

NUMBERS = ("integer", "decimal", "float")
DAYS = ("date", "timestamp")

# `form`, `domain` and `value` are held to their protection by `curator.spec.checks`.
_WORDS: dict[str, tuple[str, ...]] = {
    "token": ("method", "malformed"),
    "shift": ("by", "days"),
    "jitter": ("by", "metres", "latitude"),
    "clamp": ("least", "most"),
    "round": ("to",),
    "merge_rare": ("fewer_than", "other"),
    "mask": ("mask",),
}
_NEEDED = {"shift": ("days",), "jitter": ("metres", "by"), "round": ("to",), "merge_rare": ("fewer_than", "other")}
_TYPES = {
    "shift": DAYS,
    "jitter": ("float", "decimal"),
    "clamp": NUMBERS,
    "round": NUMBERS,
    "mask": ("free_text",),
    "merge_rare": ("text", "integer"),
}
_TOLD = {
    "shift": "a date or timestamp column",
    "jitter": "a coordinate in degrees, of type float or decimal",
    "clamp": "a column of numbers",
    "round": "a column of numbers",
    "merge_rare": "a column of text or whole numbers, whose values are categories",
    "mask": "a column of type free_text",
}


def protection_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """What is wrong with the words that protect fields, beyond tokens' forms and coarser values."""
    for name, field in spec.fields.items():
        path: PathKey = ("fields", name)
        yield from _words(path, field)
        kind = scope.types.get(field.from_ or name)
        if field.protect in _TYPES and kind is not None and kind not in _TYPES[field.protect]:
            yield Trouble((*path, "protect"), f"`{field.protect}` of a column of type {kind}", _TOLD[field.protect])
        yield from _columns(path, field, scope=scope)


def engine_formula(name: str, field: OutputField, *, scope: Scope) -> str | None:
    """The formula of a field whose value the engine computes: coarser, clamped or rounded; None for any other.

    A null stays null. Clamping and rounding are written in the expression language, so every engine gives one value.
    """
    if field.protect == "generalise":
        return field.value
    origin = field.from_ or name
    if field.protect == "round" and field.to:
        half = f"{field.to // 2}" if field.to % 2 == 0 else f"{field.to / 2}"
        return f"band({origin} + {half}, {field.to})"
    if field.protect != "clamp":
        return None
    formula, whole = origin, scope.types.get(origin) == "integer"
    for function, bound in (("greatest", field.least), ("least", field.most)):
        if bound is not None:
            formula = f"{function}({formula}, {_number(bound, whole=whole)})"
    return f"case when {origin} is not null then {formula} end"


def written_type(name: str, field: OutputField, *, scope: Scope) -> str | None:
    """The logical type of a field as it is written, `token` for pseudonyms; None where its formula is not sound."""
    if field.protect in ("token", "mask"):
        return "token" if field.protect == "token" else "text"
    if field.protect == "generalise":
        expression, _ = try_parse(field.value or "", scope.types, path=())
        return expression.type if expression else None
    return scope.types.get(field.from_ or name)


def _number(value: float, *, whole: bool) -> str:
    return str(int(value)) if whole or value == int(value) else f"{value:.15f}".rstrip("0")


def _words(path: PathKey, field: OutputField) -> Iterator[Trouble]:
    for protection, words in _WORDS.items():
        for word in words:
            foreign = protection != field.protect and word not in _WORDS.get(field.protect, ())
            if foreign and getattr(field, word) is not None:
                owners = [f"`protect: {owner}`" for owner, others in _WORDS.items() if word in others]
                yield Trouble((*path, word), f"`{word}` with `protect: {field.protect}`", " or ".join(owners))
    for word in _NEEDED.get(field.protect, ()):
        if getattr(field, word) is None:
            yield Trouble((*path, "protect"), f"`{field.protect}` without `{word}`", f"`{word}`, see the manual")
    if field.protect == "clamp":
        yield from _bounds(path, field)


def _bounds(path: PathKey, field: OutputField) -> Iterator[Trouble]:
    if field.least is None and field.most is None:
        yield Trouble((*path, "protect"), "`clamp` without a bound", "`least`, `most` or both")
    elif field.least is not None and field.most is not None and field.least >= field.most:
        yield Trouble((*path, "most"), "a highest value that is not above the lowest", "`most` above `least`")


def _columns(path: PathKey, field: OutputField, *, scope: Scope) -> Iterator[Trouble]:
    for column in field.by or ():
        if column not in scope.types:
            yield Trouble((*path, "by"), f"`{column}`, which is no column here", "a declared or derived column")
        elif scope.types[column] in ("float", "free_text"):
            yield Trouble((*path, "by"), f"`{column}` of type {scope.types[column]}", "a column with exact values")
    if field.latitude is not None and scope.types.get(field.latitude) not in ("float", "decimal"):
        yield Trouble((*path, "latitude"), f"`{field.latitude}`", "the column of the latitude, in degrees")
    if field.protect == "merge_rare" and field.other is not None:
        kind = scope.types.get(field.from_ or str(path[1]))
        if kind in ("text", "integer") and isinstance(field.other, int) != (kind == "integer"):
            yield Trouble((*path, "other"), f"a category of another type than {kind}", f"one of type {kind}")
    whole = scope.types.get(field.from_ or "") == "integer" or scope.types.get(str(path[1])) == "integer"
    for word in ("least", "most"):
        bound = getattr(field, word)
        if field.protect == "clamp" and whole and bound is not None and bound != int(bound):
            yield Trouble((*path, word), "a bound with decimals on a column of whole numbers", "a whole number")
