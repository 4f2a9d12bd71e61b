"""From the checked tree to SQL: every bracket, quote and conversion is written here, nothing is copied from the source.

Types are made the same on every engine where they matter: operands of integer arithmetic are 64 bits, anything that
meets a float is a double, and so is the final value. Comparisons of texts go by code point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from curator.expressions._dialects import Engine, float_type, quote_name, quote_text
from curator.expressions._faults import ExpressionRefused
from curator.expressions._functions import FUNCTIONS
from curator.expressions._model import Function
from curator.expressions._nodes import (
    Among,
    Arithmetic,
    Between,
    Call,
    Case,
    Column,
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

#: Templates repeat arguments, so nesting multiplies: the cap holds before the next level is written.
MAX_SQL = 100_000
#: Makes a product of decimals one of 38 digits; DuckDB would keep to the 18 of its factors and find most too large.
_ONE = "CAST(1 AS DECIMAL(20, 0))"
_ORDER = ("<", "<=", ">", ">=")
_FIELD = re.compile(r"\$(\d|\*|[a-z]+)")


class Printer:
    """Prints one tree for one engine.

    Args:
        engine: who will run the SQL.
        rename: identifiers that stand for columns.
    """

    def __init__(self, engine: Engine, rename: Mapping[str, str]) -> None:
        self._engine = engine
        self._rename = rename

    def root(self, node: Node) -> str:
        """The whole expression, its value in the fixed type of the engine.

        Args:
            node: the root of a checked tree.
        """
        return self._as(node, node.type, exact=True)

    def _print(self, node: Node) -> str:
        sql = self._form(node)
        if len(sql) > MAX_SQL:
            raise ExpressionRefused(
                offset=0,
                found="functions nested so that the query would grow beyond measure",
                expected="a derived column for the inner part",
            )
        return sql

    def _form(self, node: Node) -> str:
        match node:
            case Column():
                return quote_name(self._rename.get(node.name, node.name), self._engine)
            case Constant():
                return self._constant(node)
            case Negative():
                return f"(-{self._as(node.operand, node.type, exact=True)})"
            case Arithmetic():
                left, right = (self._as(side, node.type, exact=True) for side in (node.left, node.right))
                if node.type == "decimal" and node.operator == "*" and self._engine == "duckdb":
                    left = f"{_ONE} * {left}"
                return f"({left} {node.operator} {right})"
            case Concat():
                return self._joined(node.parts, " || ")
            case Logic():
                return self._joined(node.parts, f" {node.operator} ")
            case Not():
                return f"(NOT {self._print(node.operand)})"
            case Is():
                return f"({self._print(node.operand)} IS {'NOT ' * node.negated}{node.what})"
            case Compare():
                left, right = self._alike((node.left, node.right), order=node.operator in _ORDER)
                return f"({left} {node.operator} {right})"
            case Between():
                value, low, high = self._alike((node.operand, node.low, node.high), order=True)
                return f"({value} {'NOT ' * node.negated}BETWEEN {low} AND {high})"
            case Among():
                value, *options = self._alike((node.operand, *node.options))
                return f"({value} {'NOT ' * node.negated}IN ({', '.join(options)}))"
            case Case():
                return self._case(node)
            case Call():
                return self._call(node)
        raise TypeError(f"no printed form for {type(node).__name__}")

    def _constant(self, node: Constant) -> str:
        if node.value is None:
            return "NULL"
        if isinstance(node.value, bool):
            return "TRUE" if node.value else "FALSE"
        if isinstance(node.value, str):
            return quote_text(node.value, self._engine)
        return f"{node.value:f}" if isinstance(node.value, Decimal) else str(node.value)

    def _joined(self, parts: Sequence[Node], mark: str) -> str:
        return f"({mark.join(self._print(part) for part in parts)})"

    def _alike(self, nodes: Sequence[Node], *, order: bool = False) -> list[str]:
        """Each in the common type: doubles when one is a float, otherwise as they are.

        PostgreSQL orders texts by the locale of the database unless each side says otherwise.
        """
        floats = any(node.type == "float" for node in nodes)
        printed = [self._as(node, "float") if floats else self._print(node) for node in nodes]
        by_locale = order and self._engine == "postgres" and nodes[0].type == "text"
        return [f'({sql} COLLATE "C")' for sql in printed] if by_locale else printed

    def _as(self, node: Node, kind: NodeType, *, exact: bool = False) -> str:
        """Printed so that its value has this type; `exact` makes integers 64 bits too."""
        sql = self._print(node)
        if node.type == "null":
            return sql
        if kind == "float":
            return f"CAST({sql} AS {float_type(self._engine)})"
        wide = isinstance(node, Arithmetic | Negative)
        if kind == "integer" and exact and not wide:
            return f"CAST({sql} AS BIGINT)"
        return sql

    def _case(self, node: Case) -> str:
        tests = [test for test, _ in node.branches]
        if node.subject is None:
            subject, printed = "", [self._print(test) for test in tests]
        else:
            value, *printed = self._alike((node.subject, *tests))
            subject = f" {value}"
        branches = " ".join(
            f"WHEN {test} THEN {self._as(result, node.type, exact=True)}"
            for test, (_, result) in zip(printed, node.branches, strict=True)
        )
        last = f" ELSE {self._as(node.otherwise, node.type, exact=True)}" if node.otherwise else ""
        return f"CASE{subject} {branches}{last} END"

    def _call(self, node: Call) -> str:
        function = FUNCTIONS[node.name]
        whole = function.whole_templates if node.arguments[0].type == "integer" else None
        arguments = [self._argument(argument, function, returned=node.type) for argument in node.arguments]
        fields = dict(self._fragments(function, node)) | {"*": ", ".join(arguments)}
        fields |= {str(number): argument for number, argument in enumerate(arguments, start=1)}
        template = (whole or function.templates)[self._engine]
        return _FIELD.sub(lambda match: fields[match[1]], template)

    def _argument(self, argument: Node, function: Function, *, returned: NodeType) -> str:
        if isinstance(argument, Constant):
            return self._as(argument, returned) if function.same else self._print(argument)
        return self._as(argument, returned if function.same else argument.type, exact=True)

    def _fragments(self, function: Function, node: Call) -> Mapping[str, str]:
        if function.fragments is None:
            return {}
        values = tuple(
            argument.value
            for parameter, argument in zip(function.parameters, node.arguments, strict=True)
            if parameter.literal and isinstance(argument, Constant) and argument.value is not None
        )
        return function.fragments(values, self._engine)
