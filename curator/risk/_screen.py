"""A risk report on a terminal: sentences and bars of plain characters, a hundred columns wide at most."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from curator.risk._telling import Section, Telling

_WIDTH, _BAR = 98, 30


def text(telling: Telling) -> str:
    """The report as text."""
    lines = [telling.title, ""]
    for sentence in telling.lead:
        lines += wrap(sentence, _WIDTH)
    for section in telling.sections:
        lines += ["", section.title, *_sentences(section), *_bars(section, telling)]
    return "\n".join([*lines, "", *wrap(telling.limits, _WIDTH)])


def _sentences(section: Section) -> Iterator[str]:
    for sentence in section.sentences:
        yield from wrap(sentence, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _bars(section: Section, telling: Telling) -> Iterator[str]:
    width = min(max((len(bar.label) for bar in section.bars), default=0), 48)
    for bar in section.bars:
        label = bar.label if len(bar.label) <= width else bar.label[: width - 1] + "…"
        figures = telling.percent_of(bar.after)
        if bar.before is not None:
            figures = f"{telling.percent_of(bar.before)} > {figures}"
        yield f"  {label.ljust(width)}  {_bar(bar.after)}  {figures}"
    if section.legend and section.bars:
        yield f"  ({section.legend[0]} > {section.legend[1]})"


def _bar(share: float) -> str:
    """A length; what is not zero is never drawn as nothing."""
    full = round(share * _BAR)
    return ("#" * max(full, 1 if share > 0 else 0)).ljust(_BAR, ".")
