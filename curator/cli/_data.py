"""`curate`, `show`, `list`, `train`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from curator.capital import Capital, RunOptions
from curator.cli._console import Answer, Console, pairs, table
from curator.cli._places import open_capital
from curator.records import DatasetVersion, ModelVersion
from curator.spec import load_use_case
from curator.versioning import Progress


def curate(args: Namespace, console: Console) -> Answer:
    """From a spec to a version, or to the counts of a stage."""
    capital = open_capital(args)
    with console.progress() as progress:
        options = run_options(args, progress)
        if args.until:
            found = capital.preview(args.spec, until=args.until, options=options).to_json()
            return Answer(document=found, text="\n".join(_lines(found)))
        version = capital.curate(args.spec, options)
    for note in version.notes:
        console.note(note)
    return _version(version)


def run_options(args: Namespace, progress: Progress | None) -> RunOptions:
    """How to run, by the arguments that `curate` and `refresh` share."""
    return RunOptions(
        sources=dict(args.sources),
        data=args.data,
        engine=args.engine,
        threads=args.threads,
        memory=args.memory,
        epoch=args.epoch,
        recipient=args.recipient,
        order=args.order,
        to=args.to,
        progress=progress,
    )


def show(args: Namespace, console: Console) -> Answer:
    """The capital, a version or a request."""
    capital = open_capital(args)
    if args.ref is None:
        return _capital(capital)
    for case in capital.requests() if args.ref.startswith("R-") else ():
        if case.id == args.ref:
            return Answer(document=case.to_json(), text="\n".join(_lines(case.to_json())))
    return _version(capital.version(args.ref))


def list_versions(args: Namespace, console: Console) -> Answer:
    """Every version."""
    capital = open_capital(args)
    versions = [capital.version(ref) for ref in (*capital.datasets(), *capital.models())]
    found = [version.to_json() for version in versions]
    rows = [
        (item["kind"], item["ref"], ", ".join(f"{split} {count:,}" for split, count in item["rows"].items()),
         item["bytes"], item["digest"])
        for item in found
    ]  # fmt: skip
    if not rows:
        console.note("no version yet: make one with `curator curate SPEC`")
    return Answer(document={"versions": found}, text=table(rows, heads=("kind", "ref", "rows", "bytes", "digest")))


def train(args: Namespace, console: Console) -> Answer:
    """The baseline of a spec or dataset version."""
    capital = open_capital(args)
    is_spec = args.dataset.endswith((".yaml", ".yml"))
    ref = load_use_case(Path(args.dataset)).ref if is_spec else args.dataset
    with console.busy("train"):
        model = capital.train(ref, version=args.version)
    for note in _figures(model):
        console.note(note)
    return _version(model)


def _figures(model: ModelVersion) -> Iterator[str]:
    """How well the model does on the splits that it did not learn from, beside the guess that looks at nothing."""
    splits = json.loads((model.folder / "metrics.json").read_bytes())["splits"]
    for split, found in splits.items():
        if split == "train":
            continue
        pairs = [(name, value, found["baseline"].get(name)) for name, value in found["model"].items()]
        told = ", ".join(
            f"{name} {value:.3f}" + ("" if guess is None else f" (a guess: {guess:.3f})")
            for name, value, guess in pairs
            if value is not None
        )
        yield f"{split}, {found['rows']:,} rows: {told}"


def _version(version: DatasetVersion | ModelVersion) -> Answer:
    document = {**version.to_json(), "folder": str(version.folder)}
    if isinstance(version, ModelVersion):
        document["trained_on"] = version.trained_on
    return Answer(document=document, text="\n".join(_lines(document)))


def _capital(capital: Capital) -> Answer:
    agents = {agent.name: sorted(str(role) for role in agent.roles) for agent in capital.directory().agents}
    document = {
        "holder": capital.workspace.holder,
        "folder": str(capital.workspace.root),
        "agents": agents,
        "datasets": list(capital.datasets()),
        "models": list(capital.models()),
        "requests": {case.id: case.state for case in capital.requests()},
    }
    return Answer(document=document, text="\n".join(_lines(document)))


def _lines(document: Mapping[str, Any], indent: str = "") -> list[str]:
    """A document as indented lines, lists on one line, numbers with separators."""
    simple = {name: _words(value) for name, value in document.items() if not isinstance(value, dict)}
    lines = [indent + line for line in pairs(simple).splitlines()]
    for name, value in document.items():
        if isinstance(value, dict) and value:
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
    return lines


def _words(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value) or "none"
    return str(value)
