"""The operational tables and how to read them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from curator.spec.model._words import Name, Word


class LogicalType(StrEnum):
    """Type of a column, whatever the engine calls it. `free_text` is prose that may name anybody."""

    text = "text"
    free_text = "free_text"
    integer = "integer"
    decimal = "decimal"
    float = "float"
    boolean = "boolean"
    date = "date"
    timestamp = "timestamp"


class Column(Word):
    """One column read from a source; a column that is not declared is never read."""

    type: LogicalType
    column: str | None = Field(default=None, min_length=1, max_length=200, description="its name in the source")
    format: str | None = Field(
        default=None, max_length=40, description="strftime pattern of a date or timestamp as text"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class SourceFormat(StrEnum):
    """How a source is stored."""

    csv = "csv"
    parquet = "parquet"
    json = "json"
    duckdb = "duckdb"
    sqlite = "sqlite"


class Source(Word):
    """One operational table and how to read it.

    Attributes:
        path: file, relative to the data folder given at run time or to the spec; never an address with a secret.
        format: guessed from the file's name when absent.
        table: name of the table inside a database file.
        encoding, separator, quote, decimal: of text files.
        null_tokens: texts that mean null, besides the empty one.
        strict: whether a column that the spec does not declare is an error (otherwise it is left unread).
        columns: the columns to read; the key is the name used in the spec.
    """

    path: str = Field(min_length=1, max_length=500)
    format: SourceFormat | None = None
    table: str | None = Field(default=None, min_length=1, max_length=200)
    encoding: str = Field(default="utf-8", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    separator: str = Field(default=",", min_length=1, max_length=4)
    quote: str = Field(default='"', min_length=0, max_length=1)
    decimal: Literal[".", ","] = "."
    null_tokens: tuple[str, ...] = ()
    strict: bool = False
    columns: dict[Name, Column] = Field(min_length=1)
