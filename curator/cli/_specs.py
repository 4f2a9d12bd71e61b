"""`spec check`, `spec new`, `spec schema`, `plan`: everything about a spec that needs no row and no capital."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from curator.cli._console import Answer, Console
from curator.cli._starter import starter
from curator.errors import Fault, SpecError, UsageError
from curator.extraction import asking, require_known
from curator.planning import plan as plan_of
from curator.spec import json_schema, load_use_case, parse_use_case, scope_of
from curator.suite import compile_suite


def check(args: Namespace, console: Console) -> Answer:
    """Read each spec and compile its rules; the faults of all of them come at once."""
    read, refused = [], []
    for path in args.specs:
        try:
            use_case = load_use_case(path)
            compile_suite(use_case, scope_of(use_case))
        except SpecError as error:
            refused.append(error)
        else:
            read.append({"file": str(path), "ref": use_case.ref, "digest": use_case.digest})
    if refused:
        raise _together(refused)
    return Answer(document={"specs": read}, text="\n".join(f"{item['file']}: {item['ref']} is sound" for item in read))


def new(args: Namespace, console: Console) -> Answer:
    """A small spec that passes `spec check`, to be changed line by line."""
    path = Path(f"{args.name}.yaml")
    text = starter(args.name)
    try:
        parse_use_case(text, file=path.name)
    except SpecError:
        raise UsageError(
            "spec-name-invalid",
            asked="write a new spec",
            found="a name that a use case cannot have",
            expected="lower-case letters, digits and hyphens, beginning with a letter",
            todo="run `curator spec new road-accidents`, with your own name",
        ) from None
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _taken(path) from None
    return Answer(document={"file": str(path)}, text=f"{path}: change each line, then `curator spec check {path}`")


def schema(args: Namespace, console: Console) -> Answer:
    """The JSON Schema, printed or written."""
    document = json_schema()
    text = json.dumps(document, ensure_ascii=False, indent=2)
    if args.out is None:
        return Answer(document=document, text=text)
    args.out.write_text(text + "\n", encoding="utf-8")
    return Answer(document={"file": str(args.out)}, text=str(args.out))


def plan(args: Namespace, console: Console) -> Answer:
    """What a run would do, before any row is read."""
    use_case = load_use_case(args.spec)
    scope, given = scope_of(use_case), {name: str(place) for name, place in args.sources}
    require_known(use_case, given)
    said = asking(use_case, scope, given=given)
    found = plan_of(use_case, scope).reading(given, said.statements, joins=said.joins)
    return Answer(document=found.to_json(), text=found.render().rstrip("\n"))


def _together(errors: Sequence[SpecError]) -> SpecError:
    """One error for all the specs; each place keeps its file."""
    if len(errors) == 1:
        return errors[0]
    faults = [
        fault
        for error in errors
        for fault in (error.faults or [Fault(file=error.asked, found=error.found, expected=error.expected)])
    ]
    return SpecError(
        "spec-invalid",
        asked="read use cases",
        found=f"{len(faults)} faults in {len(errors)} files",
        expected="specs that `curator spec schema` describes and whose parts agree",
        todo="correct each place below, then run `curator spec check` again",
        faults=faults,
    )


def _taken(path: Path) -> UsageError:
    return UsageError(
        "spec-exists",
        asked=f"write {path.name}",
        found="a file of that name",
        expected="a name that is not taken: nothing of yours is ever overwritten",
        todo="choose another name, or move that file away",
    )
