"""How time and memory grow with the rows: the whole job and its limit at each size, in turn, with a chart.

`python -m tests.bench.bench_growth [--rows 1000000,10000000] [--memory 2GB] [--chart docs/growth.svg]` prints Markdown.

Bases are kept in CURATOR_BENCH_BASE when it is set: one of 50 million persons takes some 5 GB. The exponent is that of
time = c * rows ** exponent through the first and the last size.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.bench.__main__ import Figures, base_folder, base_of, machine, measure

SIZES = "1000000,10000000"
KEPT = ("limit", "keyed")
WIDTH, HEIGHT, LEFT, TOP, GAP = 320, 220, 58, 34, 92
ACROSS = "persons (both axes logarithmic)"
COLOURS = {"limit": "#767676", "keyed": "#1f5fa8", "engine": "#b3541e"}
CAPTIONS = {"limit": "limit (DuckDB's COPY)", "keyed": "keyed (the default)", "engine": "engine order"}

Growth = Mapping[int, Mapping[str, Figures]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and draw."""
    chosen = _parser().parse_args(arguments)
    sizes = [int(size) for size in chosen.rows.split(",")]
    if chosen.memory:
        os.environ["BENCH_MEMORY"] = chosen.memory
    found: dict[int, Mapping[str, Figures]] = {}
    with base_folder() as folder:
        for size in sizes:
            found[size] = measure(chosen.variants.split(","), base=base_of(folder, size), repeat=chosen.repeat)
    print("\n".join(_report(found, memory=chosen.memory)))
    if chosen.chart:
        Path(chosen.chart).write_text(drawn(found), encoding="utf-8")


def exponent(found: Growth, variant: str, what: str) -> float:
    """Of the growth between the smallest and the largest size."""
    low, high = min(found), max(found)
    ratio = found[high][variant].best(what) / found[low][variant].best(what)
    return math.log(ratio) / math.log(high / low)


def _report(found: Growth, *, memory: str | None) -> Iterator[str]:
    held = f"the engine held to {memory}" if memory else "no limit on the engine's memory"
    yield f"{time.strftime('%Y-%m-%d')}, {machine()}, {held}."
    yield ""
    yield "| persons | variant | wall s | x limit | processor s | x limit | peak MB | files MB | spread of the wall |"
    yield "|---:|---|---:|---:|---:|---:|---:|---:|---:|"
    for size, figures in found.items():
        for name, runs in figures.items():
            wall, work = (runs.best(what) / figures["limit"].best(what) for what in ("seconds", "cpu"))
            yield (
                f"| {size:,} | {name} | {runs.best('seconds'):.1f} | {wall:.2f} | {runs.best('cpu'):.1f} | {work:.2f} "
                f"| {runs.best('peak_mb'):,.0f} | {runs.best('output_mb'):,.0f} | {runs.spread:.0%} |"
            )
    if len(found) > 1:
        yield ""
        for name in next(iter(found.values())):
            wall, work = exponent(found, name, "seconds"), exponent(found, name, "cpu")
            yield f"Exponent of {name}: {wall:.2f} on the wall, {work:.2f} of processor time."


def drawn(found: Growth) -> str:
    """Time and memory against rows, both axes logarithmic, as one SVG without script or outside reference."""
    panels = [("seconds", "wall clock, s", 0), ("peak_mb", "peak memory, MB", WIDTH + GAP)]
    body = "".join(_panel(found, what=what, title=title, left=LEFT + shift) for what, title, shift in panels)
    wide, high = LEFT + 2 * WIDTH + GAP + 20, TOP + HEIGHT + 86
    legend = "".join(
        f'<rect x="{LEFT + place * 190}" y="{high - 20}" width="12" height="12" fill="{COLOURS[name]}"/>'
        f'<text x="{LEFT + place * 190 + 18}" y="{high - 9}">{CAPTIONS[name]}</text>'
        for place, name in enumerate(next(iter(found.values())))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12" '
        f'role="img"><title>Time and memory against rows</title>'
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>{body}{legend}</svg>\n'
    )


def _panel(found: Growth, *, what: str, title: str, left: float) -> str:
    values = [runs.best(what) for figures in found.values() for runs in figures.values()]
    across = _Scale(min(found), max(found), left, left + WIDTH)
    up = _Scale(10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values))), TOP + HEIGHT, TOP)
    parts = [f'<text x="{left}" y="{TOP - 14}" font-weight="bold">{title}</text>']
    for size in found:
        x = across(size)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{size / 10**6:g} M</text>')
    middle, below = left + WIDTH / 2, TOP + HEIGHT + 38
    parts.append(f'<text x="{middle:.1f}" y="{below}" text-anchor="middle" fill="#555555">{ACROSS}</text>')
    for mark in up.decades():
        y = up(mark)
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{mark:,.0f}</text>')
    for name in next(iter(found.values())):
        points = [(across(size), up(figures[name].best(what))) for size, figures in found.items()]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[name]}"/>' for x, y in points]
    return "".join(parts)


class _Scale:
    """A logarithmic axis: values to places."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._high, self._start, self._end = low, max(high, low * 10), start, end

    def __call__(self, value: float) -> float:
        share = math.log(value / self._low) / math.log(self._high / self._low)
        return self._start + share * (self._end - self._start)

    def decades(self) -> list[float]:
        """Powers of ten on the axis."""
        return [10.0**power for power in range(round(math.log10(self._low)), round(math.log10(self._high)) + 1)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_growth", description=__doc__)
    parser.add_argument("--rows", default=SIZES, metavar="N,N", help=f"persons of each base ({SIZES})")
    parser.add_argument("--memory", metavar="2GB", help="hold the engine to so much (no limit)")
    parser.add_argument("--repeat", type=int, default=2, metavar="N", help="runs of each variant (2)")
    parser.add_argument("--variants", default=",".join(KEPT), metavar="A,B", help=f"which ({','.join(KEPT)})")
    parser.add_argument("--chart", metavar="FILE", help="where to draw it, as SVG")
    return parser


if __name__ == "__main__":
    main()
