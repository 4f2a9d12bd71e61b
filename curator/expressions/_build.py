"""Typed constructors: the only way to a node, so a tree that exists is well typed and not too deep.

Numbers widen (integer, decimal, float); nothing else converts. The null literal may only stand where a value may be
missing by design: a result of CASE, an argument of coalesce.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from curator.expressions._faults import ExpressionRefused, nearest
from curator.expressions._functions import FUNCTIONS, HABITS
from curator.expressions._lexer import Token
from curator.expressions._model import Function, Parameter
from curator.expressions._nodes import (
    NUMBERS,
    Among,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Concat,
    Constant,
    Is,
    Logic,
    Negative,
    Node,
    NodeType,
    Not,
)

MAX_DEPTH = 60
_ORDERED: tuple[NodeType, ...] = ("text", *NUMBERS, "date", "timestamp")


def below(offset: int, *children: Node) -> int:
    """Depth of a node above these children.

    Args:
        offset: where the node stands, for the refusal.
        children: the nodes directly below.

    Raises:
        ExpressionRefused: deeper than the printer may go.
    """
    depth = 1 + max(child.depth for child in children)
    if depth > MAX_DEPTH:
        raise ExpressionRefused(
            offset=offset,
            found=f"more than {MAX_DEPTH} operations inside each other",
            expected="a flatter expression, or a derived column for a part of it",
        )
    return depth


def literal(token: Token) -> Constant:
    """A text or number token as a constant.

    Args:
        token: a token of kind `text` or `number`.
    """
    if token.kind == "text":
        return Constant(type="text", value=token.value)
    if "." in token.value:
        return Constant(type="decimal", value=Decimal(token.value))
    return Constant(type="integer", value=int(token.value))


def negative(at: Token, operand: Node) -> Node:
    """Unary minus of a number."""
    _wanted(at, operand, types=NUMBERS, expected="a number after the minus")
    return Negative(type=operand.type, depth=below(at.offset, operand), operand=operand)


def arithmetic(at: Token, left: Node, *, right: Node) -> Node:
    """Sum, difference or product; the wider of the two number types."""
    if "text" in (left.type, right.type) and at.value == "+":
        raise ExpressionRefused(
            offset=at.offset,
            found=f"{_article(left.type)} + {_article(right.type)}",
            expected="numbers around +; texts are joined with ||, and to_int or to_float reads a number from a text",
        )
    for side in (left, right):
        _wanted(at, side, types=NUMBERS, expected=f"numbers around {at.value}" + _hint_dates(side))
    return Arithmetic(
        type=_widest(at, [left, right]), depth=below(at.offset, left, right), operator=at.value, left=left, right=right
    )


def concat(at: Token, parts: Sequence[Node]) -> Node:
    """Joined texts."""
    for part in parts:
        hint = " (to_text(number) gives its digits)" if part.type == "integer" else ""
        _wanted(at, part, types=("text",), expected=f"texts around ||{hint}")
    return Concat(type="text", depth=below(at.offset, *parts), parts=tuple(parts))


def logic(at: Token, parts: Sequence[Node]) -> Node:
    """A chain of conditions."""
    for part in parts:
        _wanted(at, part, types=("boolean",), expected=f"conditions around {at.value.upper()}")
    return Logic(type="boolean", depth=below(at.offset, *parts), operator=at.value.upper(), parts=tuple(parts))


def negation(at: Token, operand: Node) -> Node:
    """NOT of a condition."""
    _wanted(at, operand, types=("boolean",), expected="a condition after NOT")
    return Not(type="boolean", depth=below(at.offset, operand), operand=operand)


def compare(at: Token, left: Node, *, right: Node, operator: str) -> Node:
    """A comparison of two values of one type."""
    if "null" in (left.type, right.type):
        raise ExpressionRefused(
            offset=at.offset,
            found=f"a comparison with null by {operator}, which is never true",
            expected="IS NULL or IS NOT NULL",
        )
    shared = _widest(at, [left, right])
    if operator in ("<", "<=", ">", ">=") and shared not in _ORDERED:
        raise _unlike(at, shared, expected=f"a type with an order around {operator}")
    return Compare(type="boolean", depth=below(at.offset, left, right), operator=operator, left=left, right=right)


def is_test(at: Token, operand: Node, *, what: str, negated: bool) -> Node:
    """`IS [NOT] NULL`, of anything but a literal null; `IS [NOT] TRUE | FALSE` of a condition."""
    if operand.type == "null":
        raise ExpressionRefused(offset=at.offset, found="a test of the word null", expected="a column before IS")
    if what != "NULL":
        _wanted(at, operand, types=("boolean",), expected=f"a condition before IS {what}")
    return Is(type="boolean", depth=below(at.offset, operand), operand=operand, what=what, negated=negated)


def between(at: Token, operand: Node, *, low: Node, high: Node, negated: bool) -> Node:
    """A closed range test."""
    for part in (operand, low, high):
        _wanted(at, part, types=_ORDERED, expected="values with an order around BETWEEN")
    _widest(at, [operand, low, high])
    depth = below(at.offset, operand, low, high)
    return Between(type="boolean", depth=depth, operand=operand, low=low, high=high, negated=negated)


def among(at: Token, operand: Node, *, options: Sequence[Node], negated: bool) -> Node:
    """A list test; a null in the list would make it never false, so it is refused."""
    if any(option.type == "null" for option in (operand, *options)):
        raise ExpressionRefused(
            offset=at.offset,
            found="null beside IN, which never compares equal",
            expected="OR x IS NULL beside the list",
        )
    _widest(at, [operand, *options])
    depth = below(at.offset, operand, *options)
    return Among(type="boolean", depth=depth, operand=operand, options=tuple(options), negated=negated)


def case(at: Token, subject: Node | None, *, branches: Sequence[tuple[Node, Node]], otherwise: Node | None) -> Node:
    """CASE, searched or with a subject; its results share one type, null aside."""
    for test, _ in branches:
        if subject is None:
            _wanted(at, test, types=("boolean",), expected="a condition after WHEN")
        else:
            compare(at, subject, right=test, operator="=")
    results = [result for _, result in branches] + ([otherwise] if otherwise else [])
    children = [*(test for test, _ in branches), *results, *([subject] if subject else [])]
    return Case(
        type=_widest(at, results),
        depth=below(at.offset, *children),
        subject=subject,
        branches=tuple(branches),
        otherwise=otherwise,
    )


def call(at: Token, arguments: Sequence[Node]) -> Node:
    """A call of a function of the table.

    Args:
        at: the token of the name.
        arguments: checked arguments.

    Raises:
        ExpressionRefused: unknown name, wrong number or type of arguments, a literal wanted.
    """
    name = at.value.lower()
    function = FUNCTIONS.get(name)
    if function is None:
        hint = f"; for this, {HABITS[name]}" if name in HABITS else nearest(name, FUNCTIONS)
        raise ExpressionRefused(
            offset=at.offset, found=f"the function {_clip(at.value)}", expected=f"a function of the language{hint}"
        )
    if len(arguments) != len(function.parameters) and not (function.variadic and len(arguments) >= 2):
        raise ExpressionRefused(
            offset=at.offset,
            found=f"{len(arguments)} argument(s) for {name}",
            expected=function.signature,
        )
    for position, argument in enumerate(arguments):
        _argument(
            at, function, parameter=function.parameters[min(position, len(function.parameters) - 1)], argument=argument
        )
    returned = function.returns or _widest(at, arguments)
    return Call(type=returned, depth=below(at.offset, *arguments), name=name, arguments=tuple(arguments))


def _argument(at: Token, function: Function, *, parameter: Parameter, argument: Node) -> None:
    if argument.type == "null" and function.name == "coalesce":
        return
    if argument.type not in parameter.types:
        raise _unlike(at, argument.type, expected=f"{parameter.name} of {function.signature}")
    if parameter.literal is None:
        return
    if not isinstance(argument, Constant) or argument.value is None:
        raise ExpressionRefused(
            offset=at.offset,
            found=f"a computed {parameter.name} in {function.name}",
            expected=f"a literal: {function.signature}",
        )
    if reason := parameter.literal(argument.value):
        raise ExpressionRefused(
            "regex-refused" if parameter.name == "pattern" else "expression-refused",
            offset=at.offset,
            found=f"the {parameter.name} given to {function.name}",
            expected=reason,
        )


def _widest(at: Token, nodes: Sequence[Node]) -> NodeType:
    """The one type of several values; null fits every type; numbers widen."""
    types = [node.type for node in nodes if node.type != "null"]
    if not types:
        return "null"
    if all(one in NUMBERS for one in types):
        return max(types, key=lambda one: NUMBERS.index(one))
    for other in types[1:]:
        if other != types[0]:
            raise ExpressionRefused(
                offset=at.offset,
                found=f"{_article(types[0])} beside {_article(other)}",
                expected="values of one type" + _conversion(types[0], other),
            )
    return types[0]


def _conversion(one: NodeType, other: NodeType) -> str:
    pair = {one, other}
    if "text" in pair and pair & {"integer", "decimal", "float"}:
        return "; to_int or to_float reads a number from a text, and a text literal stands between quotes"
    if pair == {"text", "date"}:
        return "; parse_date('2013-02-19', '%Y-%m-%d') is a date"
    if pair == {"date", "timestamp"}:
        return "; date_of(timestamp) is its day"
    return ""


def _wanted(at: Token, node: Node, *, types: Sequence[NodeType], expected: str) -> None:
    if node.type not in types:
        raise _unlike(at, node.type, expected=expected)


def _unlike(at: Token, found: NodeType, *, expected: str) -> ExpressionRefused:
    return ExpressionRefused(offset=at.offset, found=_article(found), expected=expected)


def _article(name: NodeType) -> str:
    return "null" if name == "null" else f"an {name}" if name == "integer" else f"a {name}"


def _hint_dates(node: Node) -> str:
    return "; add_days and days_between compute with dates" if node.type in ("date", "timestamp") else ""


def _clip(word: str) -> str:
    return word if len(word) <= 40 else word[:40] + "..."
