"""One formula per row expectation: the condition under which a row is unexpected, in the expression language.

The language is three-valued and so is SQL; a bit of the mask is not. Every formula starts from the rows looked at
(`present`) and ends in a test that is never null. NaN counts as null, as in pandas, on which GX is defined here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from curator.suite._literals import NUMBERS, TEXTS, UnwritableError, literal, number, ordinal, text
from curator.suite._strftime import unreadable

Types = Mapping[str, str]
Arguments = Mapping[str, Any]

PAIR_DEFAULT = "both_values_are_missing"
LIST_DEFAULT = "all_values_are_missing"
_EITHER = ("either_value_is_missing", "any_value_is_missing")
_BOTH = (PAIR_DEFAULT, LIST_DEFAULT)


def null(column: str, types: Types) -> str:
    """True where a column holds nothing: null, or NaN in a float column (the only value above 0 with its negative)."""
    if types[column] == "float":
        return f"({column} is null or ({column} > 0 and -{column} > 0))"
    return f"{column} is null"


def present(column: str, types: Types) -> str:
    """True where a column holds a value."""
    return f"not {null(column, types)}" if types[column] == "float" else f"{column} is not null"


def ignored(columns: Sequence[str], types: Types, *, ignore: str) -> str | None:
    """True where GX's `ignore_row_if` leaves a row out; None when it leaves none.

    Raises:
        UnwritableError: an unknown word.
    """
    if ignore in _BOTH:
        return "(" + " and ".join(null(column, types) for column in columns) + ")"
    if ignore in _EITHER:
        return "(" + " or ".join(null(column, types) for column in columns) + ")"
    if ignore in ("neither", "never"):
        return None
    raise UnwritableError("an unknown `ignore_row_if`", expected=", ".join((*_BOTH, *_EITHER, "neither", "never")))


def fails(name: str, arguments: Arguments, *, types: Types) -> str:
    """The formula of an expectation.

    Args:
        name: its Great Expectations name, of scope `row` in `EXPECTATIONS`.
        arguments: its arguments.
        types: column -> logical type.

    Returns:
        A formula that is true where the row is unexpected and never null.

    Raises:
        UnwritableError: an argument that does not fit.
    """
    return _BUILDERS[name](arguments, types)


class _Value(NamedTuple):
    """What a condition is on: a column, or an expression on one, and its type."""

    column: str
    kind: str


def _of_value(condition: Callable[[_Value, Arguments], str]) -> Callable[[Arguments, Types], str]:
    """Of a condition on a value that is there, the condition on any row."""

    def build(arguments: Arguments, types: Types) -> str:
        column = arguments["column"]
        return f"{present(column, types)} and {condition(_Value(column, types[column]), arguments)}"

    return build


def _members(kind: str, arguments: Arguments) -> list[str]:
    values = arguments["value_set"]
    if not isinstance(values, list):
        raise UnwritableError("a `value_set` that is not a list", expected="a list of values")
    return [literal(value, kind) for value in values if value is not None]


def _outside(value: _Value, arguments: Arguments) -> str:
    members = _members(value.kind, arguments)
    return f"{value.column} not in ({', '.join(members)})" if members else "true"


def _inside(value: _Value, arguments: Arguments) -> str:
    members = _members(value.kind, arguments)
    return f"{value.column} in ({', '.join(members)})" if members else "false"


def _not_between(value: _Value, arguments: Arguments) -> str:
    column, kind = value
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if low is None and high is None:
        raise UnwritableError("neither `min_value` nor `max_value`", expected="at least one bound")
    outside = []
    if low is not None:
        outside.append(f"{column} {'<=' if _flag(arguments, 'strict_min') else '<'} {literal(low, kind)}")
    if high is not None:
        outside.append(f"{column} {'>=' if _flag(arguments, 'strict_max') else '>'} {literal(high, kind)}")
    if low is not None and high is not None and ordinal(low, kind) > ordinal(high, kind):
        raise UnwritableError("`min_value` above `max_value`", expected="the smaller bound first")
    return "(" + " or ".join(outside) + ")"


def _flag(arguments: Arguments, name: str) -> bool:
    value = arguments.get(name, False)
    if not isinstance(value, bool):
        raise UnwritableError(f"`{name}` that is neither true nor false", expected="true or false")
    return value


def _length_outside(value: _Value, arguments: Arguments) -> str:
    for bound in ("min_value", "max_value"):
        _whole(arguments.get(bound, 0))
    return _not_between(_Value(f"length({value.column})", "integer"), arguments)


def _length_not(value: _Value, arguments: Arguments) -> str:
    return f"length({value.column}) <> {_whole(arguments['value'])}"


def _whole(value: Any) -> str:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise UnwritableError("a length that is not a whole number", expected="a whole number")
    return "0" if value is None else number(value)


def _patterns(column: str, arguments: Arguments) -> list[str]:
    patterns = arguments["regex_list"]
    if not isinstance(patterns, list) or not patterns:
        raise UnwritableError("a `regex_list` that is not a list of patterns", expected="a list of one pattern or more")
    return [f"finds({column}, {text(pattern)})" for pattern in patterns]


def _no_pattern(value: _Value, arguments: Arguments) -> str:
    match_on = arguments.get("match_on", "any")
    if match_on not in ("any", "all"):
        raise UnwritableError("an unknown `match_on`", expected="any, all")
    glue = " or " if match_on == "any" else " and "
    return f"not ({glue.join(_patterns(value.column, arguments))})"


def _some_pattern(value: _Value, arguments: Arguments) -> str:
    return f"({' or '.join(_patterns(value.column, arguments))})"


def _pair(condition: Callable[[tuple[str, str], Arguments], str]) -> Callable[[Arguments, Types], str]:
    """Of a comparison of two columns, its failure: a missing side never compares well, as in pandas."""

    def build(arguments: Arguments, types: Types) -> str:
        pair = (arguments["column_A"], arguments["column_B"])
        _alike(pair, types)
        met = condition(pair, arguments)
        nan = [null(column, types) for column in pair if types[column] == "float"]
        failing = "(" + " or ".join([f"({met}) is not true", *nan]) + ")"
        left_out = ignored(pair, types, ignore=arguments.get("ignore_row_if", PAIR_DEFAULT))
        return f"not {left_out} and {failing}" if left_out else failing

    return build


def _greater(pair: tuple[str, str], arguments: Arguments) -> str:
    left, right = pair
    return f"{left} {'>=' if _flag(arguments, 'or_equal') else '>'} {right}"


def _equal(pair: tuple[str, str], arguments: Arguments) -> str:
    return " = ".join(pair)


def _repeated_within(arguments: Arguments, types: Types) -> str:
    """Two columns of one row hold the same value, or nothing both (pandas' `nunique(dropna=False)`)."""
    columns = arguments["column_list"]
    _alike(columns, types)
    same = [
        f"coalesce({one} = {other}, {null(one, types)} and {null(other, types)})"
        for place, one in enumerate(columns)
        for other in columns[place + 1 :]
    ]
    left_out = ignored(columns, types, ignore=arguments.get("ignore_row_if", LIST_DEFAULT))
    return (f"not {left_out} and " if left_out else "") + f"({' or '.join(same)})"


def _alike(columns: Sequence[str], types: Types) -> None:
    if len(columns) < 2:
        raise UnwritableError("fewer than two columns", expected="two columns or more")
    families = {_family(types[column]) for column in columns}
    if len(families) > 1:
        raise UnwritableError("columns of types that do not compare", expected="columns of one type")


def _family(kind: str) -> str:
    return "number" if kind in NUMBERS else "text" if kind in TEXTS else kind


_BUILDERS: dict[str, Callable[[Arguments, Types], str]] = {
    "expect_column_values_to_not_be_null": lambda given, types: null(given["column"], types),
    "expect_column_values_to_be_null": lambda given, types: present(given["column"], types),
    "expect_column_values_to_be_in_set": _of_value(_outside),
    "expect_column_values_to_not_be_in_set": _of_value(_inside),
    "expect_column_values_to_match_regex": _of_value(
        lambda value, given: f"not finds({value.column}, {text(given['regex'])})"
    ),
    "expect_column_values_to_not_match_regex": _of_value(
        lambda value, given: f"finds({value.column}, {text(given['regex'])})"
    ),
    "expect_column_values_to_match_regex_list": _of_value(_no_pattern),
    "expect_column_values_to_not_match_regex_list": _of_value(_some_pattern),
    "expect_column_values_to_be_between": _of_value(_not_between),
    "expect_column_value_lengths_to_be_between": _of_value(_length_outside),
    "expect_column_value_lengths_to_equal": _of_value(_length_not),
    "expect_column_values_to_match_strftime_format": _of_value(
        lambda value, given: unreadable(value.column, given["strftime_format"])
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(_greater),
    "expect_column_pair_values_to_be_equal": _pair(_equal),
    "expect_select_column_values_to_be_unique_within_record": _repeated_within,
}
"""Expectation name -> builder of its formula."""
