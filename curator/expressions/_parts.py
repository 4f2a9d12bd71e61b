"""Conditions taken apart, so that a source can apply what concerns it alone before a row leaves it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from curator.expressions._build import MAX_DEPTH
from curator.expressions._expression import Expression
from curator.expressions._functions import FUNCTIONS
from curator.expressions._model import Function
from curator.expressions._nodes import (
    Among,
    Between,
    Call,
    Case,
    Column,
    Compare,
    Constant,
    Is,
    Logic,
    Negative,
    Node,
    Not,
    walk,
)

Operator: TypeAlias = Literal["IS NULL", "IS NOT NULL", "=", "<>", "<", "<=", ">", ">=", "IN"]
_TURNED: dict[str, Operator] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_KEPT: dict[str, Operator] = {operator: operator for operator in _TURNED.values()}
_STRICT = Function.__dataclass_fields__["nulls"].default
_MOST = 1_000  # values of one IN


@dataclass(frozen=True, kw_only=True)
class Range:
    """One test that every database answers alike: a null test, or an integer or date column against plain values.

    A timestamp column against days means their midnights.

    Attributes:
        column: declared column.
        operator: of SQL.
        values: none for a null test, one for a comparison, some for `IN`.
    """

    column: str
    operator: Operator
    values: tuple[int | datetime.date, ...] = ()


def conjuncts(condition: Expression) -> tuple[Expression, ...]:
    """The conditions that must all hold for the whole to hold (three-valued AND; ISO/IEC 9075-2, 8.21).

    Args:
        condition: a condition; each part keeps its text, for its own is not known.
    """
    return tuple(_expression(part, condition.text) for part in _ands(condition._root))


def in_terms_of(condition: Expression, derived: Mapping[str, Expression]) -> Expression | None:
    """A condition in which the names of derived columns are replaced by their formulas, until none is left.

    Args:
        condition: a checked expression.
        derived: name -> formula, in an order where each may use those before it.

    Returns:
        The expression, or None when it would grow deeper than an expression may be.
    """
    root = condition._root
    for name in reversed(list(derived)):
        if any(isinstance(node, Column) and node.name == name for node in walk(root)):
            root = _replaced(root, name, formula=derived[name]._root)
            if root.depth > MAX_DEPTH:
                return None
    return _expression(root, condition.text)


def calls_of(expression: Expression, function: str) -> tuple[Expression, ...]:
    """The calls of one function in an expression, those that read no column left out; each keeps the whole's text.

    Args:
        expression: a checked expression.
        function: its name in the language.
    """
    found = (node for node in walk(expression._root) if isinstance(node, Call) and node.name == function)
    calls = (_expression(node, expression.text) for node in found)
    return tuple(call for call in calls if call.columns)


def sees_nulls(condition: Expression) -> bool:
    """Whether a condition may hold because a value is null, which no comparison does.

    One that does not keeps holding when a null is replaced by any value (Kleene's logic is monotone): a source that
    knows a value where the engine reads a null then lets through every row that the engine would keep.
    """
    return any(_sees_null(node) for node in walk(condition._root))


def compares_only(condition: Expression) -> bool:
    """Whether a condition only compares columns with each other and with literals, so that no value makes it fail."""
    nodes = (Column, Constant, Negative, Logic, Not, Compare, Between, Among)
    return all(isinstance(node, nodes) or _value(node) is not None for node in walk(condition._root))


def ranges(condition: Expression) -> tuple[Range, ...] | None:
    """A condition as tests that every database answers alike, all of which must hold; None when it is none.

    Text is never among them: collations differ. Nor are floats and decimals, whose literals are read differently.
    """
    return _ranges(condition._root)


def _expression(root: Node, text: str) -> Expression:
    used = frozenset(node.name for node in walk(root) if isinstance(node, Column))
    if root.type == "null":  # a part of a checked condition is never the bare null literal
        raise TypeError("a condition without a type")
    return Expression(text=text, columns=used, type=root.type, _root=root)


def _sees_null(node: Node) -> bool:
    match node:
        case Is() | Case():
            return True
        case Compare(operator=operator):
            return operator not in _KEPT
        case Call(name=name):
            return FUNCTIONS[name].nulls != _STRICT
    return False


def _ands(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.operator == "AND":
        for part in node.parts:
            yield from _ands(part)
    else:
        yield node


def _replaced(node: Node, name: str, *, formula: Node) -> Node:
    if isinstance(node, Column):
        return formula if node.name == name else node
    changed: dict[str, Any] = {
        field.name: _replaced_in(getattr(node, field.name), name, formula=formula) for field in fields(node)
    }
    depth = 1 + max((child.depth for value in changed.values() for child in _children(value)), default=0)
    return replace(node, **{**changed, "depth": depth})


def _replaced_in(value: object, name: str, *, formula: Node) -> object:
    if isinstance(value, Node):
        return _replaced(value, name, formula=formula)
    if isinstance(value, tuple):
        return tuple(_replaced_in(item, name, formula=formula) for item in value)
    return value


def _children(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _children(item)


# ---- tests that every database answers alike


def _ranges(node: Node) -> tuple[Range, ...] | None:
    match node:
        case Is(operand=Column(name=name), what="NULL", negated=negated):
            return (Range(column=name, operator="IS NOT NULL" if negated else "IS NULL"),)
        case Compare(operator=operator, left=left, right=right) if operator in _KEPT:
            return _compared(left, _KEPT[operator], right=right) or _compared(right, _TURNED[operator], right=left)
        case Between(operand=operand, low=low, high=high, negated=False):
            both = _compared(operand, ">=", right=low), _compared(operand, "<=", right=high)
            return both[0] + both[1] if both[0] is not None and both[1] is not None else None
        case Among(operand=Column() as column, options=options, negated=False) if _exact(column):
            values = [_value(option) for option in options]
            known = tuple(value for value in values if value is not None)
            return (
                (Range(column=column.name, operator="IN", values=known),)
                if len(known) == len(values) <= _MOST
                else None
            )
    return None


def _compared(left: Node, operator: Operator, *, right: Node) -> tuple[Range, ...] | None:
    value = _value(right)
    if value is None:
        return None
    if isinstance(left, Column) and _exact(left):
        return (Range(column=left.name, operator=operator, values=(value,)),)
    if isinstance(value, int) and isinstance(left, Call) and left.name == "year":
        return _year(left.arguments[0], operator, year=value)
    moment = _moment(left)
    if moment is not None and isinstance(value, datetime.date) and value < datetime.date.max:
        return _within(moment, operator, first=value, after=value + datetime.timedelta(days=1))
    return None


def _year(date: Node, operator: Operator, *, year: int) -> tuple[Range, ...] | None:
    """`year(day) >= 2013` as days; only years that every database knows."""
    column = date if isinstance(date, Column) and date.type == "date" else _moment(date)
    if column is None or not 1000 <= year <= 9998:
        return None
    return _within(column, operator, first=datetime.date(year, 1, 1), after=datetime.date(year + 1, 1, 1))


def _moment(node: Node) -> Column | None:
    """The timestamp column of a `date_of`."""
    match node:
        case Call(name="date_of", arguments=(Column(type="timestamp") as column,)):
            return column
    return None


def _within(
    column: Column, operator: Operator, *, first: datetime.date, after: datetime.date
) -> tuple[Range, ...] | None:
    """A column against a span of days, from its first one to that after its last one."""
    bounds: dict[str, list[tuple[Operator, datetime.date]]] = {
        "=": [(">=", first), ("<", after)], "<": [("<", first)], "<=": [("<", after)], ">": [(">=", after)],
        ">=": [(">=", first)],
    }  # fmt: skip
    found = bounds.get(operator)
    return tuple(Range(column=column.name, operator=sign, values=(day,)) for sign, day in found) if found else None


def _exact(column: Column) -> bool:
    return column.type in ("integer", "date")


def _value(node: Node) -> int | datetime.date | None:
    """A plain integer of 64 bits, or the day of a `parse_date` of plain texts."""
    match node:
        case Constant(value=bool()):
            return None
        case Constant(value=int(number)):
            return number if abs(number) < 2**63 else None
        case Negative(operand=operand):
            number_or_day = _value(operand)
            return -number_or_day if isinstance(number_or_day, int) else None
        case Call(name="parse_date", arguments=(Constant(value=str(text)), Constant(value=str(layout)))):
            return _day(text, layout)
    return None


def _day(text: str, layout: str) -> datetime.date | None:
    try:
        day = datetime.datetime.strptime(text, layout).date()
    except ValueError:
        return None
    return day if day.strftime(layout) == text and day.year >= 1583 else None
