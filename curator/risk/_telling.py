"""A risk report as sentences and bars, in one language; the page and the screen show the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curator.risk._combinations import Exposure
from curator.risk._copies import Copies
from curator.risk._files import RiskReport
from curator.risk._measures import Diversity, Measures
from curator.risk._words import WORDS, Language, decimal, listed, number, percent, percent_in_words

_SIZES = ("1", "2", "4", "9", "19", "49", "99", "more")
_SHOWN = 12  # combinations and columns drawn


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A labelled length.

    Attributes:
        label: what it is.
        after: length, 0 to 1.
        before: likewise of the sources; None where nothing is known of them.
    """

    label: str
    after: float
    before: float | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question and its answer.

    Attributes:
        name: of the section, the same in every language.
        title: the question.
        sentences: the answer in words.
        bars: the answer in lengths.
        legend: words for before and after; None when only one is drawn.
    """

    name: str
    title: str
    sentences: tuple[str, ...]
    bars: tuple[Bar, ...] = ()
    legend: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Telling:
    """A whole report.

    Attributes:
        language: of every text.
        title: what it is about.
        lead: the answer in a sentence or two.
        sections: the questions.
        limits: what it does not say, and where its figures come from.
        percent: lengths of bars as text, made by `percent_of`.
    """

    language: Language
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    limits: str

    def percent_of(self, share: float) -> str:
        """A length as text."""
        return percent(share, self.language)


def tell(
    ref: str,
    report: RiskReport,
    *,
    before: Measures | None = None,
    copies: Sequence[Copies] = (),
    language: Language = "en",
) -> Telling:
    """Put a report into words.

    Args:
        ref: of what was measured.
        report: its figures.
        before: the same of its sources, unprotected, where they were measured.
        copies: what links it with versions for other recipients.
        language: `en` or `fr`.
    """
    teller = _Teller(language)
    sections = [*teller.groups(report.measures, before), *teller.attackers(report.measures, before)]
    sections += [*teller.diversity(report.measures), *teller.exposure(report.exposure, report.measures)]
    sections += [*teller.copies(copies)]
    return Telling(
        language=language, title=teller.say("title", ref=ref), lead=tuple(teller.lead(report.measures, before)),
        sections=tuple(sections), limits=teller.say("limits"),
    )  # fmt: skip


class _Teller:
    """The sections of a page in one language."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language

    def say(self, key: str, **values: str) -> str:
        """A sentence."""
        return WORDS[self._language][key].format(**values)

    def lead(self, found: Measures | None, before: Measures | None) -> Iterator[str]:
        """The first sentences: who stands alone, and among how many."""
        if found is None:
            yield self.say("none declared")
            return
        yield from self._extent(found)
        if not found.rows:
            yield self.say("empty")
            return
        people, fields = found.k if found.k_persons is None else found.k_persons, self._list(found.quasi)
        if people > 1:
            yield self.say("alike", fields=fields, others=self._number(people - 1))
        else:
            yield self.say("alone", fields=fields, count=self._number(found.unique))
        if people < found.k:
            yield self.say("fewer people", rows=self._number(found.k), people=self._number(people))
        if found.hidden:
            yield self.say("hidden", count=self._number(found.hidden))
        if before is not None and before.rows:
            alone = sum(before.sizes.get(size, 0) for size in _SIZES[:1])
            share = alone / max(sum(before.sizes.values()), 1)
            yield self.say("lead before", fields=self._list(before.quasi), share=self._percent(share))

    def groups(self, after: Measures | None, before: Measures | None) -> Iterator[Section]:
        """How many people are in classes of each size."""
        if after is None or not after.rows:
            return
        shares, raw = _shares(after), _shares(before) if before else {}
        bars = tuple(
            Bar(label=self.say(f"size {size}"), after=shares[size], before=raw.get(size))
            for size in _SIZES
        )  # fmt: skip
        why = self.say("groups why", fields=self._list(after.quasi))
        yield Section(name="groups", title=self.say("groups"), sentences=(why,), bars=bars, legend=self._legend(before))

    def attackers(self, after: Measures | None, before: Measures | None) -> Iterator[Section]:
        """What each attacker's chances are."""
        if after is None or not after.rows:
            return
        found, raw = after.prosecutor, before.prosecutor if before else None
        bars = [
            Bar(label=f"{self.say('prosecutor short')} ({self.say('highest')})", after=found.highest,
                before=raw.highest if raw else None),
            Bar(label=f"{self.say('prosecutor short')} ({self.say('mean')})", after=found.mean,
                before=raw.mean if raw else None),
        ]  # fmt: skip
        if after.population is not None:
            label = f"{self.say('journalist short')} ({self.say('highest')})"
            bars.append(Bar(label=label, after=after.journalist.highest))
        matched = before.marketer if before else None
        bars.append(Bar(label=self.say("marketer short"), after=after.marketer, before=matched))
        yield Section(
            name="attackers", title=self.say("attackers"), sentences=tuple(self._attackers(after)), bars=tuple(bars),
            legend=self._legend(before),
        )  # fmt: skip

    def diversity(self, after: Measures | None) -> Iterator[Section]:
        """What classes tell of the sensitive fields."""
        lines = [line for item in (after.diversity if after and after.rows else ()) for line in self._diversity(item)]
        if lines:
            yield Section(name="diversity", title=self.say("diversity"), sentences=tuple(lines))

    def exposure(self, found: Exposure | None, after: Measures | None) -> Iterator[Section]:
        """Which other columns single people out."""
        if found is None:
            return
        facts = {"tried": self._number(found.tried), "possible": self._number(found.possible),
                 "share": self._percent(found.share)}  # fmt: skip
        lines = [self.say("combinations why" if found.found else "combinations none", **facts)]
        if found.undeclared:
            lines.append(self.say("undeclared", fields=self._list(found.undeclared)))
        if found.left_out:
            lines.append(self.say("left out", fields=self._list(found.left_out)))
        hidden = max(len(found.found) - _SHOWN, 0) + found.more
        if hidden:
            lines.append(self.say("combinations more", count=self._number(hidden)))
        bars = tuple(Bar(label=" + ".join(item.columns), after=item.share) for item in found.found[:_SHOWN])
        yield Section(name="combinations", title=self.say("combinations"), sentences=tuple(lines), bars=bars)
        beside = [(name, share) for name, share in list(found.beside.items())[:_SHOWN] if share > 0]
        if beside and after is not None:
            why = self.say("beside why", fields=self._list(after.quasi))
            bars = tuple(Bar(label=f"+ {name}", after=share) for name, share in beside)
            yield Section(name="beside", title=self.say("beside"), sentences=(why,), bars=bars)

    def copies(self, found: Sequence[Copies]) -> Iterator[Section]:
        """What two recipients would learn by putting their copies together."""
        if not found:
            return
        lines = []
        for item in found:
            tokens = "copies no token" if not item.tokens else "copies tokens"
            lines.append(
                self.say("copies why", other=item.other, fields=self._list(item.quasi) or "—",
                         quasi=self._percent(item.by_quasi), all=self._percent(item.by_all))
                + " " + self.say(tokens, count=self._number(item.tokens))
            )  # fmt: skip
        bars = tuple(
            Bar(label=f"{item.other} ({self.say(what)})", after=share)
            for item in found
            for what, share in (("copies quasi", item.by_quasi), ("copies all", item.by_all))
        )
        yield Section(name="copies", title=self.say("copies"), sentences=(*lines, self.say("copies do")), bars=bars)

    def _extent(self, found: Measures) -> Iterator[str]:
        rows = self._number(found.rows)
        if found.persons is None:
            yield self.say("rows", rows=rows) + ". " + self.say("rows not people")
        else:
            most = self._number(found.most_rows)
            yield self.say("people", rows=rows, persons=self._number(found.persons), most=most) + "."

    def _attackers(self, found: Measures) -> Iterator[str]:
        risk = found.prosecutor
        yield f"{self.say('prosecutor')}{self._colon()} " + self.say(
            "prosecutor why", highest=self._percent(risk.highest), mean=self._percent(risk.mean),
            share=self._percent(risk.share), one_in=self._number(round(1 / found.threshold)),
        ) + "."  # fmt: skip
        if found.population is None:
            yield f"{self.say('journalist')}{self._colon()} {self.say('journalist same')}."
        else:
            risk = found.journalist
            yield f"{self.say('journalist')}{self._colon()} " + self.say(
                "journalist why", population=self._number(found.population), highest=self._percent(risk.highest),
                mean=self._percent(risk.mean),
            ) + "."  # fmt: skip
        yield (
            f"{self.say('marketer')}{self._colon()} "
            + self.say("marketer why", mean=self._percent(found.marketer))
            + "."
        )

    def _diversity(self, item: Diversity) -> Iterator[str]:
        if not item.told:
            yield self.say("diversity plain", field=item.field, l=self._number(item.l))
        yield self.say(
            "diversity line", field=item.field, l=self._number(item.l), values=self._number(item.values),
            entropy=decimal(item.entropy_l, self._language), t=decimal(item.t, self._language),
            distance=self.say(item.distance),
        ) + "."  # fmt: skip
        if item.told:
            yield self.say("told", field=item.field, count=self._number(item.told)) + "."

    def _legend(self, before: Measures | None) -> tuple[str, str] | None:
        return (self.say("before"), self.say("after")) if before else None

    def _colon(self) -> str:
        return ":" if self._language == "en" else "\u00a0:"

    def _number(self, value: int) -> str:
        return number(value, self._language)

    def _percent(self, share: float) -> str:
        return percent_in_words(share, self._language)

    def _list(self, names: tuple[str, ...]) -> str:
        return listed(names, self._language)


def _shares(found: Measures) -> dict[str, float]:
    total = max(sum(found.sizes.values()), 1)
    return {size: count / total for size, count in found.sizes.items()}
