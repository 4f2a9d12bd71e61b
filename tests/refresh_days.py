"""A source that lives through days, and the laws that a refresh keeps on any of them.

What it publishes is what a run over the whole source would: the rows of the files, split by split; the classes left
out; nothing of a row that was erased; and nothing new where nothing changed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import refresh_world
from capital_world import empty_capital, write_spec

from curator.capital import Capital
from curator.errors import CuratorError
from curator.records import DatasetVersion

Row = tuple[int, str | None, str | None, int, date | None, str | None]
NAMES = ("visit", "person", "ward", "cost", "day", "note")
KINDS = (pa.int64(), pa.string(), pa.string(), pa.int64(), pa.date32(), pa.string())
COLUMNS = {"visit": "integer", "person": "text", "ward": "text", "cost": "integer", "day": "date", "note": "free_text"}
FIELDS: dict[str, Any] = {
    "person": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
    "wing": {
        "meaning": "Ward, coarser.",
        "identifier": "quasi",
        "protect": "generalise",
        "value": "substr(ward, 1, 6)",
    },
    "day": {"meaning": "When.", "protect": "shift", "days": 20},
    "note": {"meaning": "What was said.", "identifier": "direct", "protect": "mask"},
    "cost": {"meaning": "Cost."},
}
REFUSED = ("too-rare", "no-rows", "all-rejected", "too-many-rejected")  # what the rows of a day may call for
SAMPLES: dict[str, dict[str, Any] | None] = {
    "all": None,
    "a fraction of people": {"by": ["person"], "fraction": 0.7},
    "two rows a person": {"by": ["person"], "per_entity": 2},
    "strata": {"by": ["person"], "strata": {"by": ["ward"], "fraction": 0.6}},
    "quotas": {"by": ["person"], "quotas": {"by": "ward", "rows": {"ward 1": 4}}},
}


@dataclass
class World:
    """A source that lives on, its feed of changes and the spec of today."""

    folder: Path
    form: str
    spec: dict[str, Any]
    held: dict[int, Row] = field(default_factory=dict)
    told: list[tuple[str, int, Row]] = field(default_factory=list)
    first: int = 0

    def visit(self, draw: random.Random, number: int) -> Row:
        person = draw.randrange(14)
        who = f"Jeanne Durand{person}" if person else None
        day = date(2024, 3, 1) + timedelta(days=draw.randrange(60)) if draw.random() < 0.9 else None
        return number, who, f"ward {draw.randrange(4)}", number, day, f"Vu {who} le 3 mars." if who else None

    def put(self, row: Row) -> None:
        self.told.append(("U" if row[0] in self.held else "I", len(self.told) + 1, row))
        self.held[row[0]] = row

    def erase(self, number: int) -> None:
        self.told.append(("D", len(self.told) + 1, self.held.pop(number)))

    def live(self, what: str, seed: int) -> None:
        """A day passes."""
        draw = random.Random(seed)
        new = max(self.held, default=0) // 2 * 2 + 2  # even numbers; those that come late are odd
        some = draw.sample(sorted(self.held), min(len(self.held), draw.randrange(1, 6)))
        if what == "came":
            for place in range(draw.randrange(1, 9)):
                self.put(self.visit(draw, new + 2 * place))
        elif what == "late":
            self.put(self.visit(draw, draw.randrange(new // 2) * 2 + 1))
        elif what == "unreadable":
            self.put((*self.visit(draw, new)[:3], -1, None, None))
        elif what == "changed":
            for number in some:
                self.put((*self.visit(draw, number)[:3], number, *self.visit(draw, number)[4:]))
        elif what == "erased":
            for number in some:
                self.erase(number)
        elif what == "closed":
            for number in [number for number, row in self.held.items() if row[2] == "ward 3"]:
                self.erase(number)
        elif what == "field":
            self.spec["fields"]["month"] = {"meaning": "Month.", "value": "month(day)", "protect": "generalise"}
        elif what == "k":
            self.spec["disclosure"]["k"] = draw.choice([2, 3, 4])

    def lay(self) -> Path:
        """Write what stands today; returns the spec."""
        self.write("visits", _table([*self.held.values()]))
        changes = _table([row for _, _, row in self.told])
        changes = changes.append_column("op", pa.array([op for op, _, _ in self.told], pa.string()))
        self.write("changes", changes.append_column("at", pa.array([at for _, at, _ in self.told], pa.int64())))
        return write_spec(self.folder, self.spec)

    def write(self, name: str, table: pa.Table) -> None:
        if self.form == "csv":
            csv.write_csv(table, self.folder / f"{name}.csv")
        else:
            pq.write_table(table, self.folder / f"{name}.parquet")


def _table(rows: Sequence[Row]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(NAMES)
    return pa.table({
        name: pa.array(list(cells), kind) for name, kind, cells in zip(NAMES, KINDS, columns, strict=True)
    })  # fmt: skip


def begun(folder: Path, feed: str, sample: str, form: str, *, seed: int, kind: type[World] = World) -> World:
    """The first day."""
    spec = refresh_world.spec(feed, fields=json.loads(json.dumps(FIELDS)), disclosure={"k": 3, "suppress": 0.9})
    spec["sources"] = {"t": {"path": f"visits.{form}", "columns": COLUMNS}}
    spec["quality"]["max_rejected"] = 0.9
    if feed == "changes":
        spec["refresh"]["changes"]["path"] = f"changes.{form}"
    if SAMPLES[sample]:
        spec["extract"]["sample"] = SAMPLES[sample]
    world, draw = kind(folder, form, spec), random.Random(seed)
    for number in range(0, 2 * draw.randrange(20, 60), 2):
        world.put(world.visit(draw, number))
    return world


def tried(capital: Capital, path: Path) -> tuple[str, DatasetVersion | None]:
    """What a refresh came to: `made`, `same`, or why it refused."""
    try:
        version = capital.refresh(path).version
    except CuratorError as refused:
        if refused.code not in REFUSED:
            raise
        return refused.code, None
    return ("made" if version else "same"), version


def written(version: DatasetVersion) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that stand in the files of each split, in an order of their own."""
    found = {}
    for split in version.manifest.rows:
        rows = version.table(split)
        found[split] = sorted(
            zip(*(rows.column(name).to_pylist() for name in rows.column_names), strict=True), key=repr
        )
    return found


def lawful(world: World, capital: Capital, *, name: str) -> None:
    """What the capital holds is what a new one would make of the source and the spec of today."""
    path = world.lay()
    outcome, _ = tried(capital, path)
    other = empty_capital(world.folder / name)
    wanted, whole = tried(other, path)
    if whole is None:
        assert outcome == wanted, "both refuse, and for the same"
        return
    assert outcome in ("made", "same")
    version = capital.dataset("visits")
    assert written(version) == written(whole)
    assert version.manifest.about["row_digest"] == whole.manifest.about["row_digest"]
    assert disclosed(version) == disclosed(whole)
    costs = {cost for split in written(version).values() for *_, cost in split if isinstance(cost, int)}
    assert costs <= {row[3] for row in world.held.values()} | set(range(1, 13)), "nothing of a row that was erased"
    assert version.manifest.differences(version.folder) == []
    assert tried(capital, path)[0] == "same", "nothing new where nothing changed"


def disclosed(version: DatasetVersion) -> Any:
    return json.loads((version.folder / "disclosure.json").read_text(encoding="utf-8"))
