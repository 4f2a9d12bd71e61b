"""Invented identities beside real accidents: new tables keyed on those of the national accident file (BAAC).

The real tables are only read. The odds of `grav` follow the real light, road, vehicle and obstacle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from curator.arrow import integers, without_chunks
from curator.demo._accidents import recorded_by
from curator.demo._circumstances import Scene, safety, severity
from curator.demo._generate import RECIPE
from curator.demo._identifiers import IdentifierWriter
from curator.demo._identity_columns import identity_columns
from curator.demo._mixing import Mask, Numbers, Streams, lookup
from curator.demo._narratives import Narratives, narrate
from curator.demo._people import Identity, identify
from curator.demo._strings import to_arrow, to_column
from curator.demo._structure import DRIVER, PASSENGER, PEDESTRIAN, Frame
from curator.demo._truth import Tally, Truth
from curator.demo._vehicles import find_fleet, make_names, plate_column, vin_column
from curator.demo._writers import TableWriter
from curator.errors import SourceError, StorageError

_PASSENGERS = lookup([74, 19, 7])
_PEDESTRIAN_HIT = 1  # code of a pedestrian in the column obsm
_HOLDER_ELSEWHERE = 0.12
_TABLES = {"accidents": "caracteristiques_identity", "vehicles": "vehicles_identity", "persons": "usagers"}
_COLUMNS = {
    "accidents": {
        "num_acc": "Num_Acc",
        "unit_code": "unite_saisie",
        "agent_number": "matricule_agent",
        "report_number": "numero_pv",
        "narrative": "main_courante",
    },
    "vehicles": {
        "num_acc": "Num_Acc",
        "num_veh": "num_veh",
        "plate": "immatriculation",
        "vin": "vin",
        "make": "marque",
        "holder": "titulaire_id",
    },
    "persons": {
        "person_id": "id_usager",
        "num_acc": "Num_Acc",
        "num_veh": "num_veh",
        "role": "catu",
        "severity": "grav",
        "sex": "sexe",
        "last_name": "nom",
        "married_name": "nom_usage",
        "first_names": "prenoms",
        "birth_date": "date_naissance",
        "birth_place": "lieu_naissance_insee",
        "nir": "nir",
        "phone": "telephone",
        "email": "courriel",
        "address": "adresse",
        "postcode": "code_postal",
        "city": "ville",
        "licence_number": "num_permis",
    },
}


def enrich_baac(
    source: Path,
    folder: Path,
    *,
    seed: int = 7,
    dirt: bool = True,
    truth_identifiers: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Truth:
    """Write invented identities for the real accidents of one year.

    Writes `vehicles_identity.csv` (one row a vehicle), `usagers.csv` (one to four a vehicle: driver, passengers, a
    pedestrian where the real row says one was hit) and `caracteristiques_identity.csv` (one row an accident), UTF-8
    with commas, and the folder `truth` as `generate` does. Nobody returns: each row of `usagers.csv` is one person.

    Args:
        source: folder with one each of `caracteristiques_*.csv.gz`, `lieux_*.csv.gz` and `vehicules_*.csv.gz`
            (latin-1, commas).
        folder: created when absent; must not hold a file of an earlier call.
        seed: any integer.
        dirt: inject the faults of `generate`.
        truth_identifiers: also write `truth/identifiers.parquet` and `truth/entities.parquet`.
        progress: called with (table, 1, 1) as each table is written.

    Returns:
        What was written; the same as `truth/truth.json`.

    Raises:
        SourceError: `demo-source-absent` when a table is missing, `demo-source-shape` when one cannot be read.
        StorageError: `demo-folder-used` when the folder holds one of the files already.
    """
    _refuse_used(folder)
    real = _read(source)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    tally = Tally(streams=Streams(seed), dirt=dirt)
    tables, narratives, frame = _make(tally, real)
    names = _dotted_names()
    with ExitStack() as stack:
        if truth_identifiers:
            listing = stack.enter_context(IdentifierWriter(folder / "truth", names=names))
            listing.write(tables, narratives=narratives, entity=frame.entity)
        for name, columns in tables.items():
            writer = stack.enter_context(TableWriter(folder, _TABLES[name], form="csv"))
            writer.write({new: columns[old] for old, new in _COLUMNS[name].items()})
            tally.rows[_TABLES[name]] = len(columns["num_acc"])
            if progress is not None:
                progress(_TABLES[name], 1, 1)
    truth = _truth(folder, tally, names=names, parameters={"recipe": RECIPE, "seed": seed, "dirt": dirt})
    truth.write(folder / "truth" / "truth.json")
    return truth


@dataclass(frozen=True, kw_only=True)
class _Real:
    """The real columns that matter: one value an accident, then one value a vehicle.

    `vehicle_accident` is the position of each vehicle's accident; codes are 0 where the real cell is empty.
    """

    num_acc: Numbers
    day: Numbers
    light: Numbers
    built_up: Mask
    road: Numbers
    vehicle_accident: Numbers
    num_veh: pa.StringArray
    category: Numbers
    obstacle: Numbers
    hit: Numbers


def _refuse_used(folder: Path) -> None:
    used = [name for name in _TABLES.values() if (folder / f"{name}.csv").exists()]
    if used:
        raise StorageError(
            "demo-folder-used",
            asked=f"write identities in {folder.name}",
            found=f"tables of an earlier call: {', '.join(used)}",
            expected="a new or empty folder",
            todo="name another folder, or remove the earlier tables first",
        )


def _read(source: Path) -> _Real:
    accidents = _table(source, "caracteristiques", numbers=("Num_Acc", "an", "mois", "jour", "lum", "agg"))
    places = _table(source, "lieux", numbers=("Num_Acc", "catr"))
    vehicles = _table(source, "vehicules", numbers=("Num_Acc", "catv", "obs", "obsm"), text=("num_veh",))
    number = _numbers(accidents["Num_Acc"])
    order = np.argsort(number, kind="stable")
    place = _positions(_numbers(places["Num_Acc"]), number=number, order=order)
    road = np.zeros(len(number), dtype=np.int64)
    road[place] = _numbers(places["catr"])
    built_up = _numbers(accidents["agg"]) == 2
    return _Real(
        num_acc=number,
        day=_days(_numbers(accidents["an"]), _numbers(accidents["mois"]), day=_numbers(accidents["jour"])),
        light=np.clip(_numbers(accidents["lum"]), 0, 5),
        built_up=built_up,
        road=np.clip(road, 0, 9),
        vehicle_accident=_positions(_numbers(vehicles["Num_Acc"]), number=number, order=order),
        num_veh=without_chunks(vehicles["num_veh"]),
        category=np.clip(_numbers(vehicles["catv"]), 0, 99),
        obstacle=_numbers(vehicles["obs"]),
        hit=_numbers(vehicles["obsm"]),
    )


def _table(source: Path, name: str, *, numbers: tuple[str, ...], text: tuple[str, ...] = ()) -> pa.Table:
    found = sorted(source.glob(f"{name}_*.csv.gz"))
    if len(found) != 1:
        raise SourceError(
            "demo-source-absent",
            asked="read the real accident tables",
            found=f"{len(found)} files named {name}_*.csv.gz in {source.name}",
            expected="exactly one",
            todo="name the folder that holds one year of the national accident file, as downloaded",
        )
    types = dict.fromkeys(numbers, pa.int64()) | dict.fromkeys(text, pa.string())
    try:
        return pyarrow.csv.read_csv(
            str(found[0]),
            read_options=pyarrow.csv.ReadOptions(encoding="latin-1"),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(types)),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError):
        raise SourceError(
            "demo-source-shape",
            asked=f"read {found[0].name}",
            found="a file that is not the expected table",
            expected=f"comma-separated text with the columns {', '.join(types)}, codes in digits",
            todo="download the file again, or take a year from 2005 to 2018, whose layout is the same",
        ) from None  # the reader's own message quotes the cell


def _numbers(column: pa.ChunkedArray) -> Numbers:
    """The integers of a column; 0 where the cell is empty."""
    array = without_chunks(column)
    values = integers(array).astype(np.int64)
    known = array.buffers()[0]
    if known is None:
        return values
    bits = np.unpackbits(np.frombuffer(known, dtype=np.uint8), bitorder="little")
    return values * bits[array.offset : array.offset + len(array)]


def _positions(wanted: Numbers, *, number: Numbers, order: Numbers) -> Numbers:
    """Position of each wanted accident; raises SourceError when one is missing."""
    place = np.minimum(np.searchsorted(number, wanted, sorter=order), len(order) - 1)
    found = order[place]
    orphans = int(np.count_nonzero(number[found] != wanted))
    if orphans:
        raise SourceError(
            "demo-source-shape",
            asked="join the real accident tables",
            found=f"{orphans} rows whose accident is not in caracteristiques",
            expected="three tables of the same year",
            todo="download the three tables of one year again",
        )
    return np.asarray(found, dtype=np.int64)


def _days(year: Numbers, month: Numbers, *, day: Numbers) -> Numbers:
    """Days from 1970-01-01; the year is written with two digits until 2018."""
    full = np.where(year < 100, 2000 + year, year)
    months = ((full - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def _frame(streams: Streams, real: _Real) -> Frame:
    """One to four persons a vehicle; a vehicle's key is its position in the real file."""
    vehicles = np.arange(len(real.category), dtype=np.uint64) << np.uint64(4)
    occupants = 1 + streams.pick(vehicles, "passengers", table=_PASSENGERS)
    sizes = occupants + (real.hit == _PEDESTRIAN_HIT)
    ends = np.cumsum(sizes)
    person_vehicle = np.repeat(np.arange(len(sizes)), sizes)
    position = np.arange(int(ends[-1])) - np.repeat(ends - sizes, sizes)
    role = np.where(position == 0, DRIVER, np.where(position < occupants[person_vehicle], PASSENGER, PEDESTRIAN))
    key = vehicles[person_vehicle] + position.view(np.uint64)
    return Frame(
        accidents=np.arange(len(real.num_acc), dtype=np.uint64),
        vehicle_accident=real.vehicle_accident,
        vehicle_rank=np.zeros(len(sizes), dtype=np.int64),
        vehicle_occupants=occupants,
        person_vehicle=person_vehicle,
        person_key=key,
        entity=key,
        role=role,
        duplicated=np.zeros(len(key), dtype=bool),
    )


def _make(tally: Tally, real: _Real) -> tuple[dict[str, dict[str, pa.Array]], Narratives, Frame]:
    streams, frame = tally.streams, _frame(tally.streams, real)
    day = real.day[frame.person_accident]
    who = identify(streams, frame.entity, role=frame.role, seen=day)
    owner = frame.entity[frame.drivers]
    fleet = find_fleet(streams, owner, category=real.category, seen=real.day[real.vehicle_accident])
    first = np.zeros(len(real.num_acc), dtype=np.int64)
    first[real.vehicle_accident[::-1]] = np.arange(len(real.category))[::-1]
    narratives = narrate(streams, frame.accidents, who=who.take(frame.drivers[first]), fleet=fleet.take(first))
    untold = tally.missing("accidents.narrative", narratives.absent)
    tables = {
        "accidents": {
            "num_acc": to_column(real.num_acc, pa.int64()),
            **recorded_by(streams, frame.accidents, day=real.day),
            "narrative": to_arrow(narratives.text, nulls=untold),
        },
        "vehicles": {
            "num_acc": to_column(real.num_acc[real.vehicle_accident], pa.int64()),
            "num_veh": real.num_veh,
            "plate": plate_column(tally, fleet, rows=owner),
            "vin": vin_column(tally, fleet, rows=owner),
            "make": make_names().column(make_names().find(fleet.make), nulls=~fleet.plated),
            "holder": _holders(streams, frame),
        },
        "persons": _persons(tally, frame, real=real, who=who),
    }
    return tables, narratives, frame


def _persons(tally: Tally, frame: Frame, *, real: _Real, who: Identity) -> dict[str, pa.Array]:
    day = real.day[frame.person_accident]
    scene = Scene(
        minute=np.zeros(0, dtype=np.int64),
        light=real.light,
        road=real.road,
        built_up=real.built_up,
        category=real.category,
        obstacle=real.obstacle,
    )
    equipment = safety(tally.streams, frame, scene=scene)
    age = (day - who.birth) * 400 // 146097
    again = to_column(frame.person_vehicle, pa.int64())
    return {
        "person_id": to_column(np.arange(1, len(day) + 1), pa.int64()),
        "num_acc": to_column(real.num_acc[frame.person_accident], pa.int64()),
        "num_veh": real.num_veh.take(again),
        "role": to_column(frame.role.astype(np.int8), pa.int8()),
        "severity": severity(tally, frame, scene=scene, age=age, equipment=equipment),
        **identity_columns(tally, who, rows=frame.person_key, day=day),
    }


def _holders(streams: Streams, frame: Frame) -> pa.Array:
    """Who holds each vehicle: the driver's id_usager, or for one in eight somebody who was not there."""
    keys = frame.entity[frame.drivers]
    absent = streams.chance(keys, "holder elsewhere", share=_HOLDER_ELSEWHERE)
    elsewhere = 10_000_000 + np.arange(len(keys))
    return to_column(np.where(absent, elsewhere, frame.drivers + 1), pa.int64())


def _dotted_names() -> dict[str, str]:
    """`table.column` as `generate` names it -> as it is written here."""
    return {
        f"{table}.{old}": f"{_TABLES[table]}.{new}"
        for table, columns in _COLUMNS.items()
        for old, new in columns.items()
    }


def _truth(folder: Path, tally: Tally, *, names: Mapping[str, str], parameters: dict[str, object]) -> Truth:
    def renamed(counts: Mapping[str, int]) -> dict[str, int]:
        found = {}
        for key, count in counts.items():
            column = ".".join(key.split(".")[:2])
            found[names.get(column, column) + key[len(column) :]] = count
        return found

    return Truth(
        folder=folder,
        parameters=parameters,
        rows=dict(tally.rows),
        faults=renamed(tally.faults),
        natural=renamed(tally.natural),
        spellings=renamed(tally.spellings),
        extremes={f"usagers.{key.split('.')[1]}": count for key, count in tally.extremes.items()},
    )
