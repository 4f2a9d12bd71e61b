"""`risk`."""

from __future__ import annotations

from argparse import Namespace

from curator.capital import RunOptions
from curator.cli._console import Answer, Console
from curator.cli._language import language
from curator.cli._places import open_capital
from curator.risk import page, tell, text


def risk(args: Namespace, console: Console) -> Answer:
    """Who could be found, in words, figures or pictures."""
    given = args.data is not None or args.sources
    sources = RunOptions(data=args.data, sources=dict(args.sources)) if given else None
    with console.busy("risk"):
        answer = open_capital(args).risk(args.ref, sources=sources, population=args.population, trust=args.trust)
    telling = tell(answer.ref, answer.report, before=answer.before, copies=answer.copies, language=language(args.lang))
    if args.html:
        args.html.write_text(page(telling), encoding="utf-8")
        console.note(str(args.html))
    return Answer(document=answer.to_json(), text=text(telling))
