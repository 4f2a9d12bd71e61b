"""Extracted rows with the rules they must meet, and what counting them found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.arrow import integers
from curator.errors import QualityError
from curator.samples._sample import SAMPLE, Sample
from curator.samples._step import MASK, Masks, accepted
from curator.sqltext import quoted
from curator.suite import Counts, RowRule, Rule, Suite, UniqueRule, results, verdict

_BITS = 30  # of a 32-bit signed integer, so that every engine adds them without overflow


@dataclass(frozen=True, kw_only=True)
class Bit:
    """One bit of the mask.

    Attributes:
        name: rule id, or `missing: FORMULA` for rows a rule does not look at.
        sql: engine condition that sets it.
        rejects: whether a row with this bit is set apart.
        reason: why, without any value.
    """

    name: str
    sql: str
    rejects: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckedSample:
    """A sample with the rules its rows must meet, still in the engine.

    Attributes:
        sample: what is checked.
        suite: the compiled expectations.
        bits: the mask's bits; the first rejecting bit of a row is its reason.
        figures, unique: what the queries before the stream found.
        implied: uniqueness rules that hold as long as no row key repeats -> their failing rows, counted when called.
    """

    sample: Sample
    suite: Suite
    bits: tuple[Bit, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)
    unique: Mapping[str, int] = field(default_factory=dict)
    implied: Mapping[str, Callable[[], int]] = field(default_factory=dict)

    def mask_columns(self) -> list[str]:
        """SQL of the mask columns: a sum of powers of two each, which every engine adds alike."""
        groups = [self.bits[start : start + _BITS] for start in range(0, len(self.bits), _BITS)]
        return [
            "CAST("
            + " + ".join(f"CASE WHEN {bit.sql} THEN {1 << place} ELSE 0 END" for place, bit in enumerate(group))
            + f" AS INTEGER) AS {quoted(MASK.format(index))}"
            for index, group in enumerate(groups)
        ]

    def masks(self, batch: pa.RecordBatch) -> list[Masks]:
        """The mask columns of a batch."""
        count = -(-len(self.bits) // _BITS)
        return [integers(batch.column(MASK.format(index))) for index in range(count)]

    def accepted(self, masks: Sequence[Masks], rows: int) -> npt.NDArray[np.bool_]:
        """Rows with no rejecting bit."""
        return accepted(masks, self.rejecting, rows=rows)

    @property
    def rejecting(self) -> tuple[int, ...]:
        """For each mask column, the bits that reject a row."""
        groups = [self.bits[start : start + _BITS] for start in range(0, len(self.bits), _BITS)]
        return tuple(sum(1 << place for place, bit in enumerate(group) if bit.rejects) for group in groups)

    def run(self) -> QualityReport:
        """Check alone: one aggregate pass in the engine, nothing written. Raises QualityError like `report`."""
        columns = ", ".join(self.mask_columns()) or "0 AS nothing"
        names = ", ".join(quoted(MASK.format(index)) for index in range(-(-len(self.bits) // _BITS))) or "nothing"
        sql = f"SELECT count(*), {names} FROM (SELECT {columns} FROM {quoted(SAMPLE)}) t GROUP BY {names}"  # noqa: S608
        tally = Tally(self)
        for count, *pattern in self.sample.engine.rows(sql):
            tally.add_pattern(tuple(pattern) if self.bits else (), int(count))
        tally.count_implied()
        return self.report(tally)

    def report(self, tally: Tally, *, empty: bool = False) -> QualityReport:
        """Turn counts into a report.

        Args:
            tally: what was counted.
            empty: whether no row at all is an answer too: of a source that was asked for changes only.

        Raises:
            QualityError: no row at all, an expectation declared `stop` not met, too many rows rejected, or all of them.
        """
        counts = tally.counts()
        report = QualityReport(
            rows=counts.rows,
            accepted=counts.rows - counts.rejected,
            rejected=tally.by_reason(),
            failing=dict(counts.unexpected),
            results=results(self.suite, counts, observed=False),
        )
        if not empty:
            self._refuse(report, counts)
        return report

    def _refuse(self, report: QualityReport, counts: Counts) -> None:
        asked = f"check the rows of {self.sample.use_case.ref}"
        if not report.rows:
            raise QualityError(
                "no-rows", asked=asked, found="no row at all", expected="at least one row",
                todo="see that the source has rows, then look at `where`, joins and sample: `curator plan` shows them",
            )  # fmt: skip
        unmet = [
            rule for rule in self.suite.rules if rule.expectation.on_failure == "stop" and not verdict(rule, counts)
        ]
        if unmet:
            raise QualityError(
                "expectation-unmet",
                asked=asked,
                found="; ".join(self._unmet(rule, counts) for rule in unmet)[:1500],
                expected="every expectation declared `on_failure: stop` met",
                todo="correct the source with its holder, or reconsider the expectation in the spec",
            )
        limit, share = self.sample.use_case.quality.max_rejected, counts.rejected / counts.rows
        if share > limit or not report.accepted:
            said = {bit.name: bit.reason or bit.name for bit in self.bits}
            worst = sorted(report.rejected.items(), key=lambda item: (-item[1], item[0]))
            reasons = "; ".join(f"{said[name]}: {count:,}" for name, count in worst)
            unreadable = worst[0][0].startswith("unreadable-")
            raise QualityError(
                "all-rejected" if not report.accepted else "too-many-rejected",
                asked=asked,
                found=f"{counts.rejected:,} of {counts.rows:,} rows rejected ({reasons})"[:1500],
                expected=f"at most {limit:.1%} rejected (`quality.max_rejected`), and at least one row accepted",
                todo="correct the column's `type` or `format`, or the source's `decimal` or `encoding`, in the spec"
                if unreadable
                else "correct the source with its holder, or the rule that rejects most",
            )

    def _unmet(self, rule: Rule, counts: Counts) -> str:
        failing = counts.unexpected.get(rule.id)
        amount = f" ({failing:,} of {counts.rows:,} rows)" if failing is not None else ""
        because = f" [{rule.expectation.because}]" if rule.expectation.because else ""
        return f"{self.suite.reasons.get(rule.id, rule.id)}{amount}{because}"


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """What the check found; holds no value of any row.

    Attributes:
        rows, accepted: rows extracted, rows that met every rejecting rule.
        rejected: first reason -> rows; with `accepted` these add up to `rows`.
        failing: rule id -> rows that fail it, whether or not it was their first reason.
        results: the suite's validation result in Great Expectations' shape.
    """

    rows: int
    accepted: int
    rejected: Mapping[str, int]
    failing: Mapping[str, int]
    results: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """The counts, for the evidence."""
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "rejected": dict(sorted(self.rejected.items())),
            "success": bool(self.results["success"]),
            "statistics": dict(self.results["statistics"]),
        }


class Patterns:
    """Counts how often each pattern of bits occurs, batch by batch.

    Attributes:
        counted: pattern -> rows.
        rows: all of them.
    """

    def __init__(self) -> None:
        self.counted: dict[tuple[int, ...], int] = {}
        self.rows = 0

    def add(self, masks: Sequence[Masks], rows: int) -> None:
        """Count a batch."""
        if not masks:
            self.add_pattern((), rows)
            return
        some = np.flatnonzero(np.bitwise_or.reduce(masks)) if len(masks) > 1 else np.flatnonzero(masks[0])
        self.add_pattern((0,) * len(masks), rows - len(some))
        if len(masks) == 1:
            patterns, counts = np.unique(masks[0][some], return_counts=True)
            patterns = patterns[:, None]
        else:
            patterns, counts = np.unique(np.stack([mask[some] for mask in masks], axis=1), axis=0, return_counts=True)
        for pattern, count in zip(patterns.tolist(), counts.tolist(), strict=True):
            self.add_pattern(tuple(pattern), count)

    def add_pattern(self, pattern: tuple[int, ...], count: int) -> None:
        """Count rows that share a pattern."""
        if count:
            self.counted[pattern] = self.counted.get(pattern, 0) + count
            self.rows += count


class Tally(Patterns):
    """The patterns of a sample, and what they say of its rules."""

    def __init__(self, checked: CheckedSample) -> None:
        super().__init__()
        self._checked = checked
        self._implied: dict[str, int] = {}

    def count_implied(self) -> None:
        """Count the rows that fail a rule which unique row keys imply, when they may not be unique."""
        self._implied = {name: count() for name, count in self._checked.implied.items()}

    def by_reason(self) -> dict[str, int]:
        """Rejected rows under the first reason of each."""
        reasons: dict[str, int] = {}
        for pattern, count in self.counted.items():
            first = next((bit for bit in self._set_bits(pattern) if bit.rejects), None)
            if first is not None:
                reasons[first.name] = reasons.get(first.name, 0) + count
        return reasons

    def counts(self) -> Counts:
        """Counts per rule, as the suite's results want them."""
        per_bit: dict[str, int] = {}
        rejected = 0
        for pattern, count in self.counted.items():
            bits = list(self._set_bits(pattern))
            rejected += count if any(bit.rejects for bit in bits) else 0
            for bit in bits:
                per_bit[bit.name] = per_bit.get(bit.name, 0) + count
        suite = self._checked.suite
        counted: tuple[RowRule | UniqueRule, ...] = (*suite.rows, *suite.uniques)
        missing = {rule.id: per_bit.get(f"missing: {rule.missing}", 0) for rule in counted if rule.missing is not None}
        known = {bit.name for bit in self._checked.bits}
        unexpected = {rule.id: per_bit.get(rule.id, 0) for rule in counted}
        unexpected |= {name: count for name, count in per_bit.items() if name in known and ": " not in name}
        unexpected |= self._implied
        return Counts(
            rows=self.rows, unexpected=unexpected, missing=missing, figures=self._checked.figures, rejected=rejected
        )

    def _set_bits(self, pattern: tuple[int, ...]) -> Iterable[Bit]:
        for index, mask in enumerate(pattern):
            for place, bit in enumerate(self._checked.bits[index * _BITS : (index + 1) * _BITS]):
                if mask >> place & 1:
                    yield bit
