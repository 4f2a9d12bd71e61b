"""Hostile text in every string of a spec: it is refused, or it is harmless; nothing is ever executed.

The shipped spec is walked as JSON and each string, and each key a user chooses, is replaced in turn. A canary table in
the database and a canary file beside the tables would show whatever ran.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from capital_world import empty_capital, make_base, spec_value, write_spec

from curator.capital import Capital, RunOptions
from curator.errors import CuratorError, SpecError
from curator.spec import load_use_case

HOSTILE = {
    "drop": '"; DROP TABLE canary; --',
    "drop in literal": "'; DROP TABLE canary; --",
    "drop in brackets": "x\"') ; DROP TABLE canary; --",
    "copy": "' || (COPY (SELECT 1) TO 'canary-file') || '",
    "attach": "x'); ATTACH 'canary-file' AS pwned; --",
    "quote": "'",
    "double quote": '"',
    "backslash": "\\'; --",
    "newline": "a\nb",
    "carriage return": "a\r\nb: c",
    "nul": "a\0b",
    "escape": "\x1b[2J\x1b]0;x\x07",
    "right to left": "a\u202eb",
    "combining": "e\u0301\u200d\u2028",
    "outside the basic plane": "\U0001f4a3",
    "lone comment": "/*",
    "placeholder": "{} %s $1 ? :x {0.__class__}",
    "path": "../../../../etc/passwd",
    "long": "x" * 5_000,
    "format": "%n%s%x",
}
Place = tuple[Any, ...]


def strings(value: Any, path: Place = ()) -> Iterator[Place]:
    """Paths of every string; a final `None` means the key itself."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key, None)
            yield from strings(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from strings(child, (*path, index))
    elif isinstance(value, str):
        yield path


def planted(value: dict[str, Any], path: Place, text: str) -> dict[str, Any]:
    """A copy with the text at that place."""
    changed = copy.deepcopy(value)
    here: Any = changed
    parents, last = (path[:-2], path[-2]) if path[-1] is None else (path[:-1], path[-1])
    for part in parents:
        here = here[part]
    if path[-1] is None:
        renamed = {text if key == last else key: child for key, child in here.items()}
        here.clear()
        here.update(renamed)
    else:
        here[last] = text
    return changed


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("hostile") / "tables", persons=300)


@pytest.fixture(scope="module")
def capital(tmp_path_factory: pytest.TempPathFactory) -> Capital:
    return empty_capital(tmp_path_factory.mktemp("hostile-capital") / "capital")


def base_spec() -> dict[str, Any]:
    value = spec_value()
    value["disclosure"] = {"k": 1, "suppress": 1.0}
    return value


def kind_of(place: Place) -> Place:
    """The place with what a user chooses (names of sources, columns, fields; indexes) left out."""
    free = {1} if place[0] in ("sources", "fields") else set()
    free |= {3} if place[:1] == ("sources",) and "columns" in place else set()
    return tuple("*" if index in free or isinstance(part, int) else part for index, part in enumerate(place))


EVERY = list(strings(base_spec()))
PLACES = list({kind_of(place): place for place in EVERY}.values())  # one of each kind; the sweep takes them all
PROSE = ("title", "description", "owner", "purpose", "law", "channels", "model")


def test_every_string_and_key_is_walked() -> None:
    assert len(EVERY) > 400
    assert len(set(EVERY)) == len(EVERY)
    assert len(PLACES) > 120


OFTEN = ("drop in brackets", "double quote", "nul", "carriage return", "format")
SELDOM = [pytest.param(name, marks=pytest.mark.sweep) for name in HOSTILE if name not in OFTEN]


@pytest.mark.parametrize("name", [*OFTEN, *SELDOM])
def test_hostile_text_is_refused_or_harmless(name: str, small: Path, capital: Capital, tmp_path: Path) -> None:
    """The text at one place in turn; what is accepted runs, as far as files written and measured."""
    together = base_spec()
    for place in PLACES:
        value = planted(base_spec(), place, HOSTILE[name])
        if not accepted(value, capital, tmp_path, text=HOSTILE[name]):
            continue
        if place[0] in PROSE or place[-1] in ("meaning", "unit", "because", "text"):
            together = planted(together, place, HOSTILE[name])
        else:
            run(capital, small, value, tmp_path, text=HOSTILE[name])
    run(capital, small, together, tmp_path, text=HOSTILE[name])


@pytest.mark.sweep
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_everywhere(name: str, small: Path, capital: Capital, tmp_path: Path) -> None:
    for place in EVERY:
        value = planted(base_spec(), place, HOSTILE[name])
        if accepted(value, capital, tmp_path, text=HOSTILE[name]):
            run(capital, small, value, tmp_path, text=HOSTILE[name])


def accepted(value: dict[str, Any], capital: Capital, tmp_path: Path, *, text: str) -> bool:
    path = write_spec(tmp_path, value)
    try:
        load_use_case(path)
        capital.plan(path)
    except SpecError as refused:
        assert_quiet(refused, text)
        return False
    return True


def run(capital: Capital, base: Path, value: dict[str, Any], tmp_path: Path, *, text: str) -> None:
    """Curate as far as the files are written and measured; only curator's own errors may come, and nothing may run."""
    path = write_spec(tmp_path, value)
    before = sorted(item.relative_to(base).as_posix() for item in base.rglob("*"))
    try:
        capital.preview(path, until="protect", options=RunOptions(data=base, threads=1))
    except CuratorError as refused:
        assert_quiet(refused, text)
    assert sorted(item.relative_to(base).as_posix() for item in base.rglob("*")) == before
    assert not list(tmp_path.rglob("canary-file"))
    assert not Path("canary-file").exists()


SIGNS = (
    "Parser Error",
    "Binder Error",
    "Catalog Error",
    "Conversion Error",
    "syntax error",
    "LINE 1",
    "SELECT ",
    "FROM ",
)


def assert_quiet(refused: CuratorError, text: str) -> None:
    """No text of the engine in the error, nothing that could rewrite a screen, and no flood."""
    said = str(refused)
    assert not [sign for sign in SIGNS if sign in said and sign not in text], said
    assert not [char for char in said if char != "\n" and not char.isprintable()], repr(said)
    assert len(said) < 6_000


@pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if "\0" not in text[:190]])
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_hostile_names_of_tables_and_columns_are_names(name: str, kind: str, tmp_path: Path) -> None:
    """A table and a column that really have the hostile name are read as such; the canary beside them stays."""
    text = HOSTILE[name][:190]
    file = tmp_path / f"base.{kind}"
    create(file, kind, text)
    value = {
        **base_spec(),
        "sources": {
            "t": {"path": file.name, "format": kind, "table": text, "columns": {"c": {"type": "text", "column": text}}}
        },
        "extract": {"from": "t", "row_key": ["c"], "entity": ["c"]},
        "fields": {"c": {"meaning": "x", "identifier": "none", "because": "x"}},
        "quality": {},
    }
    for key in ("disclosure", "model"):
        value.pop(key)
    spec = write_spec(tmp_path, value)
    capital = empty_capital(tmp_path / "capital")
    version = capital.curate(spec)
    cells = [cell for split in version.splits for cell in version.table(split)["c"].to_pylist()]
    assert sorted(cells) == ["one", "two"]
    assert canary(file, kind) == 1


def create(file: Path, kind: str, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    statements = [
        "CREATE TABLE canary (x INTEGER)", "INSERT INTO canary VALUES (1)",
        f"CREATE TABLE {quoted} ({quoted} VARCHAR)", f"INSERT INTO {quoted} VALUES ('one'), ('two')",
    ]  # fmt: skip
    for statement in statements:
        execute(file, kind, statement)


def canary(file: Path, kind: str) -> int:
    return int(execute(file, kind, "SELECT count(*) FROM canary")[0][0])


def execute(file: Path, kind: str, statement: str) -> list[Any]:
    import sqlite3

    if kind == "sqlite":
        connection = sqlite3.connect(file)
        try:
            rows = connection.execute(statement).fetchall()
            connection.commit()
        finally:
            connection.close()
        return rows
    with duckdb.connect(str(file)) as database:
        return database.execute(statement).fetchall()
