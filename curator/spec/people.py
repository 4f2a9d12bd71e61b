"""Whom k counts: the people of a class, by what the written rows, or only the stream, can tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from curator.spec.model import UseCase

Told: TypeAlias = Literal["rows", "alone", "files", "stream"]
"""How people are told apart: see `People.told`."""


@dataclass(frozen=True, kw_only=True)
class People:
    """Whom the rows of a use case are about.

    Attributes:
        told: `rows`, when the spec asks for rows to be counted; `alone`, when the row key is part of the entity, so
            that each row is of somebody of its own; `files`, when written fields say who a row is about; `stream`, when
            that is known only before the rows are written, and can be counted then but not in the files.
        fields: for `files`, the written fields that say so together.
    """

    told: Told
    fields: tuple[str, ...] = ()


def people_of(use_case: UseCase) -> People:
    """How the people of a use case are counted for `disclosure.k`."""
    if use_case.disclosure is not None and use_case.disclosure.count == "rows":
        return People(told="rows")
    if written := entity_fields(use_case):
        return People(told="files", fields=written)
    return People(told="alone" if _alone(use_case) else "stream")


def entity_fields(use_case: UseCase) -> tuple[str, ...]:
    """The written fields that name whom a row is about; empty when a part of it is not written, or made coarser."""
    fields = use_case.kept().items()
    written = {field.from_ or name: name for name, field in fields if field.protect in ("token", "keep")}
    parts = tuple(written.get(column, "") for column in use_case.extract.entity)
    return parts if all(parts) else ()


def _alone(use_case: UseCase) -> bool:
    """Whether no two rows can have one entity: it holds the row key, which no form brings to another spelling."""
    spelled = {field.from_ or name for name, field in use_case.fields.items() if field.form not in (None, "raw")}
    key = set(use_case.extract.row_key)
    return key <= set(use_case.extract.entity) and not key & spelled
