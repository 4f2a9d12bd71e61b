"""Limits on finding somebody: counted while rows stream by, reached by leaving rows out, measured on the files written.

    stream ─► Crowd.count ─► Crowd.failing: the classes to leave out, or a refusal
    files  ─► measure: k, l, entropy l and t from the values written ─► require: what was promised holds, or a refusal

k counts people wherever the written fields, or the stream before them, tell people apart: five rows of one person hide
nobody. `curator.anonymity` names the sources of the limits. The measure classes rows by codes of 64 bits and lets the
engine count the exact classes beside them: two classes under one code would show, and are coded anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.anonymity import ClassCoder, ClassCounter, ClassLimits, Codes, PeopleCounter, Spread
from curator.arrow import distinct, first_words, from_integers, integers, token_words
from curator.errors import DisclosureError, IntegrityError
from curator.kernel import CLASS, ORDER, PERSON, SENSITIVE, BatchKernel
from curator.protocols import Engine
from curator.samples import DisclosureReport
from curator.spec import UseCase
from curator.spec.model import Disclosure
from curator.spec.people import people_of
from curator.sqltext import quoted

WRITTEN = "written"
COUNTED = ".rows"

_BATCH = 131_072
_CAP = 1_000  # people of a class beyond which the stream counts no further
_FEW = 16
_GOLD = np.uint64(0x9E3779B97F4A7C15)
_BOUNDS = (1, 2, 4, 9, 19, 49, 99)
_CODERS = 4  # keys tried before two classes under one code are called a fault
_DIGITS = 9
_READERS = 2  # files whose people are counted at a time


def limits_of(limits: Disclosure) -> ClassLimits:
    """What the words of a spec ask of every class."""
    return ClassLimits(
        k=limits.k,
        l=limits.l.value if limits.l else None,
        entropy_l=limits.entropy_l.value if limits.entropy_l else None,
        t=limits.t.value if limits.t else None,
        distance=limits.t.distance if limits.t else "equal",
    )


class Crowd:
    """Counts the classes of a stream, and says which are to be left out.

    Args:
        use_case: with limits and quasi-identifiers.
        kernel: which codes its classes.
    """

    def __init__(self, use_case: UseCase, kernel: BatchKernel) -> None:
        self._use_case, self._kernel, self._people = use_case, kernel, people_of(use_case)
        self._declared = use_case.disclosure or Disclosure(k=1)
        self._limits, self._classes = limits_of(self._declared), ClassCounter()
        self._coder = ClassCoder(kernel.class_key or b"", ())
        self._values: dict[int, Any] = {}
        self._kept: int | None = None
        self._before = [np.empty(0, np.uint64)]
        if self._people.told in ("files", "stream"):
            counted_again = self._people.told == "files"
            self._classes.count_people(self._limits.k if counted_again else max(self._limits.k, _CAP))

    def count_before(
        self, engine: Engine, files: Sequence[Path], *, whole: bool = False, tallied: Tallied | None = None
    ) -> None:
        """Count the rows of shards that stay, from the fields that make their classes.

        Args:
            engine: counts rows.
            files: the shards.
            whole: whether they are all of a version that holds these limits, so that each class has people enough.
            tallied: what they hold, counted already.

        Raises:
            DisclosureError: `persons-uncounted`, when people are counted and these files do not tell them apart.
        """
        if not files:
            return
        if self._people.told == "stream":
            raise _uncounted(self._use_case)
        kernel = self._kernel
        engine.define_files(WRITTEN, files)
        extra = [kernel.sensitive] if kernel.sensitive else []
        keys = ", ".join(map(quoted, dict.fromkeys([*kernel.quasi, *extra])))
        counted = f"SELECT {keys}, count(*) AS {quoted(COUNTED)} FROM {quoted(WRITTEN)} GROUP BY {keys}"  # noqa: S608
        for batch in tallied.batches if tallied else engine.batches(counted, rows=_BATCH):
            codes, sensitive = kernel.class_codes(batch)
            self._before.append(distinct(codes))
            self._learn(batch)
            self._classes.add_counted(codes, integers(batch.column(COUNTED)), sensitive=sensitive)
        people = self._classes.people
        if people is not None and whole:
            people.let_go(np.concatenate(self._before))
        elif people is not None:
            coder = ClassCoder(kernel.class_key or b"", kernel.quasi)
            people.merge(_people_in(files, self._people.fields, coder=coder, cap=people.cap))

    def count(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count a protected batch; what only the counting needed is taken off it."""
        names, codes = batch.schema.names, integers(batch.column(CLASS))
        sensitive = integers(batch.column(SENSITIVE)) if SENSITIVE in names else None
        self._learn(batch)
        self._classes.add(codes, sensitive)
        if self._classes.people is not None:
            self._classes.people.add(codes, self._persons(batch))
        return batch.drop_columns([name for name in (SENSITIVE, PERSON) if name in names])

    def counted(self) -> tuple[ClassCounter, dict[int, Any]]:
        """What was counted, without what counts it, for `merge` elsewhere."""
        return self._classes, self._values

    def merge(self, counted: tuple[ClassCounter, Mapping[int, Any]]) -> None:
        """Add what was counted elsewhere of the same use case."""
        self._classes.merge(counted[0])
        self._values |= counted[1]

    def failing(self, accepted: int, *, allowed: bool) -> Codes:
        """Class codes to leave out.

        Raises:
            DisclosureError: `too-rare`, when they hold more rows than may be left out, or all of them.
        """
        codes, rows = self._classes.failing(self._limits, order=self._order())
        if rows and (not allowed or rows > self._declared.suppress * accepted or rows == accepted):
            raise _too_rare(self._use_case, counts=(rows, accepted, len(codes)), allowed=allowed)
        if self._classes.people is not None and self._people.told == "stream":
            classes, people = self._classes.people.counts()
            left = people[~np.isin(classes, codes)]
            self._kept = int(left.min(initial=accepted)) if len(left) else 0
        return codes

    def among_before(self, codes: Codes) -> bool:
        """Whether any of some classes is one of the shards that stay."""
        return bool(np.isin(np.concatenate(self._before), codes).any())

    @property
    def fewest(self) -> int | None:
        """People of the smallest class that stays, where only the stream tells; counted up to a thousand."""
        return self._kept

    def _persons(self, batch: pa.RecordBatch) -> Codes:
        """A code of whose each row is; a row about nobody known is of somebody of its own."""
        if self._people.told == "stream":
            return integers(batch.column(PERSON))
        codes = person_codes(batch, self._people.fields, coder=self._coder)
        known = known_people(batch, self._people.fields)
        return codes if known.all() else np.where(known, codes, token_words(batch.column(ORDER))[:, 0])

    def _learn(self, batch: pa.RecordBatch) -> None:
        """Remember the sensitive values behind their codes, where their order matters."""
        if self._limits.t is not None and self._limits.distance == "ordered" and self._kernel.sensitive:
            distinct = pc.unique(batch.column(self._kernel.sensitive)).drop_null()
            codes = self._coder.value_codes(distinct).tolist()
            if any(code not in self._values for code in codes):
                self._values |= dict(zip(codes, distinct.to_pylist(), strict=True))

    def _order(self) -> Mapping[int, int] | None:
        ranked = sorted(self._values, key=self._values.__getitem__)
        return {code: rank for rank, code in enumerate(ranked)} if ranked else None


def person_codes(batch: pa.RecordBatch, fields: Sequence[str], *, coder: ClassCoder) -> Codes:
    """A code of the fields that say together whom a row is about: of tokens their first 8 bytes."""
    total: Codes | None = None
    for name in fields:
        column = batch.column(name)
        if pa.types.is_binary(column.type):  # as an engine hands tokens over
            column = pc.binary_slice(column, 0, 8).cast(pa.binary(8))
        binary = pa.types.is_fixed_size_binary(column.type)
        codes = first_words(column) if binary else coder.value_codes(column)
        total = codes if total is None else total * _GOLD + codes
    return np.zeros(len(batch), np.uint64) if total is None else total


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


# ---- the files -------------------------------------------------------------------------------------------------------


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
    return tuple(engine.batches(counted, rows=_BATCH))


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
    raise _coded_alike()


def _in_files(files: Sequence[Path], quasi: Sequence[str], *, fields: Sequence[str], classes: int, cap: int) -> int:
    """People of the smallest class; rows about nobody known are each about somebody of their own.

    A class is counted up to `cap`, and further only when none has fewer: the files are read again then.
    """
    for coder in _coders(quasi):
        while True:
            found, people = _people_in(files, fields, coder=coder, cap=cap).counts()
            if len(found) < classes:
                break  # two classes under one code
            if int(people.min()) < cap:
                return int(people.min())
            cap *= 1_000
    raise _coded_alike()


def _people_in(files: Sequence[Path], fields: Sequence[str], *, coder: ClassCoder, cap: int) -> PeopleCounter:
    """People of the classes of some files, several of which are read at a time."""
    counter, turn = PeopleCounter(cap), threading.Lock()
    before = np.cumsum([0, *(parquet.read_metadata(path).num_rows for path in files)])

    def count(place: int) -> None:
        for codes, persons in _rows(files[place], fields, coder=coder, seen=int(before[place])):
            with turn:
                counter.add(codes, persons)

    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(count, range(len(files))))  # raises what one of them raised
    return counter


def _rows(path: Path, fields: Sequence[str], *, coder: ClassCoder, seen: int = 0) -> Iterator[tuple[Codes, Codes]]:
    """Class and person of each row of a file, batch by batch; `seen` rows came before.

    Texts come as the dictionaries they were written with, which saves coding each value.
    """
    names = list(dict.fromkeys([*coder.columns, *fields]))
    schema = parquet.read_schema(path)
    texts = [name for name in names if pa.types.is_string(schema.field(name).type)]
    with parquet.ParquetFile(path, read_dictionary=texts) as source:
        for batch in source.iter_batches(batch_size=_BATCH, columns=names):
            persons, known = person_codes(batch, fields, coder=coder), known_people(batch, fields)
            if not known.all():
                alone = np.arange(seen, seen + len(batch), dtype=np.uint64) * _GOLD
                persons = np.where(known, persons, alone)
            yield coder.codes(batch), persons
            seen += len(batch)


def known_people(batch: pa.RecordBatch, fields: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows are about somebody known."""
    known = np.zeros(len(batch), np.bool_)
    for name in fields:
        column = batch.column(name)
        if not column.null_count:
            return np.ones(len(batch), np.bool_)
        known |= integers(pc.cast(column.is_valid(), pa.uint8())) == 1
    return known


def _coders(quasi: Sequence[str]) -> Iterator[ClassCoder]:
    """Coders of classes under a few known keys: codes stay here, and equal files give equal measures."""
    return (ClassCoder(bytes([number]) * 32, quasi) for number in range(_CODERS))


# ---- refusals --------------------------------------------------------------------------------------------------------


def _too_rare(use_case: UseCase, *, counts: tuple[int, int, int], allowed: bool) -> DisclosureError:
    """The refusal of (rows, accepted rows, classes) below the limits; `allowed` when suppression was possible."""
    limits, (rows, accepted, classes) = use_case.disclosure or Disclosure(k=1), counts
    most = f"at most {limits.suppress:.2%} of the rows to suppress (`disclosure.suppress`)"
    if rows <= limits.suppress * accepted:  # every row, and every row may be
        most = "a row that is left once those below the limits are suppressed"
    return DisclosureError(
        "too-rare",
        asked=f"write {use_case.ref} with {_wanted(use_case, limits)} over {', '.join(use_case.quasi_identifiers())}",
        found=f"{rows:,} of {accepted:,} rows ({rows / accepted:.2%}) in {classes:,} classes below the limits",
        expected=most if allowed else "no row below the limits: rows in the engine's order cannot be suppressed",
        todo="make a quasi-identifier coarser, drop one, or "
        + ("allow more suppression in the spec" if allowed else "write in keyed order"),
    )


def _wanted(use_case: UseCase, limits: Disclosure) -> str:
    unit = "rows" if people_of(use_case).told in ("rows", "alone") else "people"
    wanted = [f"k >= {limits.k} {unit}"]
    wanted += [f"l >= {limits.l.value}"] if limits.l else []
    wanted += [f"entropy l >= {limits.entropy_l.value:g}"] if limits.entropy_l else []
    wanted += [f"t <= {limits.t.value:g} ({limits.t.distance} distance)"] if limits.t else []
    return " and ".join(wanted) + (f" of `{limits.sensitive}`" if limits.sensitive else "")


def _uncounted(use_case: UseCase) -> DisclosureError:
    return DisclosureError(
        "persons-uncounted",
        asked=f"add rows to {use_case.name} and count the people of each class",
        found="files of the version before that do not tell people apart",
        expected="a token of every column of `extract.entity` in the files, or all rows read again",
        todo="refresh with `--full`, write the entity as a token, or declare `count: rows` in the spec",
    )


def _coded_alike() -> IntegrityError:
    return IntegrityError(
        "classes-coded-alike",
        asked="measure how alike people are in the files written",
        found=f"classes that share a code of 64 bits under each of {_CODERS} keys",
        expected="a code of its own for each class",
        todo="run again; if it repeats, report the fault with the spec and no data",
    )
