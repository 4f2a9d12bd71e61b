"""Every example of the documentation does what the page says, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from doc_runner import ROOT, RUN, agrees, apply_diff, commands, console, fences, reader, run_page, write_yaml

DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    DOCS / "tutorial.md",
    *sorted(path for path in (DOCS / "how-to").glob("*.md") if path.name != "real-tables.md"),
]
TRANSLATIONS = {
    "fr/tutoriel.md": "tutorial.md",
    "fr/lisez-moi.md": "../README.md",
    "fr/verifier-sans-curator.md": "how-to/verify-without-curator.md",
    "fr/qui-pourrait-etre-retrouve.md": "how-to/who-could-be-found.md",
}
AFTER_THE_DEMONSTRATION = {"README.md", "verify-without-curator.md", "share-with-dvc.md", "load-with-datasets.md",
                           "bring-your-own-pipeline.md", "who-could-be-found.md"}  # fmt: skip
PROGRAMS = {"git", "openssl", "tar", "sha256sum"}
SHOWN = {"sh", "text"}  # `sh`: the README's set-up, which the tasks of noxfile.py run
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\((?!\w+\.svg\))|<img", re.IGNORECASE)  # all but a drawing beside the page


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _require_programs(page: Path) -> None:
    """Skip a page whose programs this machine lacks; fail under CI, which installs them."""
    words = set(re.findall(r"\w+", " ".join(text for language, text in fences(page) if language == "console")))
    absent = sorted(name for name in PROGRAMS & words if not shutil.which(name))
    if absent and os.environ.get("CI") == "true":
        pytest.fail(f"no {', '.join(absent)} on this machine")
    if absent:
        pytest.skip(f"no {', '.join(absent)} on this machine")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_example_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    _require_programs(page)
    folder, state = tmp_path / "work", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    if page.name in AFTER_THE_DEMONSTRATION:
        shutil.copytree(request.getfixturevalue("demonstration"), folder / "capital-demo")
    monkeypatch.chdir(folder)
    ran = run_page(page, reader(folder, state))
    blocks = [language for language, _ in fences(page)]
    assert not set(blocks) - RUN - SHOWN, "a language that no test runs"
    assert ran >= sum(language in RUN for language in blocks)


@pytest.mark.parametrize(("translation", "original"), TRANSLATIONS.items())
def test_a_translation_has_the_same_examples(translation: str, original: str) -> None:
    assert _without_remarks(DOCS / translation) == _without_remarks(DOCS / original)


def _without_remarks(page: Path) -> list[tuple[str, str]]:
    """The examples of a page without what they say in its language: remarks in Python, what each command is for."""
    remarks = {"python": r" +# .*$", "text": r"(?<=\S) {2,}\S.*$"}
    return [
        (language, re.sub(remarks[language], "", text, flags=re.MULTILINE) if language in remarks else text)
        for language, text in fences(page)
    ]


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in _LINK.findall(re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)):
            if not re.match(r"https?:|mailto:|#", target) and not (page.parent / target.partition("#")[0]).exists():
                broken.append(f"{_name(page)}: {target}")
    assert not broken


def test_no_page_shows_a_remote_image() -> None:
    shown = [_name(page) for page in [ROOT / "README.md", *DOCS.rglob("*.md")] if _IMAGE.search(page.read_text())]
    assert not shown


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {(DOCS / target.partition("#")[0]).resolve() for target in _LINK.findall(index)}
    assert {_name(page) for page in DOCS.rglob("*.md")} - {_name(DOCS / "index.md")} <= {
        _name(page) for page in listed if page.is_relative_to(ROOT)
    }


def test_the_readme_gives_the_two_commands_that_ci_runs() -> None:
    shown = [text.strip() for language, text in fences(ROOT / "README.md") if language == "sh"]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert len(shown) == 2
    for command in shown:
        python, install, *task = command.split(" && ")
        assert python == "python3.11 -m venv .venv"
        assert install in ci
        assert len(task) == 1
        assert f"\n{task[0]}\n" in ci


def test_what_the_readme_promises_is_tested_where_it_says() -> None:
    named = set(re.findall(r"`(tests/[\w/.-]+)`", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(named) > 8
    assert not [name for name in named if not (ROOT / name).exists()]
    assert named == set(re.findall(r"`(tests/[\w/.-]+)`", (DOCS / "fr" / "lisez-moi.md").read_text(encoding="utf-8")))


# ---- the runner itself --------------------------------------------------------------------------------------------


def test_a_command_keeps_folder_variables_and_exit_code(tmp_path: Path) -> None:
    shell = reader(tmp_path, tmp_path / "state")
    assert shell.run("export WORD='two words'") == ""
    assert shell.run('echo "$WORD"') == "two words\n"
    shell.run("exit 7")
    assert shell.run("echo $?") == "7\n"
    assert shell.run("pwd").strip() == str(tmp_path)


@pytest.mark.parametrize(
    "block",
    [
        "$ echo a\nb",  # another output
        "$ echo a",  # an output that is not shown
        "$ false",  # a failure that is not shown
        "$ echo a\na\n$ false\n$ true",
        "$ false\n$ echo $?\n0",
    ],
)
def test_a_console_block_that_is_not_so_is_reported(block: str, tmp_path: Path) -> None:
    assert console(block, reader(tmp_path, tmp_path / "state"))


@pytest.mark.parametrize(
    "block", ["$ echo a\na", "$ echo a b c\na ... c", "$ false\n$ echo $?\n1", "$ echo a \\\n  b\na b"]
)
def test_a_console_block_that_is_so_passes(block: str, tmp_path: Path) -> None:
    assert console(block, reader(tmp_path, tmp_path / "state")) is None


def test_commands_are_read_with_their_outputs() -> None:
    assert commands("$ a \\\n  b\nc\nd\n$ e\n") == [("a \\\n  b", "c\nd"), ("e", "")]
    with pytest.raises(ValueError, match="begins with"):
        commands("a")


def test_ellipsis_and_layout_are_loose_but_words_are_not() -> None:
    assert agrees("kind   dataset\n...", "kind dataset\nref x\n")
    assert not agrees("kind   dataset\n...", "kind model\nref x\n")
    assert not agrees("", "something")


def test_files_are_written_continued_and_changed(tmp_path: Path) -> None:
    write_yaml("# a.yaml\nb: 1\n", tmp_path)
    write_yaml("# a.yaml, continued\nc: 2\n", tmp_path)
    apply_diff("--- a.yaml\n-b: 1\n+b: 3\n@@\n-c: 2\n", tmp_path)
    left = [line for line in (tmp_path / "a.yaml").read_text().splitlines() if ": " in line]
    assert left == ["b: 3"]
    for wrong in ("# a.yaml\nb: 1\n", "# b.yaml, continued\nc: 2\n", "c: 2\n"):
        with pytest.raises(ValueError, match="yaml"):
            write_yaml(wrong, tmp_path)
    for wrong in ("--- a.yaml\n-d: 1\n+d: 2\n", "--- a.yaml\n+d: 2\n", "--- a.yaml\n b: 3\n"):
        with pytest.raises(ValueError, match=r"times|runs"):
            apply_diff(wrong, tmp_path)
