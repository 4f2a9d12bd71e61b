"""The measure: one query in the engine gives the counts of every dimension; small classes are pooled before they leave.

Each value is coded as one text whose first letter says what it is: a value, a null, an empty text (or one of
spaces only, as `trim` of the formulas sees them), a text that means unknown. So an empty text is found where a null
check would see nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from curator.expressions import Engine as Dialect
from curator.expressions import parse
from curator.representation._figures import dependence, divergence, standardised_difference
from curator.representation._report import ClassCount, Dependence, Dimension, RepresentationReport, State
from curator.samples import SAMPLE, CheckedSample
from curator.sampling import POPULATION
from curator.spec.model import Representation
from curator.sqltext import TEXT, literal, quoted

_STATES: dict[str, State] = {"v": "value", "n": "null", "e": "empty", "u": "unknown", "*": "pooled"}
_ORDER: tuple[State, ...] = ("value", "unknown", "empty", "null", "pooled")
_CLASS, _VALUE, _GONE, _ROWS, _PLACE = ".class {}", ".value {}", ".gone {} {}", ".rows", ".place"
_MISSING = "neu"

Counts = tuple[str, int, int, tuple[int, ...]]
"""A class as coded: its population, its rows kept, and its rows by what is missing in them (`_gone_columns`)."""


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
    coded = _coded(checked, part, relation=POPULATION, where="")
    rejected = " OR ".join(f"({bit.sql})" for bit in checked.bits if bit.rejects)
    kept_only = f" WHERE CASE WHEN {rejected} THEN 0 ELSE 1 END = 1" if rejected else ""
    kept = _coded(checked, part, relation=SAMPLE, where=kept_only)
    found: list[list[Counts]] = [[] for _ in part.dimensions]
    for place, code, rows, rows_kept, *gone in engine.rows(_counted(part, population=coded, kept=kept)):
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


# ---- in the engine ---------------------------------------------------------------------------------------------------


def _coded(checked: CheckedSample, part: Representation, *, relation: str, where: str) -> str:
    """Each row as the coded class of each dimension."""
    types, dialect = checked.sample.scope.expression_types(), checked.sample.engine.dialect
    values = [
        f"CAST({parse(formula, types).sql(dialect)} AS {TEXT}) AS {quoted(_VALUE.format(place))}"
        for place, formula in enumerate(part.dimensions.values())
    ]
    classes = [_code(_VALUE.format(place), part.unknown, dialect=dialect) for place in range(len(values))]
    named = ", ".join(f"{code} AS {quoted(_CLASS.format(place))}" for place, code in enumerate(classes))
    rows = f"SELECT {', '.join(values)} FROM {quoted(relation)}{where}"  # noqa: S608 (built from a checked spec)
    return f"SELECT {named} FROM ({rows}) t"  # noqa: S608 (likewise)


def _code(name: str, unknown: Sequence[str], *, dialect: Dialect) -> str:
    value, blank = quoted(name), parse("trim(cell) = ''", {"cell": "text"}).sql(dialect, rename={"cell": name})
    texts = ", ".join(literal(text) for text in unknown)
    said = f"WHEN {value} IN ({texts}) THEN 'u' || {value} " if texts else ""
    return f"CASE WHEN {value} IS NULL THEN 'n' WHEN {blank} THEN 'e' {said}ELSE 'v' || {value} END"


def _counted(part: Representation, *, population: str, kept: str) -> str:
    """Place of the dimension, class, rows, rows kept, rows missing by dimension and state; small classes pooled."""
    gone = [quoted(name) for name in _gone_columns(part)]
    sums = "".join(f", sum(p.{name}) AS {name}" for name in gone)
    seen, rows, code = f"coalesce(k.{quoted(_ROWS)}, 0)", f"p.{quoted(_ROWS)}", quoted(".code")
    floor = part.smallest_cell
    told = f"{rows} >= {floor}"
    columns = f"p.*, {seen} AS {quoted('.kept')}, CASE WHEN {told} THEN p.{code} ELSE '*' END AS {quoted('.told')}"
    same = f"p.{quoted(_PLACE)} = k.{quoted(_PLACE)} AND p.{code} = k.{code}"
    tables = f"({_grouped(part, population)}) p LEFT JOIN ({_grouped(part, kept)}) k ON {same}"
    joined = f"SELECT {columns} FROM {tables}"  # noqa: S608 (built from a checked spec)
    group = f"p.{quoted(_PLACE)}, p.{quoted('.told')}"
    totals = f"sum(p.{quoted(_ROWS)}) AS {quoted(_ROWS)}, sum(p.{quoted('.kept')}) AS {quoted('.kept')}"
    return f"SELECT {group}, {totals}{sums} FROM ({joined}) p GROUP BY {group}"  # noqa: S608 (likewise)


def _gone_columns(part: Representation) -> list[str]:
    """One column for each dimension and state of a missing value, dimensions first."""
    return [_GONE.format(place, letter) for place in range(len(part.dimensions)) for letter in _MISSING]


def _grouped(part: Representation, coded: str) -> str:
    """Counts of every class of every dimension in one pass."""
    names = [quoted(_CLASS.format(place)) for place in range(len(part.dimensions))]
    which = " ".join(f"WHEN {name} IS NOT NULL THEN {place}" for place, name in enumerate(names))
    flags = ", ".join(
        f"CASE WHEN substr({name}, 1, 1) = '{letter}' THEN 1 ELSE 0 END AS {quoted(_GONE.format(place, letter))}"
        for place, name in enumerate(names)
        for letter in _MISSING
    )
    code = f"coalesce({', '.join(names)}, '') AS {quoted('.code')}"
    gone = "".join(f", sum({quoted(name)}) AS {quoted(name)}" for name in _gone_columns(part))
    columns = f"CASE {which} END AS {quoted(_PLACE)}, {code}, count(*) AS {quoted(_ROWS)}{gone}"
    rows = f"SELECT *, {flags} FROM ({coded}) t"  # noqa: S608 (built from a checked spec)
    sets = ", ".join(f"({name})" for name in names)
    return f"SELECT {columns} FROM ({rows}) t GROUP BY GROUPING SETS ({sets})"  # noqa: S608 (likewise)


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
            for state in range(len(_MISSING))
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
    column = gone[0] * len(_MISSING) + gone[1]
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
        missing=_STATES[_MISSING[gone[1]]],
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
