"""A small base and capitals made of it: every way of making one is here, so that a test differs in one thing."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from curator.capital import Capital, RunOptions
from curator.demo import generate
from curator.records import DatasetVersion
from curator.spec.reading import read_document

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "specs" / "road-accidents.yaml"
SECRET = bytes(range(64))  # the same root secret gives the same bytes
PERSONS = 2_000


def make_base(folder: Path, *, persons: int = PERSONS, seed: int = 7) -> Path:
    """The demonstration tables, with their truth; returns the folder."""
    generate(folder, persons=persons, seed=seed)
    return folder


def spec_value(**changes: Any) -> dict[str, Any]:
    """The shipped spec as plain values, bent to a small base, with whole top-level parts replaced."""
    value = copy.deepcopy(read_document(SPEC).value)
    value["disclosure"]["suppress"] = 0.5
    value["model"]["parameters"] = {"max_iter": 5}
    return {**value, **changes}


def write_spec(folder: Path, value: Mapping[str, Any], *, name: str = "spec.yaml") -> Path:
    """A spec file of these values, as JSON, which is YAML too."""
    path = folder / name
    path.write_text(json.dumps(dict(value), ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def empty_capital(folder: Path) -> Capital:
    """A capital with no version."""
    return Capital.create(folder, holder="Road safety observatory", root_secret=SECRET)


def curate(capital: Capital, base: Path, *, spec: Mapping[str, Any] | None = None, **options: Any) -> DatasetVersion:
    """Curate the base with the shipped spec, or another."""
    folder = capital.workspace.root.parent
    path = write_spec(folder, spec or spec_value(), name=f"{capital.workspace.root.name}-spec.yaml")
    return capital.curate(path, RunOptions(data=base, **options))


def whole_capital(folder: Path, base: Path) -> Capital:
    """A capital with a dataset, a model trained on it, a reviewer, and a delivered package of both."""
    capital = empty_capital(folder)
    version = curate(capital, base)
    model = capital.train(version.ref)
    capital.add_agent("reviewer", roles=["reviewer"])
    until = datetime.now(UTC).date() + timedelta(days=30)
    case = capital.request(
        [version.ref, model.ref], to="Institute", channel="research", purpose="road-safety-research", until=until
    )
    Capital.open(folder, agent="reviewer").review(case.id, approve=True, reason="the limits hold")
    with few_guesses():
        capital.deliver(case.id)
    return capital


def few_guesses() -> AbstractContextManager[object]:
    """Every attack before a delivery, the dictionary's with a tenth of its guesses: they are most of what it costs.

    For worlds that are to be delivered, not attacked; all guesses are tried where the attack is what is looked at.
    """
    return patch("curator.attacks._gate.SAMPLE", 4_000)


def copy_capital(capital: Capital, target: Path) -> Capital:
    """A copy with its hard links, opened."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(capital.workspace.root), str(target)], check=True)
    return Capital.open(target)


def published(root: Path) -> list[Path]:
    """Every regular file outside Git's folder and the private one."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in found if path.relative_to(root).parts[0] not in (".git", ".curator"))
