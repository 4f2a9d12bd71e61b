"""What a card says of how the rows were chosen, of columns made from events, and of whom the rows stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from curator.cards._markdown import code, table
from curator.spec import UseCase
from curator.spec.model import Sample

_SMALLEST = 10
"""No smaller count is told of a population."""


def sampling_limits(use_case: UseCase, drawing: Mapping[str, int] | None = None) -> Iterable[str]:
    """What a user must not conclude from a sample, and from labels and histories; and how to weigh its rows.

    Args:
        use_case: the spec.
        drawing: what the draw counted, as `Sample.drawing`.
    """
    sample, label = use_case.extract.sample, use_case.extract.label
    if sample is not None:
        yield from _drawn(sample)
        yield from _weights(sample, drawing or {})
    if label is not None and label.observed_until is None:
        yield (
            f"{code(label.name)} is false wherever no event is known: nobody said until when events are known, so rows "
            "near the end may count as false too early."
        )
    elif label is not None:
        yield f"{code(label.name)} is null where its {label.within_days} days end after {label.observed_until}."


def _drawn(sample: Sample) -> Iterable[str]:
    if sample.fraction is not None and sample.fraction < 1:
        yield f"It is a sample of {sample.fraction:.2%} by hash: multiply no count of it without care."
    if sample.at_least is not None:
        yield (
            f"Classes of {_names(sample.at_least.by)} keep {sample.at_least.rows:,} rows at least: rare ones are "
            "over-represented."
        )
    if sample.per_entity is not None:
        yield f"At most {sample.per_entity:,} rows of one entity: those with many are under-represented."
    if sample.quotas is not None:
        yield f"Classes of {code(sample.quotas.by)} have quotas: their shares here are not those of the source."
    if sample.strata is not None and sample.strata.rows is not None:
        yield f"Strata of {_names(sample.strata.by)} have quotas: their shares here are not those of the source."
    if sample.negatives is not None:
        yield (
            f"There are {sample.negatives.per_positive:g} negative rows for each positive one: the share of positives "
            "is not that of the source, and a model's probabilities must be calibrated before use."
        )
    if sample.max_rows is not None:
        yield f"At most {sample.max_rows:,} rows were drawn, those of the lowest hashes."


def _weights(sample: Sample, drawing: Mapping[str, int]) -> Iterable[str]:
    """Rows of the population for each row drawn (D. G. Horvitz and D. J. Thompson, JASA 47, 1952).

    For models of rare answers they are the correction of G. King and L. Zeng, Political Analysis 9 (2001).
    """
    population, drawn = drawing.get("population", 0), drawing.get("sample", 0)
    if min(population, drawn) < _SMALLEST:
        return
    yield f"{drawn:,} rows were drawn from a population of {population:,}, before rules and limits left rows out."
    counts = [drawing.get(f"{name} {rows}", 0) for name in ("positive", "negative") for rows in ("rows", "rows drawn")]
    if sample.negatives is not None and not sample.negatives.within and min(counts) >= _SMALLEST:
        positive, negative = counts[0] / counts[1], counts[2] / counts[3]
        yield (
            f"A positive row stands for {positive:.4g} rows of the population, a negative one for {negative:.4g}: "
            "weigh them so to estimate shares or probabilities of the population."
        )


def _names(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)


def stands_for(facts: Mapping[str, Any] | None) -> str:
    """The figures of each dimension; classes are told to the holder alone."""
    if facts is None:
        return ""
    rows = [
        [
            code(name, cell=True),
            f"{found['classes']:,}",
            _figure(found["divergence"]),
            _figure(found["difference"]),
            f"{sum(found['missing'].values()):,}",
            _depends(found["missing_depends_on"]),
        ]
        for name, found in facts["dimensions"].items()
    ]
    heads = ["Dimension", "Classes#", "Divergence#", "Difference#", "Missing#", "Missing depends on"]
    return (
        f"{facts['kept']:,} rows were kept of {facts['drawn']:,} drawn from a population of {facts['population']:,}. "
        "The divergence is Jensen-Shannon's, in bits (0 alike, 1 apart); the difference is the greatest standardised "
        "difference of the share of a class (from 0.1 it is usually taken seriously). Missing counts nulls, empty "
        "texts and texts that say unknown in the population; where it depends on another dimension (Cramér's V), "
        "values are not missing at random. Rows left out to reach k and l come after this measure.\n\n"
        + table(heads, rows)
        + f"\n\nClasses of fewer than {facts['smallest_cell']:,} rows were counted together; the holder has the rest."
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _depends(found: Mapping[str, Any] | None) -> str:
    return f"{found['state']}: {code(found['dimension'], cell=True)} ({found['v']:.2f})" if found else ""
