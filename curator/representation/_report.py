"""What a measure found, as frozen records of counts and figures; no count below the declared floor is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from curator.errors import QualityError

State = Literal["value", "null", "empty", "unknown", "pooled"]
Figure = Literal["difference", "divergence", "missing"]

FLAG_V, FLAG_P = 0.1, 0.001
"""From this strength (Cohen's small effect) and below this probability, values are said not to be missing at random."""


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """One class of a dimension.

    Attributes:
        value: what the rows of the class have; None for null, empty and pooled classes.
        state: `value`; `null`; `empty` for an empty text or one of spaces only, which a null check would not find;
            `unknown` for a text that the spec says means so; `pooled` for the classes too small to be told.
        population: rows, never below the floor.
        kept: rows kept; None when they are fewer than the floor and not 0, or would tell such a number by subtraction.
        difference: standardised difference of the share of the class; where `kept` is not told, that of a number near
            it which does not tell it either.
    """

    value: str | None
    state: State
    population: int
    kept: int | None
    difference: float | None


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """How missing values of one dimension depend on the classes of another, in the population.

    Attributes:
        missing: how they are missing: `null`, `empty` or `unknown`.
        on: the other dimension.
        v, p: Cramér's V and the p-value of the chi-square test.
        value, state: the class in which most are missing; None and `pooled` where it cannot be told.
        share, elsewhere: share of missing values in that class, and in all the others together.
    """

    missing: State
    on: str
    v: float
    p: float
    value: str | None
    state: State
    share: float
    elsewhere: float

    @property
    def flagged(self) -> bool:
        """Whether values are not missing completely at random, as far as this dimension shows."""
        return self.v >= FLAG_V and self.p < FLAG_P


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One dimension.

    Attributes:
        name: in the spec.
        formula: whose values are the classes.
        divergence: Jensen-Shannon divergence of population and rows kept, in bits; None when a side has no row.
        difference: the greatest standardised difference of a class, without its sign.
        classes: the greatest in the population first, missing and pooled ones last.
        dependences: the strongest first; empty where no value is missing.
    """

    name: str
    formula: str
    divergence: float | None
    difference: float | None
    classes: tuple[ClassCount, ...]
    dependences: tuple[Dependence, ...] = ()

    def missing(self, state: State | None = None) -> tuple[int, int | None]:
        """Rows whose value is missing, in one state or in all: of the population, and kept where that may be told."""
        states = (state,) if state else ("null", "empty", "unknown")
        gone = [one for one in self.classes if one.state in states]
        kept = [one.kept for one in gone if one.kept is not None]
        return sum(one.population for one in gone), sum(kept) if len(kept) == len(gone) else None


@dataclass(frozen=True, kw_only=True)
class Excess:
    """A figure above its limit.

    Attributes:
        dimension, figure: which one.
        value, limit: what it is, and what it may be.
        depends: for `missing`, the dependence meant.
    """

    dimension: str
    figure: Figure
    value: float
    limit: float
    depends: Dependence | None = None

    def __str__(self) -> str:
        """In plain English, without any class: fit for a message."""
        words = {"difference": "standardised difference", "divergence": "divergence"}.get(self.figure, "")
        if self.depends is not None:
            words = f"{self.depends.missing} values depend on `{self.depends.on}`, Cramér's V"
        return f"`{self.dimension}`: {words} {self.value:.3f} (limit {self.limit:g})"


@dataclass(frozen=True, kw_only=True)
class RepresentationReport:
    """The rows kept against their population.

    Attributes:
        ref: of the use case.
        population, drawn, kept: rows extracted, rows of them in the sample, rows of these that no rule rejects.
        smallest_cell: the floor of every count.
        limits: name -> what may not be passed.
        dimensions: in the order of the spec.
    """

    ref: str
    population: int
    drawn: int
    kept: int
    smallest_cell: int
    limits: Mapping[str, float]
    dimensions: tuple[Dimension, ...]

    @property
    def stands_for_nothing(self) -> bool:
        """Whether limits are declared, and no row is kept that could meet them."""
        return bool(self.limits) and not self.kept

    def exceeded(self) -> list[Excess]:
        """Figures that pass their limit, by dimension."""
        return [found for dimension in self.dimensions for found in self._exceeded_by(dimension)]

    def _exceeded_by(self, dimension: Dimension) -> Iterator[Excess]:
        strongest = dimension.dependences[0] if dimension.dependences else None
        figures: dict[Figure, float | None] = {
            "difference": dimension.difference,
            "divergence": dimension.divergence,
            "missing": strongest.v if strongest else None,
        }
        for name, value in figures.items():
            limit = self.limits.get(name)
            if limit is not None and value is not None and value > limit:
                depends = strongest if name == "missing" else None
                yield Excess(dimension=dimension.name, figure=name, value=value, limit=limit, depends=depends)

    def refuse(self) -> None:
        """Raise QualityError `not-representative` when a limit is passed, or when no row is kept to be compared."""
        found = [f"no row is kept of {self.population:,}"] if self.stands_for_nothing else map(str, self.exceeded())
        told = "; ".join(found)[:1500]
        if told:
            raise QualityError(
                "not-representative",
                asked=f"compare the rows of {self.ref} with the population they come from",
                found=told,
                expected="every figure within `representation.limits`",
                todo="see the classes with `curator represent SPEC --html report.html`; then change the sample or the "
                "rule that takes them out, or state other limits with those who will use the dataset",
            )

    def facts(self) -> dict[str, Any]:
        """Figures by dimension, for the evidence and the card: no class, no value."""
        return {
            "population": self.population,
            "drawn": self.drawn,
            "kept": self.kept,
            "smallest_cell": self.smallest_cell,
            "limits": dict(self.limits),
            "dimensions": {dimension.name: _dimension_facts(dimension) for dimension in self.dimensions},
        }

    def to_json(self) -> dict[str, Any]:
        """The whole report, classes included."""
        return {
            **{name: getattr(self, name) for name in ("ref", "population", "drawn", "kept", "smallest_cell")},
            "limits": dict(self.limits),
            "exceeded": [str(one) for one in self.exceeded()],
            "dimensions": [_plain(dimension) for dimension in self.dimensions],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> RepresentationReport:
        """A report read back, as `to_json` wrote it."""
        dimensions = tuple(
            Dimension(
                **{name: one[name] for name in ("name", "formula", "divergence", "difference")},
                classes=tuple(ClassCount(**item) for item in one["classes"]),
                dependences=tuple(Dependence(**item) for item in one["dependences"]),
            )
            for one in found["dimensions"]
        )
        plain = {name: found[name] for name in ("ref", "population", "drawn", "kept", "smallest_cell", "limits")}
        return cls(**plain, dimensions=dimensions)


def _dimension_facts(dimension: Dimension) -> dict[str, Any]:
    strongest = dimension.dependences[0] if dimension.dependences else None
    return {
        "classes": sum(one.state == "value" for one in dimension.classes),
        "divergence": dimension.divergence,
        "difference": dimension.difference,
        "missing": {state: dimension.missing(state)[0] for state in ("null", "empty", "unknown")},
        "missing_kept": dimension.missing()[1],
        "missing_depends_on": {
            "state": strongest.missing,
            "dimension": strongest.on,
            "v": strongest.v,
            "p": strongest.p,
        }
        if strongest
        else None,
    }


def _plain(dimension: Dimension) -> dict[str, Any]:
    """Lists for tuples, as JSON reads them back."""
    told = asdict(dimension)
    return {**told, "classes": list(told["classes"]), "dependences": list(told["dependences"])}
