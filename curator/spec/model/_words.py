"""The kinds of text and number that every part of a spec is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="lower case, digits, underscores")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="lower case, digits, hyphens")]
Version = Annotated[
    str, Field(pattern=r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$", description="semver")
]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Formula = Annotated[str, Field(min_length=1, max_length=2000, description="curator's expression language")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Word(BaseModel):
    """Base of every part of a spec: frozen, strict, no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)
