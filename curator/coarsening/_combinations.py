"""The distinct combinations of a sample's values, with their rows and people, as the engine groups them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, without_chunks
from curator.expressions import parse
from curator.generalising import Merged, People, Tuples, build_hierarchy, compact, people_of
from curator.kernel import entity_codes
from curator.samples import SAMPLE, CheckedSample, entity_forms
from curator.spec import people as spec_people
from curator.spec.model import GeneralisationSearch
from curator.spec.searching import leaf
from curator.sqltext import TEXT, quoted

Numbers = npt.NDArray[np.int64]

_BATCH = 131_072
_ROWS, _VALUE, _ENTITY = "n", "q{}", "e{}"


def tuples_of(
    checked: CheckedSample, search: GeneralisationSearch, *, folder: Path, merged: Mapping[str, Merged] | None = None
) -> tuple[Tuples, dict[str, str]]:
    """The distinct combinations of the quasi-identifiers, and the formula of each one's finest value."""
    use_case, merged = checked.sample.use_case, merged or {}
    leaves = {
        name: leaf(name, search.fields.get(name), spec=use_case) for name in use_case.quasi_identifiers()
    }  # fmt: skip
    sensitive = use_case.disclosure.sensitive if use_case.disclosure else None
    counts = counted(
        checked, list(leaves.values()), sensitive=[leaf(sensitive, None, spec=use_case)] if sensitive else []
    )
    hierarchies, codes = [], []
    for (name, formula), column, numbers in zip(leaves.items(), counts.columns, counts.codes, strict=False):
        values = _with_merged(column.values, merged.get(name))
        distinct = sorted(set(values), key=lambda text: (text is None, text or ""))
        hierarchy = build_hierarchy(name, search.fields.get(name), value=formula, values=distinct, folder=folder)
        hierarchies.append(hierarchy)
        codes.append(hierarchy.places(values)[numbers])
    last = counts.columns[-1]
    tuples = Tuples(
        hierarchies=tuple(hierarchies),
        codes=np.stack(codes),
        rows=counts.rows,
        sensitive=last.ordered()[counts.codes[-1]] if sensitive else None,
        values=len(last.values) if sensitive else 0,
        hollow=sensitive is not None and None in last.values,
        people=counts.people,
    )
    return tuples, leaves


def _with_merged(values: Sequence[str | None], merged: Merged | None) -> list[str | None]:
    if merged is None:
        return list(values)
    kept = {str(value) for value in merged.kept.to_pylist()}
    other = str(merged.other[0].as_py())
    return [text if text is None or text in kept else other for text in values]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Distinct combinations: numbers of their values, rows, and people where people are counted."""

    columns: tuple[_Values, ...]
    codes: Numbers
    rows: Numbers
    people: People | None


def counted(checked: CheckedSample, leaves: Sequence[str], *, sensitive: Sequence[str]) -> Counts:
    """Group the accepted rows in the engine by the values of formulas, and by person where people are counted."""
    use_case = checked.sample.use_case
    forms = entity_forms(use_case) if spec_people.people_of(use_case).told in ("files", "stream") else ()
    entity = [f"CAST({quoted(name)} AS {TEXT})" for name in use_case.extract.entity] if forms else []
    columns = tuple(_Values() for _ in (*leaves, *sensitive))
    parts: list[tuple[Numbers, Numbers, Any, Any]] = []
    for batch in checked.sample.engine.batches(_grouped(checked, [*leaves, *sensitive], entity=entity), rows=_BATCH):
        numbers = np.stack([values.of(batch.column(place)) for place, values in enumerate(columns)])
        rows = integers(pc.cast(without_chunks(batch.column(_ROWS)), pa.int64())).copy()
        named = [batch.column(_ENTITY.format(place)) for place in range(len(entity))]
        whose, known = entity_codes(named, forms) if forms else (np.empty(0, np.uint64), np.empty(0, np.bool_))
        parts.append((numbers, rows, whose, known))
    return _folded(columns, parts, people=bool(forms))


def _folded(
    columns: tuple[_Values, ...], parts: Sequence[tuple[Numbers, Numbers, Any, Any]], *, people: bool
) -> Counts:
    """Combinations once each, in the order of their values; their people beside them."""
    none = np.empty(0, np.int64)
    parts = parts or [(np.empty((len(columns), 0), np.int64), none, none.astype(np.uint64), none.astype(np.bool_))]
    numbers = np.concatenate([part[0] for part in parts], axis=1)
    numbers = np.stack([values.sorted()[codes] for values, codes in zip(columns, numbers, strict=True)])
    rows, whose, known = (np.concatenate([part[place] for part in parts]) for place in (1, 2, 3))
    code, _ = compact(list(numbers), [max(len(values.values), 1) for values in columns])
    _, first, places = np.unique(code, return_index=True, return_inverse=True)
    summed = np.bincount(places, rows, minlength=len(first)).astype(np.int64)
    found = None
    if people:
        alone = np.bincount(places[~known], rows[~known], minlength=len(first)).astype(np.int64)
        persons = np.unique(whose[known], return_inverse=True)[1]
        found = people_of(places[known], persons, count=len(first), alone=alone)
    for values in columns:
        values.sort()
    return Counts(columns=columns, codes=numbers[:, first], rows=summed, people=found)


def _grouped(checked: CheckedSample, formulas: Sequence[str], *, entity: Sequence[str]) -> str:
    """SQL of the distinct combinations of the accepted rows."""
    types, dialect = checked.sample.scope.expression_types(), checked.sample.engine.dialect
    names = [_VALUE.format(place) for place in range(len(formulas))]
    cells = [
        f"CAST({parse(formula, types).sql(dialect)} AS {TEXT}) AS {quoted(name)}"
        for formula, name in zip(formulas, names, strict=True)
    ]
    people = [_ENTITY.format(place) for place in range(len(entity))]
    cells += [f"{cell} AS {quoted(name)}" for cell, name in zip(entity, people, strict=True)]
    kept = " AND ".join(f"NOT coalesce(({bit.sql}), false)" for bit in checked.bits if bit.rejects) or "true"
    listed = ", ".join(map(quoted, [*names, *people]))
    inner = f"SELECT {', '.join(cells)} FROM {quoted(SAMPLE)} WHERE {kept}"  # noqa: S608 (built from a checked spec)
    return f"SELECT {listed}, count(*) AS {_ROWS} FROM ({inner}) t GROUP BY {listed}"  # noqa: S608


class _Values:
    """Numbers for the distinct texts of a column, in the order in which they come; sorted once all are there."""

    def __init__(self) -> None:
        self.values: list[str | None] = []
        self._known: dict[str | None, int] = {}

    def of(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """The number of each value."""
        encoded = pc.dictionary_encode(without_chunks(column), null_encoding="encode")
        numbers = np.array([self._number(text) for text in encoded.dictionary.to_pylist()], np.int64)
        return numbers[integers(encoded.indices)] if len(numbers) else np.empty(0, np.int64)

    def sorted(self) -> Numbers:
        """The place of each number when the texts are sorted, none first."""
        order = sorted(range(len(self.values)), key=lambda number: _rank(self.values[number], numeric=False))
        return _places(order)

    def sort(self) -> None:
        """Number the texts in their order."""
        self.values.sort(key=lambda text: _rank(text, numeric=False))

    def ordered(self) -> Numbers:
        """Places of the values in their order: as numbers where all are, as text otherwise, none first."""
        numeric = all(_is_number(text) for text in self.values if text is not None)
        return _places(
            sorted(range(len(self.values)), key=lambda number: _rank(self.values[number], numeric=numeric))
        )  # fmt: skip

    def _number(self, text: str | None) -> int:
        if text not in self._known:
            self._known[text] = len(self.values)
            self.values.append(text)
        return self._known[text]


def _places(order: Sequence[int]) -> Numbers:
    places = np.empty(len(order), np.int64)
    places[list(order)] = np.arange(len(order))
    return places


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
