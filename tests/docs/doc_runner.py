"""Runs a page of the documentation as a reader would, from top to bottom, in an empty folder.

    ```console   each line that begins with `$ ` is run by bash, the lines below are what it must print (stderr too);
                 `...` stands for anything, layout does not matter; a command that fails must be followed by `$ echo $?`
    ```python    run in this process, one namespace for the page, in the same folder; `>>>` examples are doctests
    ```yaml      begins with `# NAME.yaml`, which writes that file, or `# NAME.yaml, continued`, which appends to it
    ```diff      begins with `--- NAME`; lines with `-` stand once in that file and give way to the `+` lines below;
                 `@@` stands between changes

Any other language is shown and not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from itertools import groupby
from pathlib import Path

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
RUN = frozenset({"console", "python", "yaml", "diff"})
_LOOSE = ELLIPSIS | NORMALIZE_WHITESPACE
_TITLE = re.compile(r"# (?P<name>[a-z0-9-]+\.yaml)(?P<more>, continued)?\n")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 600


@dataclass
class Shell:
    """A bash whose working folder, exported variables and last exit code last from one command to the next."""

    folder: Path
    state: Path
    environ: dict[str, str]
    code: int = 0
    variables: Path = field(init=False)

    def __post_init__(self) -> None:
        self.variables = self.state / "variables"
        self.variables.write_text("")

    def run(self, command: str) -> str:
        """Run one command; returns what it printed."""
        script = f"(exit {self.code})\n{command}\ncode=$?\nexport -p > '{self.variables}'\nexit $code\n"
        done = subprocess.run(
            ["bash", "-c", f". '{self.variables}'\n{script}"],
            cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_SECONDS, encoding="utf-8", check=False,
        )  # fmt: skip
        self.code = done.returncode
        return done.stdout


def reader(folder: Path, state: Path) -> Shell:
    """A shell in `folder` where `curator` and `python` are those under test and no setting of the user is read."""
    programs = state / "bin"
    programs.mkdir(parents=True)
    _program(programs / "curator", f'exec "{sys.executable}" -m curator "$@"')
    _program(programs / "python", f'exec "{sys.executable}" "$@"')
    home = state / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Reader\n\temail = reader@example.org\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CURATOR_", "GIT_"))}
    return Shell(
        folder=folder,
        state=state,
        environ={
            **kept,
            "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "DVC_SITE_CACHE_DIR": str(home / "dvc"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        },
    )


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output it must have. A line that ends with `\\` goes on."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif found and not found[-1][1] and found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line)
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError("a console block begins with `$ `")
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def console(block: str, shell: Shell) -> str | None:
    """Run a console block; returns what was not as written, None when all was."""
    steps = commands(block)
    for index, (command, wanted) in enumerate(steps):
        found = shell.run(command)
        follows = steps[index + 1][0] if index + 1 < len(steps) else ""
        if shell.code and follows != "echo $?":
            return f"`{command}` ended with {shell.code}:\n{found}"
        if not agrees(wanted, found):
            return f"`{command}` was to print\n{wanted}\n--- and printed\n{found}"
    return None


def agrees(wanted: str, found: str) -> bool:
    """Whether an output is the one written, but for `...` and white space."""
    return OutputChecker().check_output(wanted.strip() + "\n", found.strip() + "\n", _LOOSE)


def write_yaml(block: str, folder: Path) -> None:
    """Write, or append, the file that the block's first line names."""
    title = _TITLE.match(block)
    if not title:
        raise ValueError("a yaml block begins with `# NAME.yaml` or `# NAME.yaml, continued`")
    path = folder / title["name"]
    if bool(title["more"]) != path.exists():
        raise ValueError(f"{title['name']}: continued without a beginning, or begun twice")
    before = path.read_text(encoding="utf-8") + "\n" if title["more"] else ""
    path.write_text(before + block.rstrip("\n") + "\n", encoding="utf-8")


def apply_diff(block: str, folder: Path) -> None:
    """Make the changes of a diff block; each run of `-` lines must stand exactly once in the file."""
    first, *lines = block.splitlines()
    path = folder / first.removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    for old, new in _changes(lines):
        if text.count(old) != 1:
            raise ValueError(f"{path.name} holds {text.count(old)} times:\n{old}")
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def _changes(lines: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for sign, run in groupby(lines, key=lambda line: line[:1]):
        text = "".join(line[1:] + "\n" for line in run)
        if sign == "-":
            found.append((text, ""))
        elif sign == "+" and found and not found[-1][1]:
            found[-1] = (found[-1][0], text)
        elif sign != "@":
            raise ValueError("a diff block holds runs of `-` lines, each followed by its `+` lines or none")
    return found


def run_page(page: Path, shell: Shell) -> int:
    """Run every example of a page in the current folder; returns how many. Raises SybilFailure at the first fault."""

    def run_console(example: Example) -> str | None:
        return console(example.parsed, shell)

    def run_yaml(example: Example) -> None:
        write_yaml(example.parsed, shell.folder)

    def run_diff(example: Example) -> None:
        apply_diff(example.parsed, shell.folder)

    sybil = Sybil(
        parsers=[
            CodeBlockParser("diff", evaluator=run_diff),
            CodeBlockParser("console", evaluator=run_console),
            CodeBlockParser("yaml", evaluator=run_yaml),
            PythonCodeBlockParser(doctest_optionflags=_LOOSE),
        ],
        path=str(ROOT),
    )
    count = 0
    for example in sybil.parse(page).examples():
        example.evaluate()
        count += 1
    return count


def fences(page: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
