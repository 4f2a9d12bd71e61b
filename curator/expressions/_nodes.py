"""The checked tree of an expression: frozen nodes, each with its logical type. Only this tree is ever printed.

Every node knows its depth, so that a tree that could exhaust the stack of the printer is refused while it is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal, TypeAlias

LogicalType: TypeAlias = Literal["text", "integer", "decimal", "float", "boolean", "date", "timestamp"]
NodeType: TypeAlias = LogicalType | Literal["null"]

LOGICAL_TYPES: tuple[LogicalType, ...] = ("text", "integer", "decimal", "float", "boolean", "date", "timestamp")
#: Numbers widen in this direction only: integer -> decimal -> float.
NUMBERS: tuple[LogicalType, ...] = ("integer", "decimal", "float")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One checked part of an expression.

    Attributes:
        type: logical type of its value; `null` for the bare null literal.
        depth: 1 for a leaf, else 1 + the deepest child.
    """

    type: NodeType
    depth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Node):
    """A declared column."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    """A literal; `None` is the null literal."""

    value: str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative(Node):
    """Unary minus."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """`left + right`, `left - right`, `left * right`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat(Node):
    """`a || b || c`: null when any part is null."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    """A chain of AND or of OR, three-valued."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    """Three-valued negation."""

    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    """`= <> < <= > >=` and the null-safe `IS [NOT] DISTINCT FROM`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Is(Node):
    """`IS [NOT] NULL | TRUE | FALSE`: never null itself."""

    operand: Node
    what: str
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Node):
    """`operand [NOT] BETWEEN low AND high`, both ends included."""

    operand: Node
    low: Node
    high: Node
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Among(Node):
    """`operand [NOT] IN (...)`."""

    operand: Node
    options: tuple[Node, ...]
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(Node):
    """`CASE [subject] WHEN .. THEN .. [ELSE ..] END`; without ELSE the rest is null."""

    subject: Node | None
    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """A function of the language with checked arguments."""

    name: str
    arguments: tuple[Node, ...]


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in no promised order.

    Args:
        node: where to start.
    """
    waiting: list[object] = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Node):
            yield item
            waiting.extend(getattr(item, field.name) for field in fields(item))
        elif isinstance(item, tuple):
            waiting.extend(item)
