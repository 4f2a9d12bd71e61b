"""What was settled about coarser cells before the rows move: levels that were searched, categories that were merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curator.generalising import Levels, Merged
from curator.spec import UseCase
from curator.spec.model import OutputField


@dataclass(frozen=True, kw_only=True, eq=False)
class Coarse:
    """How the fields of a search, and those with rare categories, are written in one version.

    Attributes:
        fields: field -> how it is written, where the engine writes it.
        merged: field -> its categories, where rare ones become one.
        levels: fields that no formula writes, by their hierarchies; None when there is none.
        leaves: field -> formula of its finest value, which `levels` starts from.
        told: for evidence and card: levels, score, suppression and metric; counts only.
    """

    fields: Mapping[str, OutputField] = field(default_factory=dict)
    merged: Mapping[str, Merged] = field(default_factory=dict)
    levels: Levels | None = None
    leaves: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)

    def of(self, use_case: UseCase) -> UseCase:
        """The use case with its fields as they are written."""
        return use_case.model_copy(update={"fields": {**use_case.fields, **self.fields}}) if self.fields else use_case
