"""Chunk by chunk: lay out accidents, identify people, fill the columns, write, count."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, get_args

import numpy as np
import pyarrow as pa

from curator.demo._accidents import accident_columns, accident_numbers
from curator.demo._circumstances import Scene, person_codes, safety, safety_column, set_scene, severity
from curator.demo._identifiers import IdentifierWriter
from curator.demo._identity_columns import identity_columns
from curator.demo._lists import lists
from curator.demo._mixing import Streams
from curator.demo._narratives import Narratives, narrate
from curator.demo._people import identify
from curator.demo._strings import Text, to_arrow, to_column
from curator.demo._structure import ACCIDENTS_PER_PERSON, DRIVER, Frame, build_frame, day_of, first_day
from curator.demo._truth import RATES, Tally, Truth
from curator.demo._vehicles import MISSING_VEHICLE, VEHICLE_NAMES, Fleet, find_fleet, vehicle_columns
from curator.demo._writers import Format, TableWriter
from curator.errors import StorageError, UsageError

Progress: TypeAlias = Callable[[str, int, int], None]
Columns: TypeAlias = dict[str, pa.Array]

RECIPE = 1  # raised whenever the same seed gives other rows
CHUNK = 1 << 15  # accidents
_NUMBER_TOP = 4  # first digit after the year: accident numbers never reach 9
TABLES = ("accidents", "vehicles", "persons")


def generate(
    folder: Path,
    *,
    persons: int,
    seed: int = 7,
    dirt: bool = True,
    format: Format = "parquet",
    truth_identifiers: bool = True,
    progress: Progress | None = None,
) -> Truth:
    """Write a base of road accidents with exactly `persons` rows in its table `persons`.

    Rows depend on the arguments `persons`, `seed`, `dirt` and on the recipe's number (`parameters["recipe"]`), never
    on the machine or on a library version. Memory is flat: one chunk of some 56,000 persons at a time.

    Args:
        folder: created when absent; must not hold a table of an earlier call.
        persons: rows of `persons`, 1 to 100 million; accidents are about 10/17 of it, people about 7/10.
        seed: any integer.
        dirt: inject the faults of `RATES` (counted in the truth); without it every identifier and key is valid.
        format: `parquet` or `csv`.
        truth_identifiers: also write `truth/identifiers.parquet` and `truth/entities.parquet` (about half as long
            again as the base itself).
        progress: called with (`"persons"`, rows so far, rows in all) after each chunk.

    Returns:
        What was written; the same as `truth/truth.json`.

    Raises:
        UsageError: `demo-size-invalid` when `persons` is outside its range, `demo-format-unknown` for another format.
        StorageError: `demo-folder-used` when the folder holds one of the files already.
    """
    _check(folder, persons=persons, form=format)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    tally = Tally(streams=Streams(seed), dirt=dirt)
    numerator, denominator = ACCIDENTS_PER_PERSON
    plan = _Plan(tally=tally, accidents=max(1, persons * numerator // denominator))
    with ExitStack() as stack:
        writers = {name: stack.enter_context(TableWriter(folder, name, form=format)) for name in TABLES}
        listing = stack.enter_context(IdentifierWriter(folder / "truth")) if truth_identifiers else None
        done = first = 0
        while done < persons:
            frame = build_frame(tally, first=first, count=CHUNK).cut(persons - done)
            tables, narratives = _make_chunk(plan, frame, done=done)
            for name, columns in tables.items():
                writers[name].write(columns)
                tally.rows[name] += len(columns["num_acc"])
            if listing is not None:
                listing.write(tables, narratives=narratives, entity=frame.entity)
            first, done = first + CHUNK, done + len(frame.person_key)
            if progress is not None:
                progress("persons", done, persons)
    truth = _truth(folder, tally, parameters={"persons": persons, "seed": seed, "dirt": dirt})
    truth.write(folder / "truth" / "truth.json")
    return truth


@dataclass(frozen=True, kw_only=True)
class _Plan:
    tally: Tally
    accidents: int


def _check(folder: Path, *, persons: int, form: Format) -> None:
    if not 1 <= persons <= 100_000_000:
        raise UsageError(
            "demo-size-invalid",
            asked="generate the demonstration base",
            found=f"{persons} persons",
            expected="a number of persons from 1 to 100,000,000",
            todo="ask for 10000 persons to try curator, for 1000000 to measure it",
        )
    if form not in get_args(Format):
        raise UsageError(
            "demo-format-unknown",
            asked="generate the demonstration base",
            found="a file format that is not written",
            expected=" or ".join(get_args(Format)),
            todo="leave the format out to get Parquet",
        )
    used = [name for name in TABLES if (folder / f"{name}.{form}").exists()]
    if used:
        raise StorageError(
            "demo-folder-used",
            asked=f"generate the demonstration base in {folder.name}",
            found=f"tables of an earlier base: {', '.join(used)}",
            expected="a new or empty folder",
            todo="name another folder, or remove the earlier tables first",
        )


def _make_chunk(plan: _Plan, frame: Frame, *, done: int) -> tuple[dict[str, Columns], Narratives]:
    tally, streams, facts = plan.tally, plan.tally.streams, lists()
    day = day_of(frame.accidents, plan.accidents)
    commune = streams.pick(frame.accidents, "commune", table=facts.commune_table)
    scene = set_scene(streams, frame, day=day, town=facts.commune_sizes[commune])
    role = np.where(frame.returning, DRIVER, frame.role)
    who = identify(streams, frame.entity, role=role, seen=first_day(frame.entity, plan.accidents))
    owner = frame.drivers
    seen = first_day(frame.entity[owner], plan.accidents)
    fleet = find_fleet(streams, frame.entity[owner], category=scene.category, seen=seen)
    leading = np.flatnonzero(frame.vehicle_rank == 0)
    narratives = narrate(streams, frame.accidents, who=who.take(owner[leading]), fleet=fleet.take(leading))
    numbers = accident_numbers(frame.accidents, day)
    accidents = accident_columns(tally, frame, scene=scene, day=day, commune=commune, narratives=narratives)
    equipment = safety(streams, frame, scene=scene)
    person_day = day[frame.person_accident]
    age = (person_day - who.birth) * 400 // 146097
    tables = {
        "accidents": {"num_acc": to_arrow(numbers)} | accidents,
        "vehicles": _vehicles(tally, frame, scene=scene, fleet=fleet, numbers=numbers),
        "persons": _person_keys(tally, frame, numbers=numbers, done=done)
        | {"severity": severity(tally, frame, scene=scene, age=age, equipment=equipment)}
        | identity_columns(tally, who, rows=frame.person_key, day=person_day)
        | {"safety": safety_column(equipment)}
        | person_codes(tally, frame),
    }
    return tables, narratives


def _person_keys(tally: Tally, frame: Frame, *, numbers: Text, done: int) -> Columns:
    """Key, foreign keys and role; an orphan names a vehicle that stands in no accident."""
    tally.faults["persons.row.duplicate"] += int(np.count_nonzero(frame.duplicated))
    orphan = tally.strike(frame.person_key, "persons.num_veh")["orphan"]
    vehicle = np.where(orphan, MISSING_VEHICLE, frame.vehicle_rank[frame.person_vehicle])
    rows = np.arange(done + 1, done + 1 + len(vehicle), dtype=np.int64)
    return {
        "person_id": to_column(rows, pa.int64()),
        "num_acc": to_arrow(numbers[frame.person_accident]),
        "num_veh": VEHICLE_NAMES.column(VEHICLE_NAMES.find(vehicle)),
        "role": to_column(frame.role.astype(np.int8), pa.int8()),
    }


def _vehicles(tally: Tally, frame: Frame, *, scene: Scene, fleet: Fleet, numbers: Text) -> Columns:
    """The vehicles, then copies of a few under accident numbers that do not exist."""
    orphan = np.flatnonzero(tally.strike(frame.vehicle_key, "vehicles.row")["orphan"])
    own = len(frame.vehicle_rank)
    rows = np.concatenate([np.arange(own), orphan])
    number = numbers[frame.vehicle_accident[rows]]
    number[own:, _NUMBER_TOP] = ord("9")
    keys = {
        "num_acc": to_arrow(number),
        "num_veh": VEHICLE_NAMES.column(VEHICLE_NAMES.find(frame.vehicle_rank[rows])),
    }
    return keys | vehicle_columns(tally, frame, scene=scene, fleet=fleet, rows=rows)


def _truth(folder: Path, tally: Tally, *, parameters: dict[str, object]) -> Truth:
    faults = {f"{column}.{kind}": 0 for column, kinds in RATES.items() for kind in kinds}
    return Truth(
        folder=folder,
        parameters={"recipe": RECIPE, **parameters},
        rows=dict(tally.rows),
        faults=faults | tally.faults,
        natural=dict(tally.natural),
        spellings=dict(tally.spellings),
        extremes=dict(tally.extremes),
    )
