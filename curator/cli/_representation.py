"""`represent`."""

from __future__ import annotations

from argparse import Namespace

from curator.capital import RunOptions
from curator.cli._console import Answer, Console
from curator.cli._language import language
from curator.cli._places import open_capital
from curator.errors import QualityError
from curator.representation import Teller, page, text


def represent(args: Namespace, console: Console) -> Answer:
    """Whom the rows stand for, in words, figures or pictures; the exit code of quality where a limit is passed."""
    options = RunOptions(sources=dict(args.sources), data=args.data, engine=args.engine)
    with console.busy("represent"):
        report = open_capital(args).represent(args.what, options)
    teller = Teller(report=report, language=language(args.lang))
    if args.html:
        args.html.write_text(page(teller), encoding="utf-8")
        console.note(str(args.html))
    code = QualityError.exit_code if report.exceeded() or report.stands_for_nothing else 0
    return Answer(document=report.to_json(), text=text(teller), exit_code=code)
