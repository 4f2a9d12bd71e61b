"""A risk report as one page of HTML: inline SVG, no script, nothing fetched, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from curator.risk._telling import Bar, Section, Telling

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f6f8fa; --line: #d0d7de;
  --after: #0b6bcb; --before: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --after: #58a6ff; --before: #d29922; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
p { margin: 0 0 .6rem; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
dl { margin: .75rem 0 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; font-size: .95rem; }
dt { overflow-wrap: anywhere; }
dd { margin: 0; white-space: nowrap; font-variant-numeric: tabular-nums; }
.was { color: var(--before); }
svg { display: block; width: 100%; margin: .15rem 0 .6rem; }
.after { fill: var(--after); } .before { fill: var(--before); } .track { fill: var(--line); opacity: .55; }
.legend { display: flex; flex-wrap: wrap; column-gap: 1.2em; color: var(--soft); font-size: .9rem; margin: .25rem 0 0; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .4em; }
.legend .b::before { background: var(--before); } .legend .a::before { background: var(--after); }
footer { color: var(--soft); font-size: .9rem; margin-top: 1.5rem; }
@media print { section { break-inside: avoid; } }
"""


def page(telling: Telling) -> str:
    """The report as a page; every text is escaped."""
    lead = "".join(f'<p class="lead">{escape(sentence)}</p>' for sentence in telling.lead)
    sections = "\n".join(_section(section, telling) for section in telling.sections)
    return (
        f'<!doctype html>\n<html lang="{telling.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(telling.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(telling.title)}</h1>\n{lead}\n{sections}\n<footer><p>{escape(telling.limits)}</p></footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _section(section: Section, telling: Telling) -> str:
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{text}{_picture(section, telling)}</section>'


def _picture(section: Section, telling: Telling) -> str:
    """Each bar below its label: lengths in per cent of the page's width, labels as text that wraps."""
    if not section.bars:
        return ""
    drawn = "".join("".join(_bar(bar, telling)) for bar in section.bars)
    return f"<dl>{drawn}</dl>" + (_legend(section.legend) if section.legend else "")


def _bar(bar: Bar, telling: Telling) -> Iterator[str]:
    figure, height = escape(telling.percent_of(bar.after)), 10
    lengths = "".join(_length(bar.after, top=0, kind="after"))
    if bar.before is not None:
        figure, height = f'<span class="was">{escape(telling.percent_of(bar.before))}</span> → {figure}', 22
        lengths = "".join([*_length(bar.before, top=0, kind="before"), *_length(bar.after, top=12, kind="after")])
    yield f"<div><dt>{escape(bar.label)}</dt><dd>{figure}</dd></div>"
    yield f'<svg aria-hidden="true" height="{height}">{lengths}</svg>'


def _length(share: float, *, top: int, kind: str) -> Iterator[str]:
    yield f'<rect class="track" x="0" y="{top}" width="100%" height="9" rx="3"/>'
    if share > 0:
        yield f'<rect class="{kind}" x="0" y="{top}" width="{max(share * 100, 0.5):.2f}%" height="9" rx="3"/>'


def _legend(words: tuple[str, str]) -> str:
    before, after = (escape(word) for word in words)
    return f'<p class="legend"><span class="b">{before}</span><span class="a">{after}</span></p>'
