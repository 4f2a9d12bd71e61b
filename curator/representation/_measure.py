"""The measure: the engine counts the rows kept in each class of their population; small classes are pooled.

The population's classes are counted in the engine too, unless the database that holds all its rows has counted them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from curator.expressions import parse
from curator.representation._counting import MISSING, classes_sql, compared_sql
from curator.representation._figures import dependence, divergence, standardised_difference
from curator.representation._report import ClassCount, Dependence, Dimension, RepresentationReport, State
from curator.samples import SAMPLE, CheckedSample
from curator.sampling import POPULATION
from curator.spec.model import Representation
from curator.sqltext import quoted

_STATES: dict[str, State] = {"v": "value", "n": "null", "e": "empty", "u": "unknown", "*": "pooled"}
_ORDER: tuple[State, ...] = ("value", "unknown", "empty", "null", "pooled")
_CLASSES = "population classes"

Counts = tuple[str, int, int, tuple[int, ...]]
"""A class as coded: its population, its rows kept, and its rows by what is missing in them (`class_columns`)."""


def measure(checked: CheckedSample) -> RepresentationReport | None:
    """Compare the rows that a checked sample keeps with the population it was drawn from.

    Rows move nowhere: the engine counts, and only the counts of classes come back.

    Args:
        checked: the sample with its rules; a row kept meets every rule that rejects.

    Returns:
        The report; None when the spec declares no `representation`.
    """
    use_case, engine = checked.sample.use_case, checked.sample.engine
    part = use_case.representation
    if part is None:
        return None
    types = checked.sample.scope.expression_types()
    values = [parse(formula, types).sql(engine.dialect) for formula in part.dimensions.values()]
    classes = checked.sample.classes
    if classes is None:
        classes = _CLASSES
        engine.materialise(classes, classes_sql(part, values, rows=quoted(POPULATION), dialect=engine.dialect))
    compared = compared_sql(part, values, rows=_kept(checked), classes=classes, dialect=engine.dialect)
    found: list[list[Counts]] = [[] for _ in part.dimensions]
    for place, code, rows, rows_kept, *gone in engine.rows(compared):
        found[int(place)].append((str(code), int(rows), int(rows_kept), tuple(int(count) for count in gone)))
    pooled = [_pooled(counts, part.smallest_cell) for counts in found]
    drawn = int(engine.rows(f"SELECT count(*) FROM {quoted(SAMPLE)}")[0][0])  # noqa: S608 (quoted identifier)
    return RepresentationReport(
        ref=use_case.ref,
        population=sum(rows for _, rows, _, _ in found[0]),
        drawn=drawn,
        kept=sum(rows for _, _, rows, _ in found[0]),
        smallest_cell=part.smallest_cell,
        limits={name: limit for name, limit in part.limits.model_dump().items() if limit is not None},
        dimensions=tuple(_dimensions(part, pooled)),
    )


def _kept(checked: CheckedSample) -> str:
    """The rows drawn that no rule rejects, as what stands after `FROM`."""
    rejected = " OR ".join(f"({bit.sql})" for bit in checked.bits if bit.rejects)
    return quoted(SAMPLE) + (f" WHERE CASE WHEN {rejected} THEN 0 ELSE 1 END = 1" if rejected else "")


# ---- from the counts -------------------------------------------------------------------------------------------------


def _pooled(counts: Iterable[Counts], floor: int) -> list[Counts]:
    """Classes in order; a pool that is itself too small takes the smallest class in, until it can be told."""
    told = sorted((one for one in counts if one[0] != "*"), key=lambda one: (one[1], one[0]), reverse=True)
    pool = next((one for one in counts if one[0] == "*"), None)
    while pool is not None and told and pool[1] < floor:
        least = told.pop()
        gone = tuple(first + second for first, second in zip(pool[3], least[3], strict=True))
        pool = ("*", pool[1] + least[1], pool[2] + least[2], gone)
    told.sort(key=lambda one: _ORDER.index(_STATES[one[0][0]]))
    return [*told, pool] if pool is not None else told


def _hidden(counts: Iterable[Counts], floor: int) -> set[str]:
    """The classes whose number of rows kept is not told.

    A small number is not. Were it the only one, the totals would tell it: then the next smallest is not told either
    (complementary suppression).
    """
    found = sorted((rows, code) for code, _, rows, _ in counts if rows)
    small = sum(rows < floor for rows, _ in found)
    return {code for _, code in found[: 2 if small == 1 else small]}


def _dulled(counts: Sequence[Counts], hidden: Collection[str], *, floor: int) -> list[int]:
    """Rows kept as the figures know them: exact figures of a small table would tell a number that is not told.

    A small number counts as half of the floor whatever it is, another that is not told as a multiple of the floor.
    """
    small, steps = max(floor // 2, 1), [round(rows / floor) * floor for _, _, rows, _ in counts]
    return [
        rows if code not in hidden else small if rows < floor else step
        for (code, _, rows, _), step in zip(counts, steps, strict=True)
    ]


def _classes(counts: Sequence[Counts], floor: int) -> tuple[ClassCount, ...]:
    """Classes with their figures."""
    population, kept, hidden = sum(one[1] for one in counts), sum(one[2] for one in counts), _hidden(counts, floor)
    return tuple(
        ClassCount(
            value=_value(code),
            state=_STATES[code[0]],
            population=rows,
            kept=None if code in hidden else rows_kept,
            difference=_rounded(standardised_difference(rows, population, other=min(known, kept), other_rows=kept)),
        )
        for (code, rows, rows_kept, _), known in zip(counts, _dulled(counts, hidden, floor=floor), strict=True)
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _dimensions(part: Representation, found: Sequence[Sequence[Counts]]) -> Iterable[Dimension]:
    names = list(part.dimensions)
    for place, (name, formula) in enumerate(part.dimensions.items()):
        dependences = [
            one
            for other in range(len(names))
            for state in range(len(MISSING))
            if other != place
            and (one := _dependence(names[other], found[other], gone=(place, state), floor=part.smallest_cell))
        ]
        counts = found[place]
        classes = _classes(counts, part.smallest_cell)
        known = _dulled(counts, _hidden(counts, part.smallest_cell), floor=part.smallest_cell)
        yield Dimension(
            name=name,
            formula=formula,
            divergence=_rounded(divergence([one[1] for one in counts], known)),
            difference=max((abs(one.difference) for one in classes if one.difference is not None), default=None),
            classes=classes,
            dependences=tuple(sorted(dependences, key=lambda one: (-one.v, one.on, one.missing))),
        )


def _dependence(on: str, counts: Sequence[Counts], *, gone: tuple[int, int], floor: int) -> Dependence | None:
    """How values missing in one dimension, in one state, depend on the classes of another, where that is known.

    A state with fewer rows than the floor is not looked at.
    """
    column = gone[0] * len(MISSING) + gone[1]
    known = [
        (code, rows, _dulled_part(missing[column], rows, floor=floor))
        for code, rows, _, missing in counts
        if code[0] in "v*"
    ]
    total, total_gone = sum(rows for _, rows, _ in known), sum(missing for _, _, missing in known)
    figures = dependence([missing for _, _, missing in known], [rows for _, rows, _ in known])
    if figures is None or total_gone < floor:
        return None
    code, rows, worst = max(known, key=lambda one: (one[2] / one[1], one[1], one[0]))
    others = total - rows
    return Dependence(
        missing=_STATES[MISSING[gone[1]]],
        on=on,
        v=round(figures[0], 6),
        p=float(f"{figures[1]:.3g}"),
        value=_value(code) if worst >= floor else None,
        state=_STATES[code[0]] if worst >= floor else "pooled",
        share=round(worst / rows, 4),
        elsewhere=round((total_gone - worst) / others, 4) if others else 0.0,
    )


def _dulled_part(part: int, rows: int, *, floor: int) -> int:
    """A number of rows out of others, where few are and where few are not known to half of the floor only."""
    small = max(floor // 2, 1)
    return min(small, rows) if 0 < part < floor else max(rows - small, 0) if 0 < rows - part < floor else part


def _value(code: str) -> str | None:
    return code[1:] if code[0] in "vu" else None
