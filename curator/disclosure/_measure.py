"""The limits, measured on the files written, from their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.anonymity import ClassCoder, ClassCounter, Spread
from curator.arrow import from_integers, integers
from curator.disclosure._people import BATCH, people_in
from curator.disclosure._refusals import coded_alike
from curator.errors import DisclosureError
from curator.protocols import Engine
from curator.samples import DisclosureReport
from curator.spec import UseCase
from curator.spec.model import Disclosure
from curator.spec.people import people_of
from curator.sqltext import quoted

WRITTEN = "written"
COUNTED = ".rows"
_FEW = 16
_BOUNDS = (1, 2, 4, 9, 19, 49, 99)
_CODERS = 4  # keys tried before two classes under one code are called a fault
_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class Tallied:
    """What was counted in files, or of some and then of the others.

    Attributes:
        batches: each combination of quasi-identifiers (and sensitive value) once, with its rows.
        fewest: people of the smallest class, where the files tell people apart.
    """

    batches: tuple[pa.RecordBatch, ...]
    fewest: int | None


def measure(
    engine: Engine, use_case: UseCase, *, files: Sequence[Path], suppressed: int = 0, streamed: int | None = None,
    tallied: Tallied | None = None,
) -> DisclosureReport | None:  # fmt: skip
    """Measure the limits of a use case on its files, from their values; None where nothing calls for it.

    Nulls of a quasi-identifier are one value (rows without a value are alike); a null counts as no value of the
    sensitive field.

    Args:
        engine: counts classes.
        use_case: whose limits.
        files: Parquet shards of one schema.
        suppressed: rows left out of them.
        streamed: people of the smallest class, as counted before the files were written.
        tallied: what the files hold, counted already.
    """
    limits, quasi = use_case.disclosure, use_case.quasi_identifiers()
    if limits is None or not quasi:
        return None
    engine.define_files(WRITTEN, files)
    batches = tallied.batches if tallied else None
    if batches is None and limits.sensitive is not None:
        batches = _combinations(engine, quasi, sensitive=limits.sensitive)
    rows, classes, k, sizes = _sizes_of(batches, quasi) if batches else _sizes(engine, quasi)
    people = people_of(use_case)
    figures: dict[str, Any] = {}
    fewest = {"alone": k, "stream": streamed}.get(people.told)
    if people.told == "files" and tallied:
        fewest = tallied.fewest
    elif people.told == "files":
        fewest = (
            _in_files(files, quasi, fields=people.fields, classes=classes, cap=max(2 * limits.k, _FEW)) if rows else 0
        )
    if limits.sensitive is not None and batches is not None:
        spread = _spread(batches, quasi, sensitive=limits.sensitive, classes=classes)
        distance = limits.t.distance if limits.t else "equal"
        far = spread.distances(distance=distance).max(initial=0.0)
        figures = {
            "l": int(spread.distinct().min(initial=spread.width)),
            "entropy_l": round(float(spread.diversity().min(initial=max(spread.width, 1))), _DIGITS),
            "t": round(float(far), _DIGITS),
            "distance": distance,
            "sensitive": limits.sensitive,
        }
    return DisclosureReport(
        rows=rows, quasi_identifiers=quasi, classes=classes, k=k, suppressed=suppressed, sizes=sizes,
        k_persons=fewest, people=people.told, **figures,
    )  # fmt: skip


def require(use_case: UseCase, found: DisclosureReport | None) -> None:
    """Refuse files that do not hold what the spec promises.

    Raises:
        DisclosureError: `disclosure-measured`.
    """
    limits = use_case.disclosure
    if limits is None or found is None:
        return
    pairs = list(_promised(limits, found))
    if all(held for held, _, _ in pairs):
        return
    raise DisclosureError(
        "disclosure-measured",
        asked=f"keep the limits of {use_case.ref} in the files written",
        found=", ".join(text for _, text, _ in pairs),
        expected=", ".join(text for _, _, text in pairs),
        todo="run again; if it repeats, generalise further, since suppression and measure disagree",
    )


def _promised(limits: Disclosure, found: DisclosureReport) -> Iterator[tuple[bool, str, str]]:
    """For each limit: whether it holds, what was found, what was promised."""
    unit = "rows" if found.k_persons is None else "people"
    k = found.k if found.k_persons is None else found.k_persons
    yield k >= limits.k, f"k = {k} {unit}", f"k >= {limits.k} {unit}"
    slack = 10.0**-_DIGITS
    if limits.l is not None:
        yield (found.l or 0) >= limits.l.value, f"l = {found.l}", f"l >= {limits.l.value}"
    if limits.entropy_l is not None:
        wanted, held = limits.entropy_l.value, found.entropy_l or 0.0
        yield held >= wanted - slack, f"entropy l = {held:.3f}", f"entropy l >= {wanted:g}"
    if limits.t is not None:
        far = 1.0 if found.t is None else found.t
        yield far <= limits.t.value + slack, f"t = {far:.4f}", f"t <= {limits.t.value:g}"


def _sizes(engine: Engine, quasi: Sequence[str]) -> tuple[int, int, int, dict[str, int]]:
    """Rows, classes, rows of the smallest class, rows by size of class: one group-by on the values."""
    keys = ", ".join(map(quoted, quasi))
    grouped = f"SELECT count(*) AS n FROM {quoted(WRITTEN)} GROUP BY {keys}"  # noqa: S608
    binned = ", ".join(
        f"coalesce(sum(CASE WHEN n > {low} AND n <= {high} THEN n END), 0)"
        for low, high in zip((0, *_BOUNDS[:-1]), _BOUNDS, strict=True)
    )
    figures = f"coalesce(sum(n), 0), count(*), coalesce(min(n), 0), {binned}"
    rows, classes, k, *counts = engine.rows(f"SELECT {figures} FROM ({grouped}) g")[0]  # noqa: S608
    sizes = {str(bound): int(count) for bound, count in zip(_BOUNDS, counts, strict=True)}
    sizes["more"] = int(rows) - sum(sizes.values())
    return int(rows), int(classes), int(k), sizes


def _sizes_of(batches: Sequence[pa.RecordBatch], quasi: Sequence[str]) -> tuple[int, int, int, dict[str, int]]:
    """The same from combinations and their rows."""
    counts = integers(summed(pa.Table.from_batches(batches), quasi).column(COUNTED).combine_chunks())
    bins = np.bincount(np.searchsorted(np.array(_BOUNDS), counts), counts, minlength=len(_BOUNDS) + 1)
    names = [*map(str, _BOUNDS), "more"]
    sizes = {name: int(rows) for name, rows in zip(names, bins.tolist(), strict=True)}
    return int(counts.sum()), len(counts), int(counts.min(initial=counts.sum())), sizes


def summed(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows of each combination of some columns, added up. Arrow's own `group_by` would import pandas."""
    groups = np.zeros(len(table), np.int64)
    for name in keys:
        encoded = pc.dictionary_encode(table.column(name).combine_chunks(), null_encoding="encode")
        groups = groups * max(len(encoded.dictionary), 1) + integers(encoded.indices)
        _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    counts = np.zeros(len(first), np.int64)
    np.add.at(counts, groups, integers(table.column(COUNTED).combine_chunks()))
    found = table.select(list(keys)).take(from_integers(first, pa.int64()))
    return found.append_column(COUNTED, from_integers(counts, pa.int64()))


def _combinations(engine: Engine, quasi: Sequence[str], *, sensitive: str) -> tuple[pa.RecordBatch, ...]:
    """Each combination of quasi-identifiers and sensitive value, with its rows."""
    keys = ", ".join(map(quoted, dict.fromkeys([*quasi, sensitive])))
    counted = f"SELECT {keys}, count(*) AS {quoted(COUNTED)} FROM {quoted(WRITTEN)} GROUP BY {keys}"  # noqa: S608
    return tuple(engine.batches(counted, rows=BATCH))


def _spread(batches: Sequence[pa.RecordBatch], quasi: Sequence[str], *, sensitive: str, classes: int) -> Spread:
    """How the sensitive values lie in the classes, from the distinct combinations and their rows."""
    values = pc.unique(pa.chunked_array([batch.column(sensitive) for batch in batches])) if batches else pa.array([])
    known = values.drop_null()
    ranked = pc.take(known, pc.sort_indices(known))
    for coder in _coders(quasi):
        counter = ClassCounter()
        for batch in batches:
            codes, cells = coder.codes(batch), coder.value_codes(batch.column(sensitive))
            counter.add_counted(codes, integers(pc.cast(batch.column(COUNTED), pa.int64())), sensitive=cells)
        if len(counter.classes()[0]) >= classes:
            return counter.spread({code: rank for rank, code in enumerate(coder.value_codes(ranked).tolist())})
    raise coded_alike(_CODERS)


def _in_files(files: Sequence[Path], quasi: Sequence[str], *, fields: Sequence[str], classes: int, cap: int) -> int:
    """People of the smallest class; rows about nobody known are each about somebody of their own.

    A class is counted up to `cap`, and further only when none has fewer: the files are read again then.
    """
    for coder in _coders(quasi):
        while True:
            found, people = people_in(files, fields, coder=coder, cap=cap).counts()
            if len(found) < classes:
                break  # two classes under one code
            if int(people.min()) < cap:
                return int(people.min())
            cap *= 1_000
    raise coded_alike(_CODERS)


def _coders(quasi: Sequence[str]) -> Iterator[ClassCoder]:
    """Coders of classes under a few known keys: codes stay here, and equal files give equal measures."""
    return (ClassCoder(bytes([number]) * 32, quasi) for number in range(_CODERS))
