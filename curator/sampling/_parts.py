"""What the SQL of an extraction is written from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from curator.expressions import Engine as Dialect
from curator.spec import Scope, UseCase


@dataclass(frozen=True, kw_only=True)
class Extracting:
    """What is needed to write the SQL of an extraction.

    Attributes:
        use_case, scope: a checked spec and its names.
        dialect: of the engine that will run it.
        tables: source -> name of its relation.
        raw: source -> column -> SQL of a cell's text, where cells may be unreadable.
        merged: joined sources whose columns are those of the base's relation: their database joined them.
    """

    use_case: UseCase
    scope: Scope
    dialect: Dialect
    tables: Mapping[str, str]
    raw: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    merged: Collection[str] = ()

    def held_by(self, source: str) -> str:
        """The source in whose relation the columns of a source are."""
        return self.use_case.extract.from_ if source in self.merged else source
