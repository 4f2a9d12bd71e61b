"""The grammar, by recursive descent over checked tokens.

Loosest first:

    OR < AND < NOT < one predicate (= <> < <= > >= IS IN BETWEEN) < || < + - < * < unary minus < value

It is the common part of the grammars of DuckDB, PostgreSQL and Spark, minus what they read differently: predicates do
not chain (`a = b = c`, `a = b IS NULL` want brackets).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from curator.expressions import _build as build
from curator.expressions._faults import ExpressionRefused, nearest
from curator.expressions._functions import FUNCTIONS, HABITS
from curator.expressions._lexer import MAX_NESTING, Token, tokens
from curator.expressions._nodes import Column, Constant, LogicalType, Node

Parsed = TypeVar("Parsed")

_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS = {"true": True, "false": False, "null": None}


class Parser:
    """One parse of one expression.

    Args:
        text: the expression.
        columns: declared columns and their logical types, already checked.
    """

    def __init__(self, text: str, columns: Mapping[str, LogicalType]) -> None:
        self._tokens = tokens(text)
        self._columns = columns
        self._position = 0
        self._stacked = 0

    def parse(self) -> Node:
        """The checked tree of the whole text.

        Raises:
            ExpressionRefused: anything that is not exactly one expression of the language.
        """
        root = self._condition()
        if self._peek.kind != "end":
            raise self._unexpected("an operator, or the end of the expression")
        return root

    @property
    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._peek
        self._position += token.kind != "end"
        return token

    def _at(self, *values: str) -> bool:
        return self._peek.kind in ("mark", "keyword") and self._peek.value in values

    def _take(self, *values: str) -> Token | None:
        return self._next() if self._at(*values) else None

    def _want(self, value: str, *, after: str) -> Token:
        if not self._at(value):
            raise self._unexpected(f"{value.upper()} {after}")
        return self._next()

    def _unexpected(self, expected: str) -> ExpressionRefused:
        token = self._peek
        found = {
            "end": "the end of the expression",
            "text": "a text",
            "number": "a number",
            "name": f"the name {token.value[:40]}",
        }.get(token.kind, token.value.upper())
        if token.kind == "name" and token.value.lower() in HABITS:
            expected += f"; for this, {HABITS[token.value.lower()]}"
        return ExpressionRefused(offset=token.offset, found=found, expected=expected)

    def _chain(self, operand: Callable[[], Node], *, mark: str, join: Callable[[Token, Sequence[Node]], Node]) -> Node:
        """Operands joined by one associative operator become one flat node."""
        first = operand()
        if not self._at(mark):
            return first
        at, parts = self._peek, [first]
        while self._take(mark):
            parts.append(operand())
        return join(at, parts)

    def _condition(self) -> Node:
        return self._chain(self._conjunction, mark="or", join=build.logic)

    def _conjunction(self) -> Node:
        return self._chain(self._negation, mark="and", join=build.logic)

    def _negation(self) -> Node:
        stack = []
        while at := self._take("not"):
            stack.append(at)
        node = self._predicate()
        for at in reversed(stack):
            node = build.negation(at, node)
        return node

    def _predicate(self) -> Node:
        left = self._joined()
        at = self._peek
        if self._at(*_COMPARISONS):
            self._next()
            node = build.compare(at, left, right=self._joined(), operator=_COMPARISONS[at.value])
        elif self._take("is"):
            node = self._is(at, left)
        elif self._at("in", "between", "not"):
            node = self._membership(at, left, negated=bool(self._take("not")))
        else:
            return left
        if self._at(*_COMPARISONS, "is", "in", "between", "not"):
            raise self._unexpected("AND, OR or the end: comparisons do not chain, write brackets around the first one")
        return node

    def _is(self, at: Token, left: Node) -> Node:
        negated = bool(self._take("not"))
        if self._take("distinct"):
            self._want("from", after="after IS DISTINCT")
            operator = "IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM"
            return build.compare(at, left, right=self._joined(), operator=operator)
        what = self._take("null", "true", "false")
        if what is None:
            raise self._unexpected("NULL, TRUE, FALSE or DISTINCT FROM after IS")
        return build.is_test(at, left, what=what.value.upper(), negated=negated)

    def _membership(self, at: Token, left: Node, *, negated: bool) -> Node:
        if self._take("between"):
            low = self._joined()
            self._want("and", after="between the two bounds of BETWEEN")
            return build.between(at, left, low=low, high=self._joined(), negated=negated)
        if not self._take("in"):
            raise self._unexpected("IN or BETWEEN after NOT")
        self._want("(", after="after IN")
        return build.among(at, left, options=self._arguments(), negated=negated)

    def _joined(self) -> Node:
        return self._chain(self._sum, mark="||", join=build.concat)

    def _sum(self) -> Node:
        node = self._product()
        while at := self._take("+", "-"):
            node = build.arithmetic(at, node, right=self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while at := self._take("*"):
            node = build.arithmetic(at, node, right=self._signed())
        return node

    def _signed(self) -> Node:
        stack = []
        while at := self._take("-"):
            stack.append(at)
        node = self._value()
        for at in reversed(stack):
            node = build.negative(at, node)
        return node

    def _value(self) -> Node:
        token = self._next()
        if token.kind in ("text", "number"):
            return build.literal(token)
        if token.kind == "name":
            return self._call(token) if self._at("(") else self._column(token)
        if token.kind == "keyword" and token.value in _WORDS:
            value = _WORDS[token.value]
            return Constant(type="null" if value is None else "boolean", value=value)
        if token.kind == "keyword" and token.value == "case":
            return self._case(token)
        if token.kind == "mark" and token.value == "(":
            inside = self._nested(token, self._condition)
            self._want(")", after="to close the bracket")
            return inside
        self._position -= token.kind != "end"
        raise self._unexpected("a column, a literal, a function, CASE or a bracket")

    def _nested(self, at: Token, inner: Callable[[], Parsed]) -> Parsed:
        """Run a rule one level down. The lexer capped brackets already; this cap holds whatever the lexer does."""
        self._stacked += 1
        if self._stacked > MAX_NESTING:
            raise ExpressionRefused(
                offset=at.offset, found=f"more than {MAX_NESTING} levels", expected="a flatter expression"
            )
        parsed = inner()
        self._stacked -= 1
        return parsed

    def _column(self, token: Token) -> Node:
        kind = self._columns.get(token.value)
        if kind is None:
            raise self._no_column(token)
        twins = [name for name in self._columns if name.lower() == token.value.lower()]
        if len(twins) > 1:
            raise ExpressionRefused(
                offset=token.offset,
                found=f"the column {token.value[:40]}, declared {len(twins)} times in different letter case",
                expected="column names that differ by more than case, since engines do not tell them apart",
            )
        return Column(type=kind, name=token.value)

    def _no_column(self, token: Token) -> ExpressionRefused:
        name = token.value[:40]
        if token.value.lower() in FUNCTIONS:
            return ExpressionRefused(
                offset=token.offset,
                found=f"the function {name} without brackets",
                expected=FUNCTIONS[token.value.lower()].signature,
            )
        if token.value.lower() in HABITS:
            hint = f"; for this, {HABITS[token.value.lower()]}"
        else:
            hint = nearest(token.value, self._columns)
        return ExpressionRefused(
            offset=token.offset, found=f"the name {name}", expected=f"a declared column, spelt exactly{hint}"
        )

    def _call(self, name: Token) -> Node:
        bracket = self._next()
        if self._take(")"):
            return build.call(name, ())
        return build.call(name, self._nested(bracket, self._arguments))

    def _arguments(self) -> list[Node]:
        """Expressions between commas up to the closing bracket, the opening one already taken."""
        found = [self._condition()]
        while self._take(","):
            found.append(self._condition())
        self._want(")", after="or a comma in the list")
        return found

    def _case(self, at: Token) -> Node:
        return self._nested(at, lambda: self._case_body(at))

    def _case_body(self, at: Token) -> Node:
        subject = None if self._at("when") else self._condition()
        branches = []
        while self._take("when"):
            test = self._condition()
            self._want("then", after="after the condition of WHEN")
            branches.append((test, self._condition()))
        if not branches:
            raise self._unexpected("WHEN after CASE")
        otherwise = self._condition() if self._take("else") else None
        self._want("end", after="to close CASE")
        return build.case(at, subject, branches=branches, otherwise=otherwise)
