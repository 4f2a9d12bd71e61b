"""The classes of a stream, counted while it passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.anonymity import ClassCoder, ClassCounter, ClassLimits, Codes
from curator.arrow import distinct, integers, token_words
from curator.disclosure._measure import COUNTED, WRITTEN, Tallied
from curator.disclosure._people import BATCH, known_people, people_in, person_codes
from curator.disclosure._refusals import too_rare, uncounted
from curator.kernel import CLASS, ORDER, PERSON, SENSITIVE, BatchKernel
from curator.protocols import Engine
from curator.spec import UseCase
from curator.spec.model import Disclosure
from curator.spec.people import people_of
from curator.sqltext import quoted

_CAP = 1_000  # people of a class beyond which the stream counts no further


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
            raise uncounted(self._use_case)
        kernel = self._kernel
        engine.define_files(WRITTEN, files)
        extra = [kernel.sensitive] if kernel.sensitive else []
        keys = ", ".join(map(quoted, dict.fromkeys([*kernel.quasi, *extra])))
        counted = f"SELECT {keys}, count(*) AS {quoted(COUNTED)} FROM {quoted(WRITTEN)} GROUP BY {keys}"  # noqa: S608
        for batch in tallied.batches if tallied else engine.batches(counted, rows=BATCH):
            codes, sensitive = kernel.class_codes(batch)
            self._before.append(distinct(codes))
            self._learn(batch)
            self._classes.add_counted(codes, integers(batch.column(COUNTED)), sensitive=sensitive)
        people = self._classes.people
        if people is not None and whole:
            people.let_go(np.concatenate(self._before))
        elif people is not None:
            coder = ClassCoder(kernel.class_key or b"", kernel.quasi)
            people.merge(people_in(files, self._people.fields, coder=coder, cap=people.cap))

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
            raise too_rare(self._use_case, counts=(rows, accepted, len(codes)), allowed=allowed)
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
