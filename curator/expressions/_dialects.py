"""How each engine writes a name, a text and a type. Nothing else of an engine is known outside the templates."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Engine: TypeAlias = Literal["duckdb", "spark", "postgres"]
ENGINES: tuple[Engine, ...] = ("duckdb", "spark", "postgres")

_SPARK_ESCAPES = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t", "$": r"\u0024"}


def quote_name(name: str, engine: Engine) -> str:
    """A column name as a quoted identifier (ISO/IEC 9075 delimited identifier; back quotes in Spark).

    Args:
        name: any name without control characters.
        engine: who reads it.
    """
    mark = "`" if engine == "spark" else '"'
    return mark + name.replace(mark, mark + mark) + mark


def quote_text(text: str, engine: Engine) -> str:
    """A text literal that reads back as the same text and can end nowhere else.

    DuckDB: doubled quotes. PostgreSQL: doubled quotes, and the E form as soon as a backslash occurs, so that the
    setting `standard_conforming_strings` does not matter. Spark: backslash escapes, `$` as its code point, because
    Spark replaces `${...}` in any SQL text, literals included (`spark.sql.variable.substitute`).

    Args:
        text: the value.
        engine: who reads it.
    """
    if engine == "spark":
        return "'" + re.sub(r"[\\'\n\r\t$]", lambda match: _SPARK_ESCAPES[match.group()], text) + "'"
    doubled = text.replace("'", "''")
    if engine == "postgres" and "\\" in text:
        return "E'" + doubled.replace("\\", "\\\\") + "'"
    return f"'{doubled}'"


def float_type(engine: Engine) -> str:
    """The type of every computed float: IEEE 754 binary64 on each engine."""
    return "DOUBLE PRECISION" if engine == "postgres" else "DOUBLE"
