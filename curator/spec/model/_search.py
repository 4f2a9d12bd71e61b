"""How coarse a field may become, when the best generalisation is searched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from curator.spec.model._words import Formula, Name, Text, Word

Width = Annotated[int, Field(ge=2, le=1_000_000_000)]
Length = Annotated[int, Field(ge=1, le=1_000)]


class Ladder(Word):
    """The levels of one field, from fine to coarse.

    At most one of `bands`, `dates`, `places`, `prefix` and `file` says them; with none, the field is written as it is
    or, with `all`, tells nothing.

    Attributes:
        of: formula of the finest value; the field's own when absent.
        bands: widths of bands of numbers, each a multiple of the one before.
        dates: `month`, `quarter`, `year`.
        places: `department`, `region` of French commune codes.
        prefix: how many first characters of a code are kept, longest first.
        file: CSV file from the spec's folder: one line a value, then its groups from fine to coarse (ARX's form).
        all: whether one group for everybody is the last level.
    """

    of: Formula | None = None
    bands: tuple[Width, ...] = ()
    dates: tuple[Literal["month", "quarter", "year"], ...] = ()
    places: tuple[Literal["department", "region"], ...] = ()
    prefix: tuple[Length, ...] = ()
    file: Text | None = None
    all: bool = True

    def kinds(self) -> tuple[str, ...]:
        """The words that say levels."""
        return tuple(name for name in ("bands", "dates", "places", "prefix", "file") if getattr(self, name))


class GeneralisationSearch(Word):
    """What the search of the best generalisation may choose from.

    Attributes:
        fields: quasi-identifier -> its levels. One that is not named is written as the spec says.
        levels: level of each of these fields, counted from 0, when it is settled; it is then held to the limits and
            not searched. The best one is searched when absent.
        recoding: `global`, one level a field for everybody, or `local`: each class as fine as its own rows allow,
            nobody left out.
    """

    fields: dict[Name, Ladder] = Field(min_length=1)
    levels: dict[Name, Annotated[int, Field(ge=0, le=1_000)]] | None = None
    recoding: Literal["global", "local"] = "global"
