"""The report as one page of HTML: inline SVG, no script, nothing fetched, light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from curator.representation._report import ClassCount, Dimension
from curator.representation._telling import Teller

_MOST = 40  # classes drawn of one dimension: the greatest
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f6f8fa; --line: #d0d7de;
  --kept: #0b6bcb; --all: #6e7781; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --kept: #58a6ff; --all: #8b949e; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .6rem; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; } .bad { color: var(--bad); font-weight: 600; }
.soft { color: var(--soft); font-size: .9rem; } ul { margin: 0 0 .6rem; padding-left: 1.2rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
dl { margin: .75rem 0 0; }
dl div { display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: 1rem; font-size: .95rem; }
dt { overflow-wrap: anywhere; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; margin: .15rem 0 .6rem; overflow: visible; }
.kept { fill: var(--kept); } .all { fill: var(--all); } .over { fill: var(--bad); } .track { fill: var(--line); }
.bound { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 3 3; }
.legend { display: flex; flex-wrap: wrap; column-gap: 1.2em; color: var(--soft); font-size: .9rem; margin: .25rem 0 0; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .4em; }
.legend .a::before { background: var(--all); } .legend .k::before { background: var(--kept); }
footer { color: var(--soft); font-size: .9rem; margin-top: 1.5rem; }
@media print { section { break-inside: avoid; } }
"""


def page(teller: Teller) -> str:
    """The report as a page; every text is escaped."""
    title = escape(teller.say("title", ref=teller.report.ref))
    dimensions = (_dimension(teller, one) for one in teller.report.dimensions)
    body = "\n".join([_verdict(teller), _overview(teller), _missing(teller), *dimensions])
    footer = escape(teller.say("footer", floor=teller.count(teller.report.smallest_cell)))
    return (
        f'<!doctype html>\n<html lang="{teller.language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f'<p class="lead">{escape(teller.rows())}</p>\n{body}\n'
        f"<footer><p>{footer}</p></footer>\n</main>\n</body>\n</html>\n"
    )


def _verdict(teller: Teller) -> str:
    heading, *excess = (escape(line) for line in teller.verdict())
    if not excess:
        return f'<p class="lead">{heading}</p>'
    lines = "".join(f"<li>{line}</li>" for line in excess)
    return f'<p class="lead bad">{heading}</p><ul>{lines}</ul>'


def _overview(teller: Teller) -> str:
    """One point a dimension on a common scale, with the declared limit."""
    dimensions, limit = teller.report.dimensions, teller.report.limits.get("difference")
    found = [one.difference or 0.0 for one in dimensions]
    scale = max([*found, limit or 0.0, 0.2]) * 1.05
    rows = "".join(
        f"<div><dt>{escape(one.name)}</dt><dd>{escape(teller.number(one.difference))}</dd></div>"
        f'<svg aria-hidden="true" height="16">{"".join(_point(value / scale, limit and limit / scale))}</svg>'
        for one, value in zip(dimensions, found, strict=True)
    )
    note = (
        f'<p class="soft">┆ {escape(teller.say("limit", limit=teller.number(limit)))}</p>' if limit is not None else ""
    )
    heading, words = escape(teller.say("overview")), escape(teller.say("overview-text"))
    return f'<section id="overview"><h2>{heading}</h2><p>{words}</p><dl>{rows}</dl>{note}</section>'


def _point(share: float, limit: float | None) -> Iterator[str]:
    yield '<rect class="track" x="0" y="7" width="100%" height="2" rx="1"/>'
    if limit is not None:
        yield f'<line class="bound" x1="{limit * 100:.2f}%" x2="{limit * 100:.2f}%" y1="0" y2="16"/>'
    over = limit is not None and share > limit
    yield f'<circle class="{"over" if over else "kept"}" cx="{share * 100:.2f}%" cy="8" r="6"/>'


def _missing(teller: Teller) -> str:
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in teller.missing())
    return f'<section id="missing"><h2>{escape(teller.say("missing"))}</h2>{words}</section>'


def _dimension(teller: Teller, dimension: Dimension) -> str:
    """Each class as two bars: its share of the population, and of the rows kept."""
    formula = f' <span class="soft">{escape(dimension.formula)}</span>' if dimension.formula != dimension.name else ""
    shown = _in_order(dimension.classes[:_MOST])
    bars = "".join("".join(_bars(teller, one)) for one in shown)
    legend = (
        f'<p class="legend"><span class="a">{escape(teller.say("legend-population"))}</span>'
        f'<span class="k">{escape(teller.say("legend-kept"))}</span></p>'
    )
    left = len(dimension.classes) - len(shown)
    more = f'<p class="soft">+ {left}</p>' if left else ""
    return (
        f'<section id="{escape(dimension.name)}"><h2>{escape(dimension.name)}{formula}</h2>'
        f"<p>{escape(teller.figures(dimension))}</p><dl>{bars}</dl>{more}{legend}</section>"
    )


def _in_order(classes: Sequence[ClassCount]) -> list[ClassCount]:
    """Classes that are all numbers, such as bands, by their size; any others as they come, the greatest first."""
    values = [one for one in classes if one.state == "value"]
    if not all(_NUMBER.fullmatch(one.value or "") for one in values):
        return list(classes)
    rest = [one for one in classes if one.state != "value"]
    return [*sorted(values, key=lambda one: float(one.value or 0)), *rest]


def _bars(teller: Teller, one: ClassCount) -> Iterator[str]:
    report = teller.report
    share = one.population / report.population if report.population else 0.0
    share_kept = one.kept / report.kept if one.kept and report.kept else 0.0
    after = teller.kept(None) if one.kept is None else teller.percent(share_kept)
    after = teller.say("class-none") if one.kept == 0 else after
    told = teller.say("class-figure", population=teller.percent(share), kept=after)
    difference = teller.say("difference", difference=teller.number(one.difference, digits=2))
    yield f"<div><dt>{escape(teller.label(one))}</dt><dd>{escape(told)} · {escape(difference)}</dd></div>"
    yield '<svg aria-hidden="true" height="20">' + "".join(
        (*_bar(share, 0, kind="all"), *_bar(share_kept, 11, kind="kept"))
    )
    yield "</svg>"


def _bar(share: float, top: int, *, kind: str) -> Iterator[str]:
    yield f'<rect class="track" opacity=".5" x="0" y="{top}" width="100%" height="9" rx="3"/>'
    if share > 0:
        yield f'<rect class="{kind}" x="0" y="{top}" width="{max(share * 100, 0.4):.2f}%" height="9" rx="3"/>'
