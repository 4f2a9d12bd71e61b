"""`parse`: the door of the language, and `Expression`: what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from curator.errors import UsageError
from curator.expressions._dialects import ENGINES, Engine
from curator.expressions._faults import ExpressionRefused, nearest
from curator.expressions._lexer import check_characters
from curator.expressions._nodes import LOGICAL_TYPES, Column, LogicalType, Node, walk
from curator.expressions._parser import Parser
from curator.expressions._printer import Printer

_LONGEST_NAME = {"duckdb": 255, "spark": 255, "postgres": 63}  # bytes; PostgreSQL cuts a longer name silently


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A checked expression: it exists only if every engine can run it.

    Attributes:
        text: the source, as the spec writes it.
        columns: the declared columns it reads.
        type: logical type of its value.
    """

    text: str
    columns: frozenset[str]
    type: LogicalType
    _root: Node = field(repr=False)

    def sql(self, engine: Engine, rename: Mapping[str, str] | None = None) -> str:
        """The expression in the SQL of one engine, printed from the checked tree, in brackets where needed.

        An integer comes back as a 64-bit integer and a float as a double on every engine; a decimal keeps the precision
        the engine gives it. Spark must run in ANSI mode with its default string literals.

        Args:
            engine: who will run it.
            rename: identifiers to write instead of column names; quoted here, other columns keep their names.

        Raises:
            UsageError: `expression-engine` for another engine; `expression-rename` for an identifier that cannot be
                quoted safely.
        """
        if engine not in ENGINES:
            raise UsageError(
                "expression-engine",
                asked="print an expression as SQL",
                found="an engine that does not compute expressions" + nearest(str(engine), ENGINES),
                expected=", ".join(ENGINES),
                todo="read the columns from that source and compute in one of these engines",
            )
        names = dict(rename or {})
        for name in self.columns:
            _check_identifier(names.get(name, name), engine)
        return Printer(engine, names).root(self._root)


def parse(text: str, columns: Mapping[str, str]) -> Expression:
    """Read and check one expression.

    Args:
        text: the expression, at most 2,000 visible characters on one line.
        columns: declared column names and their logical types (text, integer, decimal, float, boolean, date,
            timestamp). Timestamps have no zone.

    Returns:
        The checked expression, printable for every engine.

    Raises:
        ExpressionRefused: a `SpecError` with the code `expression-refused` (`regex-refused` for a pattern) and the
            `offset` of the fault.
    """
    check_characters(text)
    root = Parser(text, _checked(columns)).parse()
    if root.type == "null":
        raise ExpressionRefused(offset=0, found="an expression that is always null", expected="a value with a type")
    used = frozenset(node.name for node in walk(root) if isinstance(node, Column))
    for engine in ENGINES:  # what is accepted can be printed, everywhere
        Printer(engine, {}).root(root)
    return Expression(text=text, columns=used, type=root.type, _root=root)


def _checked(columns: Mapping[str, str]) -> dict[str, LogicalType]:
    known: dict[str, LogicalType] = {kind: kind for kind in LOGICAL_TYPES}
    for name, kind in columns.items():
        if kind not in known:
            raise ExpressionRefused(
                offset=0,
                found=f"the type of the column {name[:40]}, which is not a logical type",
                expected=", ".join(LOGICAL_TYPES) + nearest(str(kind), LOGICAL_TYPES),
            )
    return {name: known[kind] for name, kind in columns.items()}


def _check_identifier(name: str, engine: Engine) -> None:
    fault = ""
    if not name or not name.isprintable():
        fault = "an empty name or a hidden character"
    elif engine == "spark" and "${" in name:
        fault = "a name that Spark would replace by a variable"
    elif len(name.encode("utf-8", "replace")) > _LONGEST_NAME[engine]:
        fault = f"a name longer than {_LONGEST_NAME[engine]} bytes"
    if fault:
        raise UsageError(
            "expression-rename",
            asked=f"name a column in the SQL of {engine}",
            found=fault,
            expected="a short visible identifier",
            todo="rename the column in the relation the expression runs on",
        )
