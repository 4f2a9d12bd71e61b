"""The parser: fast to load, every command explained, documented and shown by an example that parses."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from curator.cli import main
from curator.cli._parser import build_parser, commands_of
from curator.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
COMMANDS = commands_of(build_parser())
EVERYWHERE = {"--help", "--capital", "--as", "--json", "--quiet"}
HEAVY = ("pydantic", "pyarrow", "numpy", "duckdb", "rich", "yaml", "cryptography", "datasets", "dvc", "pandas", "shtab",
         "sklearn", "onnx", "onnxruntime", "great_expectations", "curator.capital", "curator.spec", "curator.errors",
         "typing", "dataclasses", "pathlib", "inspect")  # fmt: skip


def section(command: str) -> str:
    found = re.search(rf"^## `curator {command}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/cli.md has no section `curator {command}`"
    return found[1]


@pytest.mark.parametrize("words", ["--help", "--version", "curate --help", "release review --help"])
def test_help_loads_nothing_heavy(words: str) -> None:
    program = (
        "import sys; before = set(sys.modules); from curator.cli import main; assert main(sys.argv[1:]) == 0; "
        f"sys.stderr.write(' '.join(sorted((set(sys.modules) - before) & set({HEAVY!r}))))"
    )
    done = subprocess.run([sys.executable, "-c", program, *words.split()], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout


def test_the_commands_are_these() -> None:
    assert list(COMMANDS) == [
        "init", "demo", "doctor", "spec check", "spec new", "spec schema", "plan", "curate", "refresh", "show",
        "list", "train", "represent", "generalise", "risk", "text mask", "text evaluate", "agent add", "agent list",
        "keys list", "keys rotate", "keys destroy", "rekey", "reveal", "release request", "release review",
        "release deliver", "release recall", "release status", "receive", "trace", "verify", "rejected", "explain",
        "completion",
    ]  # fmt: skip


def test_the_page_documents_these_commands_and_no_other() -> None:
    assert re.findall(r"^## `curator (.*)`$", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_arguments_are_explained_and_documented(command: str) -> None:
    parser, text = COMMANDS[command], section(command)
    assert parser.description
    assert parser.description.removesuffix(".") in text
    for action in parser._actions:
        assert action.help
        if not set(action.option_strings) & EVERYWHERE:
            assert action.help in text
            assert all(option in text for option in action.option_strings)
    assert re.search(r"^JSON: .*\.$", text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_parses_as_that_command(command: str) -> None:
    example = str(COMMANDS[command].epilog).partition("\n  ")[2]
    assert example in section(command)
    words = shlex.split(example.partition(" > ")[0])
    assert words[0] == "curator"
    parsed = build_parser().parse_args(words[1:])
    assert parsed.run == COMMANDS[command].get_default("run")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_function_of_a_command_is_there(command: str) -> None:
    module, _, name = str(COMMANDS[command].get_default("run")).partition(":")
    program = f"from importlib import import_module; assert callable(getattr(import_module({module!r}), {name!r}))"
    if command in ("init", "explain"):  # one heavy and one light: the others run in test_cli.py
        subprocess.run([sys.executable, "-c", program], check=True)
    assert (ROOT / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8").count(f"def {name}(") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--json", "--as", "alice", "--capital", "c", "list"], (True, "alice", "c")),
        (["list", "--json", "--as", "alice", "--capital", "c"], (True, "alice", "c")),
        (["--as", "bob", "release", "status", "--json"], (True, "bob", None)),
        (["list"], (False, "holder", None)),
    ],
)
def test_options_of_every_command_stand_before_its_name_or_after(
    words: list[str], expected: tuple[object, ...]
) -> None:
    parsed = build_parser().parse_args(words)
    assert (parsed.json, parsed.agent, parsed.capital) == expected


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["curate"],
        ["curate", "a.yaml", "--source", "persons"],
        ["curate", "a.yaml", "--memory", "lots"],
        ["curate", "a.yaml", "--threads", "0"],
        ["curate", "a.yaml", "--until", "commit"],
        ["curate", "a.yaml", "--dat", "folder"],  # no abbreviation: it would change meaning with the next option
        ["release", "request", "a@1.0.0", "--to", "x", "--channel", "open", "--purpose", "p", "--until", "soon"],
        ["release", "review", "R-0a1b2c3d4e", "--reason", "none"],
        ["release", "review", "R-0a1b2c3d4e", "--approve", "--refuse", "--reason", "both"],
        ["agent", "add", "alice", "--role", "king"],
        ["demo", "--rows", "many"],
        ["completion", "cmd"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_understood_is_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        build_parser().parse_args(words)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error[arguments-invalid] run `curator")
    assert main(["--json", *words]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out)["error"] == "arguments-invalid"


def test_arguments_have_their_types() -> None:
    words = "curate a.yaml --source persons=/x/p.parquet --source v=w=z.csv --threads 2 --memory 1.5GB"
    parsed = build_parser().parse_args(words.split())
    assert parsed.sources == [("persons", Path("/x/p.parquet")), ("v", Path("w=z.csv"))]
    assert (parsed.threads, parsed.memory, parsed.order, parsed.epoch) == (2, "1.5GB", "keyed", None)


def test_groups_are_explained() -> None:
    parser = build_parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    assert {choice.dest for choice in commands._choices_actions if not choice.help} == set()
