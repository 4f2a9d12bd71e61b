"""`generalise`: distinct combinations counted in the engine, the lattice searched on them; no row leaves the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, without_chunks
from curator.capital._curation import RunOptions, source_paths
from curator.edges.durable import disk_errors
from curator.engines import open_engine
from curator.errors import SpecError
from curator.expressions import parse
from curator.extraction import extract
from curator.generalising import Generalisation, Limits, Tuples, build_hierarchy, generalise
from curator.quality import check
from curator.samples import SAMPLE, CheckedSample
from curator.spec import UseCase
from curator.spec.model import GeneralisationSearch
from curator.spec.searching import leaf
from curator.sqltext import quoted

if TYPE_CHECKING:
    from curator.capital import Capital

_BATCH = 131_072
_ROWS, _SENSITIVE, _VALUE = "n", "s", "q{}"


def search_levels(capital: Capital, spec: Path, use_case: UseCase, *, options: RunOptions) -> Generalisation:
    """Search the best generalisation of a spec's quasi-identifiers; see `Capital.generalise`."""
    wanted = _wanted(use_case)
    workspace = capital.workspace
    with (
        disk_errors(workspace.root, asked=f"search the levels of {use_case.ref}"),
        workspace.scratch("generalise") as place,
    ):
        engine = open_engine(options.engine, scratch=place, threads=options.threads, memory=options.memory)
        try:
            paths = source_paths(use_case, spec_folder=spec.parent, options=options)
            checked = check(extract(use_case, engine=engine, paths=paths))
            return generalise(_tuples(checked, wanted, folder=spec.parent), _limits(use_case, wanted))
        finally:
            engine.close()


def _wanted(use_case: UseCase) -> GeneralisationSearch:
    if use_case.disclosure is not None and use_case.disclosure.search is not None:
        return use_case.disclosure.search
    raise SpecError(
        "search-absent",
        asked=f"search the best generalisation of {use_case.ref}",
        found="no `disclosure.search` in the spec",
        expected="the fields that may grow coarser, and how",
        todo="add `search: {fields: {age_band: {of: age, bands: [5, 10, 20]}}}` under `disclosure`",
    )


def _limits(use_case: UseCase, wanted: GeneralisationSearch) -> Limits:
    limits = use_case.disclosure
    if limits is None:  # pragma: no cover (a search is a part of it)
        return Limits(k=1)
    return Limits(
        k=limits.k, l=limits.l.value if limits.l else None,
        entropy_l=limits.entropy_l.value if limits.entropy_l else None,
        t=limits.t.value if limits.t else None, distance=limits.t.distance if limits.t else "equal",
        suppress=limits.suppress,
    )  # fmt: skip


def _tuples(checked: CheckedSample, wanted: GeneralisationSearch, *, folder: Path) -> Tuples:
    """Group the accepted rows in the engine and number their values."""
    use_case = checked.sample.use_case
    names = use_case.quasi_identifiers()
    leaves = [leaf(name, wanted.fields.get(name), spec=use_case) for name in names]
    sensitive = _sensitive(use_case, wanted)
    columns = [_Numbers() for _ in (*names, *sensitive)]
    parts: list[list[npt.NDArray[np.int32]]] = []
    rows: list[npt.NDArray[np.int64]] = []
    for batch in checked.sample.engine.batches(_grouped(checked, leaves, sensitive), rows=_BATCH):
        parts.append([numbers.of(batch.column(place)) for place, numbers in enumerate(columns)])
        rows.append(integers(pc.cast(without_chunks(batch.column(_ROWS)), pa.int64())).copy())
    empty = [np.empty(0, np.int32)]
    joined = [np.concatenate([part[place] for part in parts] or empty) for place in range(len(columns))]
    hierarchies, codes = [], []
    for name, formula, numbers, column in zip(names, leaves, columns, joined, strict=False):
        hierarchy = build_hierarchy(
            name, wanted.fields.get(name), value=formula, values=numbers.values, folder=folder
        )  # fmt: skip
        hierarchies.append(hierarchy)
        codes.append(hierarchy.places(numbers.values)[column])
    return Tuples(
        hierarchies=tuple(hierarchies),
        codes=np.stack(codes),
        rows=np.concatenate(rows or [np.empty(0, np.int64)]),
        sensitive=columns[-1].ordered()[joined[-1]] if sensitive else None,
        values=len(columns[-1].values) if sensitive else 0,
        hollow=bool(sensitive) and None in columns[-1].values,
    )


def _sensitive(use_case: UseCase, wanted: GeneralisationSearch) -> list[str]:
    """The formula of the sensitive value, when one is limited."""
    column = use_case.disclosure.sensitive if use_case.disclosure else None
    return [leaf(column, None, spec=use_case)] if column else []


def _grouped(checked: CheckedSample, leaves: Sequence[str], sensitive: Sequence[str]) -> str:
    """SQL of the distinct combinations of the accepted rows, in an order that reproduces."""
    types, dialect = checked.sample.scope.expression_types(), checked.sample.engine.dialect
    names = [*(_VALUE.format(place) for place in range(len(leaves))), *([_SENSITIVE] if sensitive else [])]
    cells = [
        f"CAST({parse(formula, types).sql(dialect)} AS VARCHAR) AS {quoted(name)}"
        for formula, name in zip((*leaves, *sensitive), names, strict=True)
    ]
    kept = " AND ".join(f"NOT coalesce(({bit.sql}), false)" for bit in checked.bits if bit.rejects) or "true"
    listed = ", ".join(map(quoted, names))
    inner = f"SELECT {', '.join(cells)} FROM {quoted(SAMPLE)} WHERE {kept}"  # noqa: S608 (built from a checked spec)
    return f"SELECT {listed}, count(*) AS {_ROWS} FROM ({inner}) t GROUP BY {listed} ORDER BY {listed}"  # noqa: S608


class _Numbers:
    """Numbers for the distinct texts of a column, in the order in which they come."""

    def __init__(self) -> None:
        self.values: list[str | None] = []
        self._known: dict[str | None, int] = {}

    def of(self, column: pa.Array) -> npt.NDArray[np.int32]:
        """The number of each value."""
        encoded = pc.dictionary_encode(without_chunks(column), null_encoding="encode")
        numbers = np.array([self._number(text) for text in encoded.dictionary.to_pylist()], np.int32)
        return numbers[integers(encoded.indices)] if len(numbers) else np.empty(0, np.int32)

    def ordered(self) -> npt.NDArray[np.int64]:
        """Places of the values in their order: as numbers where all are, as text otherwise, none first."""
        numeric = all(_is_number(text) for text in self.values if text is not None)
        order = sorted(range(len(self.values)), key=lambda number: _rank(self.values[number], numeric=numeric))
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return places

    def _number(self, text: str | None) -> int:
        if text not in self._known:
            self._known[text] = len(self.values)
            self.values.append(text)
        return self._known[text]


def _rank(text: str | None, *, numeric: bool) -> tuple[Any, ...]:
    if text is None:
        return (0,)
    return (1, float(text)) if numeric else (1, text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
