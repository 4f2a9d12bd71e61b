"""The report in words: sentences and figures that the page and the terminal show alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from curator.representation._report import (
    FLAG_P,
    ClassCount,
    Dependence,
    Dimension,
    Excess,
    RepresentationReport,
    State,
)
from curator.representation._words import WORDS, Language

_MISSING: tuple[State, ...] = ("null", "empty", "unknown")


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Says a report in one language.

    Attributes:
        report: what was found.
        language: `en` or `fr`.
    """

    report: RepresentationReport
    language: Language

    def say(self, key: str, **values: str) -> str:
        """A phrase with its values; no line of French begins with a mark."""
        phrase = WORDS[self.language][key]
        return (re.sub(" (?=[:;])", "\N{NARROW NO-BREAK SPACE}", phrase) if self.language == "fr" else phrase).format(
            **values
        )

    def count(self, value: int) -> str:
        """Digits grouped as the language does."""
        return f"{value:,}" if self.language == "en" else f"{value:,}".replace(",", "\u202f")

    def kept(self, value: int | None) -> str:
        """Rows kept, or that they are too few to be told."""
        return self.say("few", floor=self.count(self.report.smallest_cell)) if value is None else self.count(value)

    def number(self, value: float | None, *, digits: int = 3) -> str:
        """A figure; a dash where there is none."""
        if value is None:
            return "–"
        text = f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")
        return text if self.language == "en" else text.replace(".", ",")

    def percent(self, share: float) -> str:
        """A share of 1 in per cent."""
        text = f"{share * 100:.1f}"
        return f"{text}%" if self.language == "en" else f"{text.replace('.', ',')}\u202f%"

    def rows(self) -> str:
        """How many rows are compared."""
        report = self.report
        rows = {"kept": report.kept, "drawn": report.drawn, "population": report.population}
        return self.say("rows", **{name: self.count(value) for name, value in rows.items()})

    def verdict(self) -> list[str]:
        """Whether the limits hold; when they do not, a heading and one line for each figure above its limit."""
        found = self.report.exceeded()
        if self.report.stands_for_nothing:
            return [self.say("exceeded"), self.say("nothing")]
        if not found:
            return [self.say("within" if self.report.limits else "no-limits")]
        return [self.say("exceeded"), *(self._excess(one) for one in found)]

    def _excess(self, one: Excess) -> str:
        values = {"name": one.dimension, "value": self.number(one.value), "limit": self.number(one.limit)}
        if one.depends is not None:
            values |= {"state": self.say(f"state-{one.depends.missing}"), "on": one.depends.on}
        return self.say(f"over-{one.figure}", **values)

    def missing(self) -> Iterator[str]:
        """How many values are missing, how, and whether another dimension tells which."""
        some = [dimension for dimension in self.report.dimensions if dimension.missing()[0]]
        if not some:
            yield self.say("missing-none")
        for dimension in some:
            counts = ((state, dimension.missing(state)[0]) for state in _MISSING)
            parts = ", ".join(self.say(state, count=self.count(count)) for state, count in counts if count)
            yield self.say("missing-of", name=dimension.name, parts=parts, kept=self.kept(dimension.missing()[1]))
            yield from self._dependences(dimension)

    def _dependences(self, dimension: Dimension) -> Iterator[str]:
        """The strongest dependence of each state of missing values."""
        if dimension.dependences and not any(one.flagged for one in dimension.dependences):
            weak = dimension.dependences[0]
            yield self.say("depends-weak", name=dimension.name, on=weak.on, v=self.number(weak.v, digits=2))
        told: set[State] = set()
        for one in dimension.dependences:
            if one.flagged and one.missing not in told:
                told.add(one.missing)
                yield self._dependence(dimension, one)

    def _dependence(self, dimension: Dimension, one: Dependence) -> str:
        p = f"< {self.number(FLAG_P)}"
        state = self.say(f"state-{one.missing}")
        text = self.say("depends", name=dimension.name, state=state, on=one.on, v=self.number(one.v, digits=2), p=p)
        if one.value is None:
            return text
        shares = {"share": self.percent(one.share), "elsewhere": self.percent(one.elsewhere)}
        return f"{text} {self.say('depends-where', on=one.on, value=one.value, **shares)}"

    def figures(self, dimension: Dimension) -> str:
        """Divergence and greatest difference of a dimension."""
        values = {"divergence": self.number(dimension.divergence), "difference": self.number(dimension.difference)}
        return self.say("figures", **values)

    def label(self, one: ClassCount) -> str:
        """What a class is called."""
        return one.value or "" if one.state == "value" else self.say(f"class-{one.state}", value=one.value or "")


def text(teller: Teller) -> str:
    """The report for a terminal: verdict, one line a dimension, what is missing."""
    heads = [teller.say(f"head-{name}") for name in ("dimension", "divergence", "difference", "missing")]
    rows = [
        [
            dimension.name,
            teller.number(dimension.divergence),
            teller.number(dimension.difference),
            teller.count(dimension.missing()[0]),
        ]
        for dimension in teller.report.dimensions
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (list(zip(line, widths, strict=True)) for line in (heads, *rows))
    ]
    heading, *excess = teller.verdict()
    verdict = [heading, *(f"- {line}" for line in excess)]
    return "\n".join([teller.rows(), *verdict, "", *lines, "", *teller.missing()])
