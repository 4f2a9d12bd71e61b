"""A risk report as one page of HTML: sentences, and bars before and after."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from curator.htmlpage import framed, legend, length
from curator.risk._telling import Bar, Section, Telling

_STYLE = """
:root { --after: #0b6bcb; --before: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --after: #58a6ff; --before: #d29922; } }
dd { white-space: nowrap; }
.was { color: var(--before); }
.after { fill: var(--after); } .before { fill: var(--before); }
.legend .before::before { background: var(--before); } .legend .after::before { background: var(--after); }
"""


def page(telling: Telling) -> str:
    """The report as a page; every text is escaped."""
    lead = "".join(f'<p class="lead">{escape(sentence)}</p>' for sentence in telling.lead)
    sections = "\n".join(_section(section, telling) for section in telling.sections)
    body = f"{lead}\n{sections}"
    return framed(telling.title, body, footer=telling.limits, language=telling.language, style=_STYLE)


def _section(section: Section, telling: Telling) -> str:
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{text}{_picture(section, telling)}</section>'


def _picture(section: Section, telling: Telling) -> str:
    """Each bar below its label: lengths in per cent of the page's width, labels as text that wraps."""
    if not section.bars:
        return ""
    drawn = "".join("".join(_bar(bar, telling)) for bar in section.bars)
    words = legend(dict(zip(("before", "after"), section.legend, strict=True))) if section.legend else ""
    return f"<dl>{drawn}</dl>{words}"


def _bar(bar: Bar, telling: Telling) -> Iterator[str]:
    figure, height = escape(telling.percent_of(bar.after)), 10
    lengths = "".join(length(bar.after, "after", top=0))
    if bar.before is not None:
        figure, height = f'<span class="was">{escape(telling.percent_of(bar.before))}</span> → {figure}', 22
        lengths = "".join([*length(bar.before, "before", top=0), *length(bar.after, "after", top=12)])
    yield f"<div><dt>{escape(bar.label)}</dt><dd>{figure}</dd></div>"
    yield f'<svg aria-hidden="true" height="{height}">{lengths}</svg>'
