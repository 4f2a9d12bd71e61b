"""A page for every error code and exit code, in English and in French: what it means, its usual cause, what to do.

The pages stand in `pages/*.toml`: `source.toml` for errors of the class of sources, `source-databases.toml` for those
of one room. A test holds them to the codes that the source raises, and `docs/reference/errors.md` to what
`python -m curator.explanations` prints.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from curator import errors as tree
from curator.errors import UsageError

__all__ = ["Language", "Page", "Text", "errors", "exit_codes", "page", "reference"]

Language = Literal["en", "fr"]

_CLASSES: dict[str, type[tree.CuratorError]] = {
    "usage": tree.UsageError,
    "spec": tree.SpecError,
    "source": tree.SourceError,
    "quality": tree.QualityError,
    "disclosure": tree.DisclosureError,
    "permission": tree.NotAllowedError,
    "integrity": tree.IntegrityError,
    "parity": tree.ParityError,
    "storage": tree.StorageError,
    "secret": tree.SecretError,
}
_PROGRAM = {"internal": 1, "interrupted": 130}
_LABELS: dict[Language, tuple[str, str, str, str]] = {
    "en": ("meaning", "usual cause", "do next", "exit code"),
    "fr": ("sens", "cause habituelle", "que faire", "code de sortie"),
}


@dataclass(frozen=True, kw_only=True)
class Text:
    """One page in one language.

    Attributes:
        title: a few words.
        meaning: what the code says.
        cause: what usually leads to it.
        todo: the next step.
    """

    title: str
    meaning: str
    cause: str
    todo: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """One code.

    Attributes:
        code: the error's slug, or the digits of an exit code.
        kind: name of the error class; empty for exit codes and for what the program itself says.
        exit_code: of the process.
        en: in English.
        fr: in French.
    """

    code: str
    kind: str
    exit_code: int
    en: Text
    fr: Text

    def text(self, language: Language) -> Text:
        """The page in a language."""
        return self.fr if language == "fr" else self.en

    def render(self, language: Language) -> str:
        """The page as people read it."""
        text = self.text(language)
        meaning, cause, todo, exit_code = _LABELS[language]
        lines = {meaning: text.meaning, cause: text.cause, todo: text.todo, exit_code: str(self.exit_code)}
        width = max(map(len, lines))
        return "\n".join(
            [f"{self.code}: {text.title}", *(f"  {name:<{width}}  {line}" for name, line in lines.items())]
        )

    def to_json(self, language: Language) -> dict[str, Any]:
        """What `--json` prints."""
        return {"code": self.code, "exit_code": self.exit_code, "language": language, **vars(self.text(language))}


def errors() -> tuple[Page, ...]:
    """The pages of error codes, by exit code and name."""
    found = [
        page for name, kind in _CLASSES.items() for page in _read(name, kind=kind.__name__, exit_code=kind.exit_code)
    ]
    found += [page for page in _read("program", kind="", exit_code=0) if page.code in _PROGRAM]
    return tuple(sorted(found, key=lambda page: (page.exit_code, page.code)))


def exit_codes() -> tuple[Page, ...]:
    """The pages of exit codes, ascending."""
    return tuple(sorted(_read("exits", kind="", exit_code=0), key=lambda page: page.exit_code))


def page(code: str) -> Page:
    """The page of an error code or exit code. Raises UsageError `code-unknown`, with codes that look alike."""
    pages = {page.code: page for page in (*errors(), *exit_codes())}
    if code in pages:
        return pages[code]
    from difflib import get_close_matches

    near = get_close_matches(code, pages, n=3)
    raise UsageError(
        "code-unknown",
        asked="explain a code",
        found="no page of that name",
        expected=f"perhaps {', '.join(near)}" if near else "a code as an error prints it, between brackets",
        todo="list them all with `curator explain`",
    )


def reference() -> str:
    """The text of `docs/reference/errors.md`."""
    lines = [
        "# Errors and exit codes",
        "",
        "Every error says what was asked, found, expected and what to do next, and has a code; `curator explain CODE`",
        "gives its page, in English or French (`--lang fr`). No message holds a value of a row, a key or an",
        "identifier. This page is written by `python -m curator.explanations`.",
        "",
        "## Exit codes",
        "",
        "| code | title | meaning | en français |",
        "| ---: | --- | --- | --- |",
        *(f"| {page.exit_code} | {page.en.title} | {page.en.meaning} | {page.fr.meaning} |" for page in exit_codes()),
    ]
    titles = {page.exit_code: page.en.title for page in exit_codes()}
    last = None
    for page in errors():
        if page.exit_code != last:
            last = page.exit_code
            kind = f", `{page.kind}`" if page.kind else ""
            lines += ["", f"## {titles[last]}: exit code {last}{kind}"]
        lines += ["", f"### `{page.code}`: {page.en.title}", "", _paragraph(page, "en"), "", _paragraph(page, "fr")]
    return "\n".join(lines) + "\n"


def _paragraph(page: Page, language: Language) -> str:
    text, (_, cause, todo, _) = page.text(language), _LABELS[language]
    title = f"**{text.title}.** " if language != "en" else ""
    colon = " :" if language == "fr" else ":"
    return f"{title}{text.meaning} *{cause.capitalize()}{colon}* {text.cause} *{todo.capitalize()}{colon}* {text.todo}"


@cache
def _read(name: str, *, kind: str, exit_code: int) -> tuple[Page, ...]:
    folder = files(__package__).joinpath("pages")
    parts = sorted(
        part.name for part in folder.iterdir() if part.name == f"{name}.toml" or part.name.startswith(f"{name}-")
    )
    raw: dict[str, Any] = {}
    for part in parts:
        raw |= tomllib.loads(folder.joinpath(part).read_text(encoding="utf-8"))
    return tuple(
        Page(
            code=code,
            kind=kind,
            exit_code=int(code) if code.isdigit() else _PROGRAM.get(code, exit_code),
            en=Text(**both["en"]),
            fr=Text(**both["fr"]),
        )
        for code, both in raw.items()
    )
