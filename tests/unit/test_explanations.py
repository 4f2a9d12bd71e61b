"""The pages: one for every code that the source raises, of the class that raises it, whole in both languages."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from curator import errors as tree
from curator import explanations
from curator.cli._parser import build_parser, commands_of
from curator.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
CLASSES = {name: kind for name, kind in vars(tree).items() if isinstance(kind, type) and issubclass(kind, Exception)}
COMMANDS = set(commands_of(build_parser()))
WORDS = {word for command in COMMANDS for word in (command, command.split()[0])}


def raised(source: str) -> Iterator[tuple[str, str]]:
    """(code, class name) for every error built in a module, also where a helper takes the code as a parameter."""
    module = ast.parse(source)
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    for call in calls:
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in CLASSES:
            inside = [
                function for function in functions if function.lineno <= call.lineno <= (function.end_lineno or 0)
            ]
            for code in codes(call.args[0], inside[-1] if inside else None, calls):
                yield code, name


def codes(node: ast.expr, helper: ast.FunctionDef | None, calls: list[ast.Call]) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*codes(node.body, helper, calls), *codes(node.orelse, helper, calls)]
    if isinstance(node, ast.Attribute) and node.attr == "code":  # passed on from another error
        return []
    assert isinstance(node, ast.Name), f"a code that no one can look up: {ast.unparse(node)}"
    assert helper is not None
    names = [argument.arg for argument in (*helper.args.args, *helper.args.kwonlyargs)]
    place, found = names.index(node.id), []
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == helper.name:
            named = [keyword.value for keyword in call.keywords if keyword.arg == node.id]
            found += codes(call.args[place] if place < len(call.args) else named[0], None, calls)
    return found


@pytest.fixture(scope="module")
def in_source() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "curator").rglob("*.py"):
        for code, kind in raised(path.read_text(encoding="utf-8")):
            found[code].add(kind)
    return found


def test_the_source_is_read_as_it_is_written() -> None:
    source = """
def helper(found, code="x"):
    return SpecError(code, asked=found)
helper("a", "one"); helper("b", code="two"); UsageError("three" if x else "four"); IntegrityError(fault.code)
"""
    assert sorted(raised(source)) == [
        ("four", "UsageError"),
        ("one", "SpecError"),
        ("three", "UsageError"),
        ("two", "SpecError"),
    ]


def test_every_code_has_its_page_and_every_page_its_code(in_source: dict[str, set[str]]) -> None:
    pages = {page.code for page in explanations.errors()}
    assert sorted(set(in_source) - pages) == [], "codes without a page"
    assert sorted(pages - set(in_source) - {"internal", "interrupted"}) == [], "pages of codes that nothing raises"


def test_a_page_is_of_the_class_that_raises_its_code(in_source: dict[str, set[str]]) -> None:
    wrong = [
        (page.code, page.kind, in_source[page.code])
        for page in explanations.errors()
        if page.kind and in_source[page.code] != {page.kind}
    ]
    assert wrong == []


def test_every_exit_code_has_its_page() -> None:
    classes = {kind.exit_code for kind in CLASSES.values() if issubclass(kind, tree.CuratorError)}
    assert {page.exit_code for page in explanations.exit_codes()} == classes | {0, 130, 141}


@pytest.mark.parametrize("page", [*explanations.errors(), *explanations.exit_codes()], ids=lambda page: page.code)
def test_a_page_is_whole_in_both_languages(page: explanations.Page) -> None:
    for language in ("en", "fr"):
        text = page.text(language)
        assert all(value.strip() == value and value for value in asdict(text).values())
        assert not text.title.endswith(".")
        assert all(value.endswith((".", "`")) for value in (text.meaning, text.cause, text.todo))
        assert len(text.title) < 70
    assert page.en != page.fr


@pytest.mark.parametrize("page", explanations.errors(), ids=lambda page: page.code)
def test_a_page_names_only_commands_that_exist(page: explanations.Page) -> None:
    told = " ".join([*asdict(page.en).values(), *asdict(page.fr).values()])
    assert [name for name in commands_named(told) if name not in WORDS] == []


def test_messages_of_the_source_name_only_commands_that_exist() -> None:
    wrong = []
    for path in (ROOT / "curator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                wrong += [(path.name, name) for name in commands_named(node.value) if name not in WORDS]
    assert wrong == []


def commands_named(text: str) -> Iterator[str]:
    """The command of each `curator ...` between backticks: its two words where the first is a group."""
    groups = {command.split()[0] for command in COMMANDS if " " in command}
    for words in re.findall(r"`curator((?: --?[a-z]+(?: [A-Z]+)?)*(?: [a-z-]+)+)", text):
        plain = [word for word in words.split() if re.fullmatch("[a-z][a-z-]*", word)]
        if plain:
            yield " ".join(plain[: 2 if plain[0] in groups else 1])


def test_an_unknown_code_is_told_its_neighbours() -> None:
    with pytest.raises(UsageError) as caught:
        explanations.page("too-rear")
    assert caught.value.code == "code-unknown"
    assert "too-rare" in caught.value.expected


def test_a_page_reads_as_this() -> None:
    page = explanations.page("source-unknown")
    assert page.render("en").splitlines() == [
        "source-unknown: The spec has no such source",
        "  meaning      A file was given for a source that the spec does not name.",
        "  usual cause  The name before `=` in `--source` is misspelt.",
        "  do next      Use one of the names that the message lists.",
        "  exit code    11",
    ]
    assert page.to_json("fr")["title"] == "La spécification n'a pas cette source"


def test_the_reference_page_is_what_the_table_says() -> None:
    written = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert written == explanations.reference(), "run: python -m curator.explanations > docs/reference/errors.md"
