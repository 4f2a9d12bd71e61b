"""Every command, its arguments and an example that runs. Imports argparse alone, for `--help` to answer at once."""

from __future__ import annotations

import argparse

import curator
from curator.cli._options import Help, Parser, add_globals, run_options, source_option
from curator.cli._options import add_command as _command
from curator.cli._options import add_group as _group
from curator.cli._options import as_count as _count
from curator.cli._options import as_day as _day
from curator.cli._options import as_path as _path
from curator.cli._options import as_source as _source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_ROLES = ("steward", "engineer", "reviewer", "deliverer", "custodian", "auditor")
_CHANNELS = ("open", "research", "industry")
_TEXT_MODELS = ("none", "fr_core_news_sm", "fr_core_news_md", "fr_core_news_lg")
_SHELLS = ("bash", "zsh", "fish")
_REQUEST = "the request, such as R-0a1b2c3d4e"


def build_parser() -> Parser:
    """The parser of `curator`."""
    top = Parser(
        prog="curator",
        description="Turn sensitive operational data into training sets and models that can be proved.",
        epilog="example:\n  curator demo                 the whole main job on invented data, in ./capital-demo\n\n"
        "exit codes: 0 done, 2 usage, 10 spec, 11 source, 12 quality, 13 disclosure risk, 14 not allowed,\n"
        "15 integrity, 16 model parity, 17 storage, 18 key, 1 a fault of curator, 130 interrupted;\n"
        "`curator explain CODE` tells what each error means.",
        formatter_class=Help,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"curator {curator.__version__}")
    add_globals(top, defaults=True)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for add in (
        _add_start, _add_specs, _add_data, _add_representation, _add_generalising, _add_risk, _add_text, _add_people,
        _add_releases, _add_proof, _add_manual,
    ):  # fmt: skip
        add(commands)
    return top


def _add_start(commands: Any) -> None:
    one = _command(
        commands, "init", run="_start:init", help="create a capital: workspace, keys and the holder's public key",
        example='curator init capital --holder "Road safety observatory"',
    )  # fmt: skip
    one.add_argument("folder", nargs="?", metavar="DIR", help="folder to create (--capital, else ./capital)")
    one.add_argument("--holder", required=True, metavar="NAME", help="the organisation that holds the data")

    one = _command(
        commands, "demo", run="_demo:demo", help="do the whole main job on an invented base",
        example="curator demo --rows 20000",
    )  # fmt: skip
    one.add_argument("--rows", type=_count, default=20_000, metavar="N", help="persons in the base (20000)")
    one.add_argument("--seed", type=int, default=7, metavar="N", help="of the base and of the demonstration's keys (7)")
    one.add_argument("--folder", type=_path, default="capital-demo", metavar="DIR", help="a folder to create")
    one.add_argument("--keep", action="store_true", help="leave what was made when a step fails")

    _command(
        commands, "doctor", run="_doctor:doctor", help="check the machine and the capital: programs, libraries, keys",
        example="curator doctor",
    )  # fmt: skip


def _add_specs(commands: Any) -> None:
    group = _group(commands, "spec", help="write and check use-case specs")
    one = _command(
        group, "check", run="_specs:check", help="read specs and tell every fault at once, with its place",
        example="curator spec check specs/road-accidents.yaml",
    )  # fmt: skip
    one.add_argument("specs", nargs="+", type=_path, metavar="SPEC", help="use-case files")
    one = _command(
        group, "new", run="_specs:new", help="write a small spec to start from",
        example="curator spec new road-accidents",
    )  # fmt: skip
    one.add_argument("name", metavar="NAME", help="name of the use case; the file is NAME.yaml in this folder")
    one = _command(
        group, "schema", run="_specs:schema", help="give the JSON Schema of a spec, for completion in editors",
        example="curator spec schema --out use-case.schema.json",
    )  # fmt: skip
    one.add_argument("--out", type=_path, metavar="FILE", help="write it there instead of printing it")

    one = _command(
        commands, "plan", run="_specs:plan", help="tell what curate would read, join, drop and protect; reads no row",
        example="curator plan specs/road-accidents.yaml",
    )  # fmt: skip
    one.add_argument("spec", type=_path, metavar="SPEC", help="use-case file")
    source_option(one)


def _add_data(commands: Any) -> None:
    one = _command(
        commands, "curate", run="_data:curate", help="extract, check, protect and commit: from a spec to a version",
        example="curator curate specs/road-accidents.yaml --data source",
    )  # fmt: skip
    run_options(one)
    one.add_argument(
        "--until", choices=("extract", "check", "protect"), help="stop after this stage, publish nothing, tell counts"
    )

    one = _command(
        commands, "refresh", run="_refresh:refresh",
        help="make the next version of a dataset from its source as it is now, when something changed",
        example="curator refresh specs/road-accidents.yaml --data source",
    )  # fmt: skip
    run_options(one)
    one.add_argument("--full", action="store_true", help="compare every row, whatever `refresh.feed` of the spec says")

    one = _command(
        commands, "show", run="_data:show", help="show the capital, a version or a release request",
        example="curator show road-accidents@1.0.0",
    )  # fmt: skip
    one.add_argument("ref", nargs="?", metavar="REF", help="name@version, name for its newest, or a request")
    _command(
        commands, "list", run="_data:list_versions", help="list every dataset and model version",
        example="curator list",
    )  # fmt: skip
    one = _command(
        commands, "train", run="_data:train", help="fit the spec's baseline, prove its ONNX form and register it",
        example="curator train road-accidents@1.0.0",
    )  # fmt: skip
    one.add_argument("dataset", metavar="SPEC|REF", help="dataset version, or the spec that made it")
    one.add_argument("--version", metavar="V", help="of the model (the next patch number)")


def _add_representation(commands: Any) -> None:
    one = _command(
        commands, "represent", run="_representation:represent",
        help="compare the rows kept with the population they come from",
        example="curator represent specs/road-accidents.yaml --data source --html report.html",
    )  # fmt: skip
    one.add_argument("what", metavar="SPEC|REF", help="a spec to measure, or a version measured when it was made")
    source_option(one)
    one.add_argument("--data", type=_path, metavar="DIR", help="folder that the spec's paths start from (the spec's)")
    one.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help="where to compute (duckdb)")
    one.add_argument("--lang", choices=("en", "fr"), help="language ($LANG when it is French, else English)")
    one.add_argument("--html", type=_path, metavar="FILE", help="write a page with pictures there")


def _add_generalising(commands: Any) -> None:
    one = _command(
        commands, "generalise", run="_generalising:generalise",
        help="search how coarse each field must be, and no coarser, for nobody to stand out",
        example="curator generalise specs/road-accidents.yaml --data source",
    )  # fmt: skip
    one.add_argument("spec", type=_path, metavar="SPEC", help="use-case file with `disclosure.search`")
    source_option(one)
    one.add_argument("--data", type=_path, metavar="DIR", help="folder that the spec's paths start from (the spec's)")
    one.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb", help="where to compute (duckdb)")


def _add_risk(commands: Any) -> None:
    one = _command(
        commands, "risk", run="_risk:risk", help="tell who could be found in a version or package, and how",
        example="curator risk road-accidents@1.0.0 --data source --html risk.html",
    )  # fmt: skip
    one.add_argument("ref", metavar="REF", help="a dataset version, or a .cur file")
    one.add_argument("--data", type=_path, metavar="DIR", help="measure the sources in this folder too, for comparison")
    one.add_argument(
        "--source", dest="sources", action="append", type=_source, default=[], metavar="NAME=PATH",
        help="file of a source, instead of the spec's own; may be repeated",
    )  # fmt: skip
    one.add_argument(
        "--population", action="append", type=_path, default=[], metavar="FILE",
        help="Parquet file of the population that the rows were drawn from; may be repeated",
    )  # fmt: skip
    one.add_argument("--trust", type=_path, metavar="KEY", help="public key of a package's holder (this capital's own)")
    one.add_argument("--lang", choices=("en", "fr"), help="language ($LANG when it is French, else English)")
    one.add_argument("--html", type=_path, metavar="FILE", help="write a page with pictures there")


def _add_text(commands: Any) -> None:
    group = _group(commands, "text", help="mask free text, and measure how well")
    one = _command(
        group, "mask", run="_text:mask", help="replace what names somebody in a text by surrogates",
        example="curator text mask statement.txt --out statement.masked.txt",
    )  # fmt: skip
    one.add_argument("file", type=_path, metavar="FILE", help="a text in UTF-8 (lines that are not: windows-1252)")
    one.add_argument("--lines", action="store_true", help="each line is a text of its own")
    one.add_argument("--out", type=_path, metavar="FILE", help="write it there instead of printing it")
    _text_options(one)
    one = _command(
        group, "evaluate", run="_text:measure", help="measure recall and precision on a labelled file",
        example="curator text evaluate labelled.jsonl --out evaluation.json",
    )  # fmt: skip
    one.add_argument(
        "file", type=_path, metavar="FILE", help="JSON lines with `text` and `spans` (start, end, kind; in code points)"
    )
    one.add_argument("--out", type=_path, metavar="FILE", help="write the report that a spec may name as `evaluation`")
    _text_options(one)


def _text_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", choices=_TEXT_MODELS, default="none", help="model of named entities beside the rules (none)"
    )
    parser.add_argument("--entities", metavar="KINDS", help="kinds to look for, with commas between (all)")


def _add_people(commands: Any) -> None:
    group = _group(commands, "agent", help="who may do what")
    one = _command(
        group, "add", run="_people:add", help="add an agent, or change the roles of one",
        example="curator agent add alice --role reviewer",
    )  # fmt: skip
    one.add_argument("name", metavar="NAME", help="lower-case letters, digits, dots and hyphens")
    one.add_argument(
        "--role", dest="roles", action="append", choices=_ROLES, required=True, help="a role; may be repeated"
    )
    one.add_argument(
        "--public", type=_path, metavar="FILE", help="the agent's own public key (PEM); without it a key pair is drawn"
    )
    _add_keys(commands)
    _command(group, "list", run="_people:list_agents", help="list the agents and their roles",
             example="curator agent list")  # fmt: skip


def _add_keys(commands: Any) -> None:
    group = _group(commands, "keys", help="epochs of token keys: list, rotate, destroy")
    _command(group, "list", run="_keys:list_epochs", help="list the epochs of keys and whether they can be destroyed",
             example="curator keys list")  # fmt: skip
    one = _command(
        group, "rotate", run="_keys:rotate", help="begin a new epoch: later tokens cannot be joined with earlier ones",
        example="curator keys rotate",
    )  # fmt: skip
    one.add_argument("--name", metavar="E", help="of the epoch (the next number)")
    one = _command(
        group, "destroy", run="_keys:destroy",
        help="destroy the keys of a past epoch for ever (custodian): nobody can make or open its tokens again",
        example='curator --as keeper keys destroy 1 --reason "Retention is over."',
    )  # fmt: skip
    one.add_argument("epoch", metavar="E", help="a past epoch, as `curator keys list` names it")
    one.add_argument("--reason", required=True, metavar="TEXT", help="kept in the evidence for ever: name nobody")
    one = _command(
        commands, "rekey", run="_keys:rekey",
        help="make a version of its own for one recipient, without the source: no token is another recipient's",
        example="curator rekey road-accidents@1.0.0 --to acme",
    )  # fmt: skip
    one.add_argument("ref", metavar="REF", help="a dataset version")
    one.add_argument("--to", required=True, metavar="NAME", help="the recipient, as the release request will name it")
    one.add_argument("--epoch", metavar="E", help="of the new keys (the current one)")
    one.add_argument("--name", metavar="NAME", help="of the new dataset (the old name, -for- and the recipient)")

    one = _command(
        commands, "reveal", run="_keys:reveal", help="open one reversible token (custodian), with a reason that stays",
        example='curator --as keeper reveal road-accidents@1.0.0 --column person --token 0a1b --reason "Order 12."',
    )  # fmt: skip
    one.add_argument("ref", metavar="REF", help="the dataset version that holds the token")
    one.add_argument("--column", required=True, metavar="C", help="a field with `method: siv`")
    one.add_argument("--token", required=True, metavar="HEX", help="the whole token, in hexadecimal")
    one.add_argument("--reason", required=True, metavar="TEXT", help="kept in the evidence for ever: name nobody")


def _add_releases(commands: Any) -> None:
    group = _group(commands, "release", help="request, review, deliver and recall")
    one = _command(
        group, "request", run="_releases:request", help="ask to release versions",
        example="curator release request road-accidents@1.0.0 injury-severity@1.0.0 --to acme --channel industry"
        " --purpose driver-assistance --until 2027-06-01",
    )  # fmt: skip
    one.add_argument("refs", nargs="+", metavar="REF", help="a dataset version, a model version, or one of each")
    one.add_argument("--to", required=True, metavar="NAME", help="who receives it")
    one.add_argument("--channel", required=True, choices=_CHANNELS, help="one that the spec opens")
    one.add_argument("--purpose", required=True, help="one that the spec lists for the channel")
    one.add_argument("--until", required=True, type=_day, metavar="DATE", help="last day of use, YYYY-MM-DD")

    one = _command(
        group, "review", run="_releases:review", help="approve or refuse a request, bound to the bytes as they stand",
        example='curator --as alice release review R-0a1b2c3d4e --approve --reason "Within the agreement."',
    )  # fmt: skip
    one.add_argument("request", metavar="ID", help=_REQUEST)
    decision = one.add_mutually_exclusive_group(required=True)
    decision.add_argument("--approve", action="store_true", help="let it go")
    decision.add_argument("--refuse", dest="approve", action="store_false", help="keep it in")
    one.add_argument("--reason", required=True, metavar="TEXT", help="kept in the evidence for ever: name nobody")

    one = _command(
        group, "deliver", run="_releases:deliver", help="write the package of an approved request",
        example="curator release deliver R-0a1b2c3d4e --out outbox",
    )  # fmt: skip
    one.add_argument("request", metavar="ID", help=_REQUEST)
    one.add_argument("--out", type=_path, metavar="DIR", help="folder of the package (releases/ of the capital)")
    one.add_argument(
        "--canaries", type=_path, metavar="FILE", help="identifiers planted in the sources, which must come out nowhere"
    )

    one = _command(
        group, "recall", run="_releases:recall", help="declare that a delivered package must no longer be used",
        example='curator release recall R-0a1b2c3d4e --reason "A source was withdrawn."',
    )  # fmt: skip
    one.add_argument("request", metavar="ID", help=_REQUEST)
    one.add_argument("--reason", required=True, metavar="TEXT", help="kept in the evidence for ever: name nobody")

    one = _command(
        group, "status", run="_releases:status", help="tell where requests stand", example="curator release status"
    )
    one.add_argument("request", nargs="?", metavar="ID", help=f"{_REQUEST}; every request without it")

    one = _command(
        commands, "receive", run="_receiving:receive",
        help="verify a package with the holder's public key, then unpack it",
        example="curator receive road-accidents-1.0.0.cur --trust holder.pub --into received",
    )  # fmt: skip
    one.add_argument("file", type=_path, metavar="FILE", help="the .cur file")
    one.add_argument("--trust", required=True, type=_path, metavar="KEY", help="the holder's public key, got elsewhere")
    one.add_argument("--into", type=_path, metavar="DIR", help="a folder to create; without it, verify only")


def _add_proof(commands: Any) -> None:
    one = _command(
        commands, "trace", run="_proof:trace", help="walk from a version, digest or file back to its sources",
        example="curator trace injury-severity@1.0.0",
    )  # fmt: skip
    one.add_argument("what", metavar="REF|FILE", help="name@version, a SHA-256, or a file of a version")
    one = _command(
        commands, "verify", run="_proof:verify", help="read every byte and name all that is not as the evidence says",
        example="curator verify",
    )  # fmt: skip
    one.add_argument("--remote", metavar="REMOTE", help="read every byte of the versions in this DVC remote on S3 too")
    one = _command(
        commands, "rejected", run="_proof:rejected", help="count the rejected rows of a dataset version by reason",
        example="curator rejected road-accidents@1.0.0",
    )  # fmt: skip
    one.add_argument("ref", metavar="REF", help="a dataset version")


def _add_manual(commands: Any) -> None:
    one = _command(
        commands, "explain", run="_manual:explain", help="explain an error or exit code, or list them all",
        example="curator explain too-rare --lang fr",
    )  # fmt: skip
    one.add_argument("code", nargs="?", metavar="CODE", help="an error's code, or an exit code")
    one.add_argument("--lang", choices=("en", "fr"), help="language ($LANG when it is French, else English)")
    one = _command(
        commands, "completion", run="_manual:completion", help="print a completion script for a shell",
        example="curator completion bash > ~/.local/share/bash-completion/completions/curator",
    )  # fmt: skip
    one.add_argument("shell", choices=_SHELLS, help="which shell")


def commands_of(parser: argparse.ArgumentParser, prefix: Sequence[str] = ()) -> dict[str, argparse.ArgumentParser]:
    """Every command by its words, such as `release request`."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        return {" ".join(prefix): parser}
    found: dict[str, argparse.ArgumentParser] = {}
    for name, child in groups[0].choices.items():
        found |= commands_of(child, (*prefix, name))
    return found
