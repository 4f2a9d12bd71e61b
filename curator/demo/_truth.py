"""What is known about a generated base: parameters, row counts, injected faults, spellings and identifiers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from curator.demo._mixing import Mask, Streams, Words

# Share of rows that get each fault, by `table.column` and kind. Faults of one column exclude each other.
RATES: dict[str, dict[str, float]] = {
    "accidents.time_text": {"midnight_as_24": 0.002},
    "accidents.com": {"unknown_code": 0.002, "placeholder": 0.001},
    "accidents.position": {"zero": 0.02},
    "vehicles.plate": {"wrong_shape": 0.004, "empty": 0.003, "placeholder": 0.003},
    "vehicles.vin": {"bad_check_digit": 0.003},
    "vehicles.row": {"orphan": 0.002},
    "persons.row": {"duplicate": 0.002},
    "persons.num_veh": {"orphan": 0.002},
    "persons.severity": {"null": 0.005},
    "persons.sex": {"outside_codes": 0.003},
    "persons.last_name": {"placeholder": 0.003, "empty": 0.001},
    "persons.birth_date": {"null": 0.003, "impossible": 0.002, "after_accident": 0.002},
    "persons.nir": {"null": 0.01, "bad_key": 0.005, "empty": 0.002},
    "persons.phone": {"placeholder": 0.003, "all_zero": 0.002, "empty": 0.002},
    "persons.email": {"empty": 0.005, "no_at_sign": 0.003},
    "persons.address": {"empty": 0.003},
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a generated folder holds.

    Attributes:
        folder: where the tables are.
        parameters: the arguments of the call, and the version of the recipe.
        rows: rows of each table.
        faults: injected faults, `table.column.kind` -> rows; every kind is listed, 0 included.
        natural: values that are missing without being a fault, `table.column` -> rows.
        spellings: identifiers not written in their plain form, `table.column.spelling` -> rows.
        extremes: rare but true rows that no cleaning may remove, by kind.
    """

    folder: Path
    parameters: Mapping[str, object]
    rows: Mapping[str, int]
    faults: Mapping[str, int]
    natural: Mapping[str, int]
    spellings: Mapping[str, int]
    extremes: Mapping[str, int]

    def to_json(self) -> dict[str, object]:
        """The same facts as `truth.json` holds them, without the folder."""
        names = ("parameters", "rows", "faults", "natural", "spellings", "extremes")
        return {name: dict(sorted(getattr(self, name).items())) for name in names}

    def write(self, path: Path) -> None:
        """Write `truth.json`."""
        path.write_text(json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@dataclass(kw_only=True)
class Tally:
    """Counts while the rows are made, and the decision which rows get a fault."""

    streams: Streams
    dirt: bool
    rows: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    natural: Counter[str] = field(default_factory=Counter)
    spellings: Counter[str] = field(default_factory=Counter)
    extremes: Counter[str] = field(default_factory=Counter)

    def strike(self, keys: Words, column: str, *, among: Mask | None = None) -> dict[str, Mask]:
        """Masks of the faults of one column over these rows (only those of `among`), by kind; counted."""
        masks = self.masks(keys, column)
        for kind, mask in masks.items():
            if among is not None:
                mask &= among
            self.faults[f"{column}.{kind}"] += int(np.count_nonzero(mask))
        return masks

    def masks(self, keys: Words, column: str) -> dict[str, Mask]:
        """As `strike`, without counting."""
        if not self.dirt:
            return {kind: np.zeros(len(keys), dtype=bool) for kind in RATES[column]}
        bits = self.streams.draw(keys, f"fault/{column}") >> np.uint64(24)
        masks, floor = {}, 0.0
        for kind, share in RATES[column].items():
            low, high = (np.uint64(round(bound * (1 << 40))) for bound in (floor, floor + share))
            masks[kind] = (bits >= low) & (bits < high)
            floor += share
        return masks

    def missing(self, column: str, mask: Mask) -> Mask:
        """Count values that are missing without being a fault; gives the mask back."""
        self.natural[column] += int(np.count_nonzero(mask))
        return mask

    def spelled(self, column: str, kind: str, *, mask: Mask) -> Mask:
        """Count values written otherwise than in their plain form; gives the mask back."""
        self.spellings[f"{column}.{kind}"] += int(np.count_nonzero(mask))
        return mask
