"""The report as one page of HTML: each class of each dimension as two bars."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from curator.htmlpage import framed, legend, length
from curator.representation._report import ClassCount, Dimension
from curator.representation._telling import Teller

_MOST = 40  # classes drawn of one dimension: the greatest
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")

_STYLE = """
:root { --kept: #0b6bcb; --all: #6e7781; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --kept: #58a6ff; --all: #8b949e; --bad: #ff7b72; } }
.bad { color: var(--bad); font-weight: 600; }
.soft { color: var(--soft); font-size: .9rem; } ul { margin: 0 0 .6rem; padding-left: 1.2rem; }
li { overflow-wrap: anywhere; }
.kept { fill: var(--kept); } .all { fill: var(--all); } .over { fill: var(--bad); }
.bound { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 3 3; }
.legend .all::before { background: var(--all); } .legend .kept::before { background: var(--kept); }
"""


def page(teller: Teller) -> str:
    """The report as a page; every text is escaped."""
    dimensions = (_dimension(teller, one) for one in teller.report.dimensions)
    lead = f'<p class="lead">{escape(teller.rows())}</p>'
    body = "\n".join([lead, _verdict(teller), _overview(teller), _missing(teller), *dimensions])
    title, floor = teller.say("title", ref=teller.report.ref), teller.count(teller.report.smallest_cell)
    return framed(title, body, footer=teller.say("footer", floor=floor), language=teller.language, style=_STYLE)


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
    words = legend({"all": teller.say("legend-population"), "kept": teller.say("legend-kept")})
    left = len(dimension.classes) - len(shown)
    more = f'<p class="soft">+ {left}</p>' if left else ""
    return (
        f'<section id="{escape(dimension.name)}"><h2>{escape(dimension.name)}{formula}</h2>'
        f"<p>{escape(teller.figures(dimension))}</p><dl>{bars}</dl>{more}{words}</section>"
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
        (*length(share, "all", top=0), *length(share_kept, "kept", top=11))
    )
    yield "</svg>"
