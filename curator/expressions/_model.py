"""What a function of the language is: parameters, types, documentation and one template per engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from curator.expressions._dialects import Engine
from curator.expressions._nodes import LogicalType

LiteralValue: TypeAlias = str | int | Decimal
#: A reason why a literal is refused (what was expected), or None.
LiteralCheck: TypeAlias = Callable[[LiteralValue], str | None]
#: Fragments of SQL made from the literal arguments, by the name a template uses after `$`.
Fragments: TypeAlias = Callable[[tuple[LiteralValue, ...], Engine], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as the reference page shows it.
        types: logical types it takes.
        literal: when set, only a literal is taken and this check must pass.
    """

    name: str
    types: tuple[LogicalType, ...]
    literal: LiteralCheck | None = None


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function: what it means, and how each engine computes it.

    Attributes:
        name: its only spelling (letter case apart).
        parameters: in order; with `variadic` the last one may repeat.
        returns: logical type of the value; None: the common type of the arguments that `same` covers.
        meaning: one or two sentences.
        example: an expression without columns.
        example_result: its value as text: `null`, `true`, a number, an ISO date, or a text between quotes.
        nulls: what happens with null arguments.
        templates: SQL per engine; `$1` is the first argument, `$*` all of them, `$word` a fragment.
        whole_templates: used instead when the first argument is an integer.
        fragments: makes the fragments.
        same: the arguments must share one type (numbers widen).
        variadic: two arguments or more.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: LogicalType | None
    meaning: str
    example: str
    example_result: str
    templates: Mapping[Engine, str] = field(repr=False)
    nulls: str = "null when any argument is null"
    whole_templates: Mapping[Engine, str] | None = field(default=None, repr=False)
    fragments: Fragments | None = field(default=None, repr=False)
    same: bool = False
    variadic: bool = False

    @property
    def signature(self) -> str:
        """`name(parameter: type, ...) -> type`, as the reference page shows it."""
        shown = ", ".join(_shown(parameter) for parameter in self.parameters) + (", ..." if self.variadic else "")
        returned = self.returns or ("the same type" if self.same else self.parameters[0].types[0])
        return f"{self.name}({shown}) -> {returned}"


def _shown(parameter: Parameter) -> str:
    types = "any type" if len(parameter.types) > 4 else " or ".join(parameter.types)
    return f"{parameter.name}: {'literal ' if parameter.literal else ''}{types}"


def templates(duckdb: str, *, spark: str = "", postgres: str = "") -> dict[Engine, str]:
    """One template per engine; the DuckDB spelling where no other is given.

    Args:
        duckdb: the template for DuckDB.
        spark: the template for Spark, when it differs.
        postgres: the template for PostgreSQL, when it differs.
    """
    return {"duckdb": duckdb, "spark": spark or duckdb, "postgres": postgres or duckdb}
