"""`explain`, `completion`."""

from __future__ import annotations

from argparse import Namespace

from curator import explanations
from curator.cli._console import Answer, Console, table
from curator.cli._language import language
from curator.cli._parser import build_parser, commands_of

_FILES = ("SPEC", "FILE", "KEY", "SPEC|REF", "REF|FILE")


def explain(args: Namespace, console: Console) -> Answer:
    """One code, or the list of them."""
    chosen = language(args.lang)
    if args.code is None:
        pages = [*explanations.exit_codes(), *explanations.errors()]
        rows = [(page.exit_code, page.code, page.text(chosen).title) for page in pages]
        found = [{"exit_code": code, "code": name, "title": title} for code, name, title in rows]
        return Answer(document={"codes": found}, text=table(rows, heads=("exit", "code", "title")))
    page = explanations.page(args.code)
    return Answer(document=page.to_json(chosen), text=page.render(chosen))


def completion(args: Namespace, console: Console) -> Answer:
    """The script, to be sourced or put where the shell looks for it."""
    import shtab

    parser = build_parser()
    for command in commands_of(parser).values():
        for action in command._actions:
            if action.metavar in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    script = shtab.complete(parser, shell=args.shell)
    return Answer(document={"shell": args.shell, "script": script}, text=script)
