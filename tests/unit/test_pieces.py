"""Identifiers in pieces, hashed together or hashed in few rows: refused when the version is made, or at the gate."""

from __future__ import annotations

import csv
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from capital_world import empty_capital, write_spec
from mistakes.red import goes_red

from curator.attacks import enumerated, in_pieces, piece_leaks
from curator.capital import RunOptions, _known
from curator.errors import DisclosureError

ROWS = 150
PHONES = ["0" + phone[3:] for phone in enumerated("phone", ROWS)]
NIRS = enumerated("nir", ROWS)
PLATES = enumerated("plate", ROWS)
FIRST, LAST = (
    ("Ana", "Luc", "Zoé", "Jean", "Aïcha"),
    ("Petit", "Le Goff", "Durand", "Nguyen", "Roy", "Besson", "Abadie"),
)
NAMES = [(FIRST[n % 5], LAST[n % 7]) for n in range(ROWS)]
RNG = np.random.default_rng(11)
NOISE = {"wet": RNG.integers(0, 2, ROWS).tolist(), "speed": RNG.integers(0, 130, ROWS).tolist(),
         "place": [f"{n:05d}" for n in RNG.integers(0, 96_000, ROWS).tolist()]}  # fmt: skip

WAYS: dict[str, tuple[Sequence[Any], dict[str, Sequence[Any]]]] = {
    "a telephone in halves": (PHONES, {"a": [p[:5] for p in PHONES], "b": [p[5:] for p in PHONES]}),
    "a telephone in pairs": (PHONES, {f"p{n}": [p[2 * n : 2 * n + 2] for p in PHONES] for n in range(5)}),
    "a telephone as numbers": (PHONES, {"a": [int(p[:4]) for p in PHONES], "b": [p[4:] for p in PHONES]}),
    "the later half first": (PHONES, {"a": [p[5:] for p in PHONES], "b": [p[:5] for p in PHONES]}),
    "a plate in pieces": (PLATES, {"a": [p[:2] for p in PLATES], "b": [int(p[2:5]) for p in PLATES],
                                   "c": [p[5:7] for p in PLATES]}),
    "a name in two columns": ([f"{first} {last}" for first, last in NAMES],
                              {"a": [first for first, _ in NAMES], "b": [last.upper() for _, last in NAMES]}),
    "what a social security number holds": (NIRS, {
        "day": RNG.integers(1, 29, ROWS).tolist(), "month": [int(nir[3:5]) for nir in NIRS],
        "year": [1900 + int(nir[1:3]) for nir in NIRS], "commune": [nir[5:10] for nir in NIRS],
        "sex": [int(nir[0]) for nir in NIRS]}),
    "the same far apart": (NIRS, {
        "sex": [int(nir[0]) for nir in NIRS], "wet": NOISE["wet"], "commune": [nir[5:10] for nir in NIRS],
        "speed": NOISE["speed"], "born": [f"{nir[1:3]}-{nir[3:5]}" for nir in NIRS]}),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_pieces_of_an_identifier_are_told(way: str) -> None:
    known, pieces = WAYS[way]
    found = in_pieces({**NOISE, **pieces}, {"who": known})
    assert found
    assert all(one.endswith("are who in pieces") for one in found)


@pytest.mark.parametrize("way", WAYS)
def test_k_speaks_for_pieces_that_are_all_counted_together(way: str) -> None:
    known, pieces = WAYS[way]
    assert in_pieces({**NOISE, **pieces}, {"who": known}, apart=[*pieces, *NOISE]) == ()


def test_fields_that_have_nothing_to_do_with_it_are_left_alone() -> None:
    others = {**NOISE, "sex": [int(nir[0]) for nir in NIRS], "year": [1900 + int(nir[1:3]) for nir in NIRS],
              "x": RNG.random(ROWS).tolist(), "nothing": [None] * ROWS, "one": ["A"] * ROWS}  # fmt: skip
    for known in (PHONES, NIRS, PLATES, [" ".join(name) for name in NAMES], [None] * ROWS, list(range(ROWS))):
        assert in_pieces(others, {"who": known}) == ()


def leaks(columns: dict[str, Any], canaries: Sequence[str] = ()) -> set[str]:
    return {leak.where for leak in piece_leaks(pa.table(columns), canaries)}


def test_neighbouring_columns_of_a_package_are_joined() -> None:
    whole = [f"{nir[:13]}{97 - int(nir[:13]) % 97:02d}" for nir in NIRS]
    halves = {"wet": NOISE["wet"], "a": [nir[:7] for nir in whole], "b": [nir[7:] for nir in whole]}
    assert leaks(halves) == {"a + b: nir"}
    pieces = {"a": [p[:2] for p in PLATES], "b": [p[2:5] for p in PLATES], "c": [p[5:] for p in PLATES]}
    assert leaks(pieces) == {"a + b + c: plate"}
    mobile = [f"0{6 + n % 2}{n * 7919 % 10**8:08d}" for n in range(1, ROWS)]
    assert leaks({"a": [p[:4] for p in mobile], "b": [p[4:] for p in mobile]}) == {"a + b: phone"}
    assert leaks({**NOISE, "code": [f"{n:05d}" for n in range(ROWS)]}) == set(), "a place and a code are no telephone"


@pytest.mark.parametrize("cut", [2, 5, 7])
def test_a_planted_identifier_is_found_over_columns(cut: int) -> None:
    a, b = [f"{n:05d}" for n in range(ROWS)], ["x"] * ROWS
    a[77], b[77] = "0699887766"[:cut], "0699887766"[cut:]
    assert leaks({"a": a, "b": b}, ["06 99 88 77 66"]) == {"a + b"}
    assert leaks({"a": a, "b": b}, ["06 99 88 77 67"]) == set()


def test_many_rows_and_planted_identifiers_take_seconds() -> None:
    rng = np.random.default_rng(1)
    columns = {f"c{n}": rng.integers(0, 10 ** (1 + n % 4), 30_000) for n in range(30)}
    start = time.process_time()
    assert leaks(columns, enumerated("phone", 200)) == set()
    assert time.process_time() - start < 30


# ---- when a version is made

LAW = {"regime": "gdpr", "basis": "public-task", "text": "GDPR art. 6(1)(e)", "dpia": "D-1", "ai_act": "minimal",
       "retention_days": 365}  # fmt: skip
MANY = 3_000
ALL_PHONES = ["0" + phone[3:] for phone in enumerated("phone", MANY + 500)][:MANY]


def refused(folder: Path, columns: dict[str, Sequence[str]], code: str, told: str) -> None:
    """Make a version of a table whose direct identifiers are dropped, and whose other columns are kept."""
    base = {"id": list(map(str, range(MANY))), "phone": ALL_PHONES, "first": [FIRST[n % 5] for n in range(MANY)],
            "family": [LAST[n % 7] + "ab"[n % 2] for n in range(MANY)]}  # fmt: skip
    folder.mkdir(exist_ok=True)
    with (folder / "calls.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([*base, *columns])
        rows.writerows(zip(*base.values(), *columns.values(), strict=True))
    drop = {"meaning": "x", "identifier": "direct", "protect": "drop"}
    kept = {"meaning": "x", "identifier": "none", "because": "Nobody looked."}
    names = dict.fromkeys((*base, *columns), "text")
    spec = {
        "curator": 1, "name": "calls", "version": "1.0.0", "title": "Calls", "purpose": {"statement": "Know."},
        "owner": {"organisation": "Clinic", "contact": "data@clinic.example"}, "law": LAW,
        "sources": {"calls": {"path": "calls.csv", "columns": names}},
        "extract": {"from": "calls", "row_key": ["id"], "entity": ["id"]},
        "fields": {"phone": drop, "first": drop, "family": drop, **dict.fromkeys(columns, kept)},
        "disclosure": {"k": 1}, "splits": {"by": "entity", "shares": {"train": 1.0}},
    }  # fmt: skip
    with pytest.raises(DisclosureError) as caught:
        empty_capital(folder / "capital").curate(write_spec(folder, spec), RunOptions(data=folder))
    assert caught.value.code == code
    assert told in caught.value.found
    assert not any(phone in str(caught.value) for phone in ALL_PHONES)


def in_halves(folder: Path) -> None:
    halves = {"a": [phone[:5] for phone in ALL_PHONES], "b": [phone[5:] for phone in ALL_PHONES]}
    refused(folder, halves, "identifier-in-pieces", "a, b are phone in pieces")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashed_in_few(folder: Path) -> None:
    """Of three thousand rows the last forty have a hash."""
    few = [sha(phone) if row >= MANY - 40 else "" for row, phone in enumerate(ALL_PHONES)]
    refused(folder, {"seen": few}, "plain-hash", "sha256 in seen (40)")


def hashed_together(folder: Path) -> None:
    both = [sha(f"{FIRST[n % 5]}|{LAST[n % 7]}{'ab'[n % 2]}") for n in range(MANY)]
    refused(folder, {"seen": both}, "plain-hash", "sha256 in seen")


CASES: dict[str, tuple[Callable[[Path], None], str, Any]] = {
    "in halves": (in_halves, "in_pieces", lambda *arguments, **named: ()),
    "hashed together": (hashed_together, "join_ways", lambda values: iter(())),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_when_the_version_is_made(tmp_path: Path, case: str) -> None:
    CASES[case][0](tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_it_goes_red_without(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, name, nothing = CASES[case]
    monkeypatch.setattr(_known, name, nothing)
    goes_red(lambda: attempt(tmp_path))


def test_a_column_hashed_in_few_rows_is_refused(tmp_path: Path) -> None:
    hashed_in_few(tmp_path)


def test_it_goes_red_when_only_the_first_rows_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_known._Tried, "filled", lambda self, names, seen: iter(()))
    goes_red(lambda: hashed_in_few(tmp_path))
