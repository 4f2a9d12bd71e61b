"""`explain`, `completion`."""

from __future__ import annotations

import os
from argparse import Namespace

from curator import explanations
from curator.cli._console import Answer, Console, table
from curator.cli._parser import build_parser, commands_of

_FILES = ("SPEC", "FILE", "KEY", "SPEC|REF", "REF|FILE")


def explain(args: Namespace, console: Console) -> Answer:
    """One code, or the list of them."""
    language = args.lang or _language()
    if args.code is None:
        pages = [*explanations.exit_codes(), *explanations.errors()]
        rows = [(page.exit_code, page.code, page.text(language).title) for page in pages]
        found = [{"exit_code": code, "code": name, "title": title} for code, name, title in rows]
        return Answer(document={"codes": found}, text=table(rows, heads=("exit", "code", "title")))
    page = explanations.page(args.code)
    return Answer(document=page.to_json(language), text=page.render(language))


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


def _language() -> explanations.Language:
    """French when the environment is French (the order is POSIX's: LC_ALL, LC_MESSAGES, LANG)."""
    chosen = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "fr" if chosen.lower().startswith("fr") else "en"
