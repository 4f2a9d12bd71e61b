"""What the SQL of an extraction is written from."""

from __future__ import annotations

from collections.abc import Mapping
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
    """

    use_case: UseCase
    scope: Scope
    dialect: Dialect
    tables: Mapping[str, str]
    raw: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
