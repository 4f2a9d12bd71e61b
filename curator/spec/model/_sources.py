"""The operational tables and how to read them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from curator.spec.model._words import Formula, Name, Word

Address = Annotated[str, Field(min_length=1, max_length=500)]
_ENCODING = r"^[A-Za-z0-9_.-]{1,40}$"


def _as_written(value: Any) -> Any:
    """A word as a file has it: YAML takes `1` for a number and `true` for a truth."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


TruthWord = Annotated[
    str,
    BeforeValidator(_as_written),
    Field(min_length=1, max_length=100),
    WithJsonSchema({"type": ["string", "integer", "boolean"], "minLength": 1, "maxLength": 100}),
]
"""A word of a source that stands for true or for false, read in any letter case."""


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
    from_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="pattern of the part of the file's name that is its value",
    )
    format: str | None = Field(
        default=None, max_length=40, description="strftime pattern of a date or timestamp as text"
    )
    true: Annotated[tuple[TruthWord, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="words that mean true in a boolean column, in any letter case"
    )
    false: Annotated[tuple[TruthWord, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="words that mean false in a boolean column, in any letter case"
    )

    @property
    def spelt(self) -> bool:
        """Whether its cells are spelt in a way of their own: a layout of dates, words for true and false."""
        return bool(self.format or self.true)

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class SourceFormat(StrEnum):
    """How a source is stored."""

    csv = "csv"
    parquet = "parquet"
    json = "json"
    geojson = "geojson"
    duckdb = "duckdb"
    sqlite = "sqlite"


class Drift(Word):
    """How some files of a source differ from what it says of all: the rules of a schema that changed over the years.

    Attributes:
        files: the files meant, by name or pattern (`*_2012.csv`), or a list of such.
        rename: column in these files -> the name that the source gives it.
        absent: columns of the source that these files do not have; null there.
        extra: columns that only these files have and nothing reads; `"*"` for any.
        constants: column of the source -> its text in every row of these files.
        encoding, separator, quote, decimal: where these files are written otherwise.
        formats: date column, by its name in the spec -> its layout in these files.
    """

    files: str | tuple[str, ...] = Field(min_length=1)
    rename: dict[str, str] = Field(default_factory=dict)
    absent: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    constants: dict[str, str] = Field(default_factory=dict)
    encoding: str | None = Field(default=None, pattern=_ENCODING)
    separator: str | None = Field(default=None, min_length=1, max_length=4)
    quote: str | None = Field(default=None, min_length=0, max_length=1)
    decimal: Literal[".", ","] | None = None
    formats: dict[Name, str] = Field(default_factory=dict)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The names and patterns of the files meant."""
        return (self.files,) if isinstance(self.files, str) else self.files

    def told(self) -> dict[str, Any]:
        """What these files are written in, where it is said."""
        spoken = {name: getattr(self, name) for name in ("encoding", "separator", "quote", "decimal")}
        return {name: value for name, value in spoken.items() if value is not None}


class Source(Word):
    """One operational table and how to read it.

    Attributes:
        path: file, relative to the data folder given at run time or to the spec, or an address such as
            `postgresql://reader@host/base`; never one with a secret. A pattern (`*`, `?`, `[...]`) or a list means
            several files that make up the same table.
        format: guessed from the file's name when absent.
        table: name of the table or view inside a database; the source's own name when absent, in a live one.
        encoding, separator, quote, decimal: of text files.
        null_tokens: texts that mean null, besides the empty one.
        skip_lines: lines of a text file above its header, such as a title.
        header: names of the columns, in order, of a text file that has no line of names.
        strict: whether a column that the spec does not declare is an error (otherwise it is left unread).
        where: condition a row must meet to be read at all, before any join (null counts as not met).
        known_at: the date or timestamp column that says when a row became known; with a label, no row may be newer
            than the cut-off.
        columns: the columns to read; the key is the name used in the spec.
        drift: rules for files that differ from the others, when the source is several.
    """

    path: Address | tuple[Address, ...] = Field(min_length=1)
    format: SourceFormat | None = None
    table: str | None = Field(default=None, min_length=1, max_length=200)
    encoding: str = Field(default="utf-8", pattern=_ENCODING)
    separator: str = Field(default=",", min_length=1, max_length=4)
    quote: str = Field(default='"', min_length=0, max_length=1)
    decimal: Literal[".", ","] = "."
    null_tokens: tuple[str, ...] = ()
    skip_lines: int = Field(default=0, ge=0, le=1000)
    header: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    strict: bool = False
    where: Formula | None = None
    known_at: Name | None = None
    columns: dict[Name, Column] = Field(min_length=1)
    drift: tuple[Drift, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The files and patterns that `path` names."""
        return (self.path,) if isinstance(self.path, str) else self.path
