"""`strptime` formats as regular expressions, so that a date written as text is judged by pattern alone.

Python's `datetime.strptime` (which Great Expectations calls) reads one or two digits for a month, a day, an hour, a
minute or a second, letters of the format in either case, and refuses days that do not exist. The same texts are
accepted here, by a pattern of the right shape and patterns of what no calendar has. Source of the alternatives: the
documented behaviour of `strptime` ("leading zero is optional") and the Gregorian leap rule (ISO 8601-1:2019, 4.2.1).
Digits are ASCII digits and a space of the format is one or more spaces: no other digit or blank is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.suite._literals import UnwritableError, text

_SHAPES: dict[str, str] = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "(1[0-2]|0[1-9]|[1-9])",
    "d": "(3[01]|[12][0-9]|0[1-9]|[1-9]| [1-9])",
    "H": "(2[0-3]|[01][0-9]|[0-9])",
    "M": "([0-5][0-9]|[0-9])",
    "S": "([0-5][0-9]|[0-9])",
}
_NOT_BY_4 = "([02468][1235679]|[13579][01345789])"
_COMMON_YEARS = {"Y": f"([0-9][0-9]{_NOT_BY_4}|{_NOT_BY_4}00)", "y": _NOT_BY_4}

_PIECE = re.compile(r"%(.)|(\s+)|(.)", re.DOTALL)


def unreadable(column: str, layout: str) -> str:
    """The condition that a text does not have a `strptime` layout or names a day that does not exist.

    Args:
        column: name of a text column; the condition is null where it is null.
        layout: the format; directives %Y %y %m %d %H %M %S and %%.

    Raises:
        UnwritableError: another directive, one twice, or two of variable width side by side that read two ways.
    """
    pieces = _pieces(layout)
    names = [name for name, _ in pieces if name]
    conditions = [f"not matches({column}, {text(_pattern(pieces, {}))})"]
    for impossible in _impossible(names):
        conditions.append(f"matches({column}, {text(_pattern(pieces, impossible))})")
    return "(" + " or ".join(conditions) + ")"


def _impossible(names: list[str]) -> list[Mapping[str, str]]:
    """What no calendar has, as narrower shapes of some directives. Without a year, strptime means 1900."""
    year = "Y" if "Y" in names else "y"
    cases: list[Mapping[str, str]] = []
    if "Y" in names:
        cases.append({"Y": "0000"})
    if "d" in names and "m" in names:
        cases.append({"m": "(0?[2469]|11)", "d": "31"})
        cases.append({"m": "0?2", "d": "30"})
        cases.append({"m": "0?2", "d": "29"} | ({year: _COMMON_YEARS[year]} if year in names else {}))
    return cases


def _pattern(pieces: list[tuple[str, str]], narrower: Mapping[str, str]) -> str:
    return "".join(narrower.get(name, _SHAPES[name]) if name else plain for name, plain in pieces)


def _pieces(layout: str) -> list[tuple[str, str]]:
    """Directive or ("", pattern of plain text), in order."""
    pieces: list[tuple[str, str]] = []
    for match in _PIECE.finditer(layout):
        directive, blank, plain = match.groups()
        if directive is not None and directive != "%":
            _check(directive, before=[name for name, _ in pieces])
            pieces.append((directive, ""))
        elif blank:
            pieces.append(("", " +"))
        else:
            pieces.append(("", _plain(plain or "%")))
    if not pieces:
        raise UnwritableError("an empty format", expected="a format such as %Y-%m-%d")
    return pieces


def _check(directive: str, *, before: list[str]) -> None:
    if directive not in _SHAPES:
        raise UnwritableError(f"the directive %{directive}", expected="%Y %y %m %d %H %M %S and plain text")
    if directive in before or (directive in "Yy" and {"Y", "y"} & set(before)):
        raise UnwritableError(f"the directive %{directive} twice", expected="each directive once")
    if directive in "md" and before and before[-1] in ("H", "M", "S"):
        raise UnwritableError(f"%{directive} right after %{before[-1]}", expected="a separator between them")


def _plain(character: str) -> str:
    """One character in either case, as strptime reads it."""
    lower, upper = character.lower(), character.upper()
    if lower != upper and len(lower) == len(upper) == 1:
        return f"[{upper}{lower}]"
    return re.sub(r"[.+*?()\[\]{}|^$\\]", r"\\\g<0>", character)
