"""What the commands of `curator` are made of: the parser, groups, types of arguments, options that many share."""

from __future__ import annotations

import argparse
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from typing import Any, NoReturn

_MEMORY = re.compile(r"[1-9][0-9]*(?:\.[0-9]+)?(?:[KMGT]i?B)")


class Parser(argparse.ArgumentParser):
    """argparse, whose refusals are errors like any other."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError `arguments-invalid`."""
        from curator.errors import UsageError

        raise UsageError(
            "arguments-invalid",
            asked=f"run `{self.prog}`",
            found=message,
            expected=" ".join(self.format_usage().split()).removeprefix("usage: "),
            todo=f"{_nearest(self.prog, message)}see `{self.prog} --help`",
        )


def _nearest(program: str, message: str) -> str:
    """What may have been meant by a command that there is not; empty where nothing is near."""
    from difflib import get_close_matches

    asked = re.search(r"argument COMMAND: invalid choice: '([^']*)' \(choose from (.*)\)", message)
    near = get_close_matches(asked[1], re.findall(r"[a-z-]+", asked[2]), n=1) if asked else []
    return f"perhaps `{program} {near[0]}`; " if near else ""


class Help(argparse.RawDescriptionHelpFormatter):
    """The example as it is written."""


def add_globals(parser: argparse.ArgumentParser, *, defaults: bool) -> None:
    """The options that every command takes, before its name or after."""

    def default(value: Any) -> Any:
        return value if defaults else argparse.SUPPRESS

    group = parser.add_argument_group("every command")
    group.add_argument(
        "--capital", metavar="DIR", default=default(None),
        help="folder of the capital ($CURATOR_CAPITAL, else the nearest one above, else ./capital)",
    )  # fmt: skip
    group.add_argument(
        "--as", dest="agent", metavar="AGENT", default=default("holder"), help="in whose name to act (holder)"
    )
    group.add_argument(
        "--json", action="store_true", default=default(False), help="print exactly one JSON document, also for errors"
    )
    group.add_argument("--quiet", action="store_true", default=default(False), help="no message and no progress")


def add_command(commands: Any, name: str, *, run: str, help: str, example: str) -> Parser:
    """A command, and the module and function that run it."""
    parser: Parser = commands.add_parser(
        name, help=help, description=help[:1].upper() + help[1:] + ".", epilog=f"example:\n  {example}",
        formatter_class=Help, allow_abbrev=False,
    )  # fmt: skip
    parser.set_defaults(run=f"curator.cli.{run}")
    add_globals(parser, defaults=False)
    return parser


def add_group(commands: Any, name: str, *, help: str) -> Any:
    """A word before other commands."""
    parser = commands.add_parser(name, help=help, description=help[:1].upper() + help[1:] + ".", allow_abbrev=False)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)


def run_options(one: argparse.ArgumentParser) -> None:
    """What everything that runs a spec takes."""
    one.add_argument("spec", type=as_path, metavar="SPEC", help="use-case file")
    source_option(one)
    one.add_argument("--data", type=as_path, metavar="DIR", help="folder that the spec's paths start from (the spec's)")
    one.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help="where to compute (duckdb)")
    one.add_argument("--threads", type=as_count, metavar="N", help="worker threads of the engine")
    one.add_argument("--memory", type=as_memory, metavar="SIZE", help="memory limit of the engine, such as 1GB")
    one.add_argument(
        "--order", choices=("keyed", "engine"), default="keyed",
        help="keyed (reproducible, tells nothing) or engine (faster, neither)",
    )  # fmt: skip
    one.add_argument(
        "--epoch", metavar="E", help="tokens of another epoch cannot be joined with these (the current one)"
    )
    one.add_argument(
        "--recipient", default="internal", metavar="NAME",
        help="tokens for another recipient cannot be joined with these (internal)",
    )  # fmt: skip
    one.add_argument("--to", metavar="REMOTE", help="a DVC remote on S3 that gets the version as it is written")


def source_option(one: argparse.ArgumentParser) -> None:
    """Files or addresses of sources."""
    one.add_argument(
        "--source", dest="sources", action="append", type=as_source, default=[], metavar="NAME=PATH",
        help="file or address of a source, instead of the spec's own; may be repeated",
    )  # fmt: skip


def as_count(text: str) -> int:
    """A whole number above zero."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError("a whole number above zero is needed")
    return int(text)


def as_path(text: str) -> Path:
    """A path."""
    from pathlib import Path

    return Path(text)


def as_day(text: str) -> date:
    """A day of ISO 8601."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a day written YYYY-MM-DD is needed") from None


def as_memory(text: str) -> str:
    """A size with its unit."""
    if not _MEMORY.fullmatch(text):
        raise argparse.ArgumentTypeError("a size such as 800MB or 2GB is needed")
    return text


def as_source(text: str) -> tuple[str, Path | str]:
    """Name and place of a source."""
    name, equal, path = text.partition("=")
    if not (name and equal and path):
        raise argparse.ArgumentTypeError("NAME=PATH is needed")
    return name, path if "://" in path else as_path(path)
