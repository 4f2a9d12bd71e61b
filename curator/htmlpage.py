"""One page of HTML for every report: style inside, no script, nothing fetched, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f6f8fa; --line: #d0d7de; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117; --card: #161b22;
  --line: #30363d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .6rem; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; }
dl { margin: .75rem 0 0; }
dl div { display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: 1rem; font-size: .95rem; }
dt { overflow-wrap: anywhere; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; margin: .15rem 0 .6rem; overflow: visible; }
.track { fill: var(--line); opacity: .55; }
.legend { display: flex; flex-wrap: wrap; column-gap: 1.2em; color: var(--soft); font-size: .9rem; margin: .25rem 0 0; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; border-radius: 2px;
  margin-right: .4em; background: currentColor; }
footer { color: var(--soft); font-size: .9rem; margin-top: 1.5rem; }
@media print { section { break-inside: avoid; } }
"""
_LEAST = 0.5  # per cent of the width: a share above 0 is seen


def framed(title: str, body: str, *, footer: str, language: str, style: str) -> str:
    """A whole page.

    Args:
        title: in plain text.
        body: HTML, its texts escaped.
        footer: in plain text.
        language: of its words, as BCP 47 names it.
        style: CSS of this report besides that of all.
    """
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n<footer><p>{escape(footer)}</p></footer>\n</main>\n</body>\n</html>\n"
    )


def length(share: float, kind: str, *, top: int) -> Iterator[str]:
    """A share of 1 as a bar in an SVG of full width, on a track; `kind` is its class, `top` its place in pixels."""
    yield f'<rect class="track" x="0" y="{top}" width="100%" height="9" rx="3"/>'
    if share > 0:
        yield f'<rect class="{kind}" x="0" y="{top}" width="{max(share * 100, _LEAST):.2f}%" height="9" rx="3"/>'


def legend(words: Mapping[str, str]) -> str:
    """What each kind of bar stands for: class -> words in plain text."""
    return (
        '<p class="legend">'
        + "".join(f'<span class="{kind}">{escape(text)}</span>' for kind, text in words.items())
        + "</p>"
    )
