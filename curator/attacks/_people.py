"""Three attacks on people: singling out, linking, inferring (Article 29 Working Party, Opinion 05/2014, section 2).

Each is guessed with the table in hand, against two who do not have it: one whose table lacks the rows of the very
person (or people who are not in it at all, where some are at hand), and one whose table has the same columns shuffled
independently, which tells nothing of anybody. Only success beyond the better of these counts. The attacks are those of
anonymeter (Giomi et al., PoPETs 2023(2)), made for tables of real rows: guesses by the nearest match, ties drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from curator.attacks._odds import Odds, odds
from curator.risk import Column, together_codes

Places = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.int16]

TRIES = 1_500
_DRAWS = 4  # rows looked at for a guess
_FAR = 1_000  # distance of two values that differ, or of the ends of an ordered column
_CHUNK = 64
_CELLS = 400_000_000  # values compared in one run of an attack: some two seconds
_NEAR = 0.05  # an ordered value counts as inferred within this share of its range


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What an attack works with, columns numbered together.

    Attributes:
        released: the table in the attacker's hands.
        people: whose each released row is.
        targets: people who are in the data, as they are in truth.
        target_people: whose each target is, as in `people`; -1 for nobody released.
        others: people like them who are not in the data; None when none is at hand.
    """

    released: Mapping[str, Column]
    people: Places
    targets: Mapping[str, Column]
    target_people: Places
    others: Mapping[str, Column] | None = None

    @property
    def rows(self) -> int:
        """Rows of the released table."""
        return len(self.people)


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """One run of an attack: a table, and the people sought in it.

    Attributes:
        table: the table in the attacker's hands.
        people: the columns of those sought.
        rows: which of them are sought.
        without: for each, the person whose rows the table is taken not to have; -1 for nobody.
    """

    table: Mapping[str, Column]
    people: Mapping[str, Column]
    rows: Places
    without: Places


def singling_out(tables: Tables, known: Sequence[str], *, seed: int, tries: int = TRIES) -> Odds:
    """Say "there is exactly one person with these values", from values that one person of the table has.

    A guess takes a released row and as many of the known columns as are drawn, and is made where they are of one person
    in the table; it is right when they are of exactly one person of the data. Independent columns give the safe rate.
    Where the table has nobody alone no guess is made, and none is right.
    """
    rng = np.random.default_rng(seed)
    draws = min(tries * _DRAWS, max(tables.rows, 1) * 4)
    drawn = rng.integers(0, max(tables.rows, 1), draws).tolist()
    guesses = list(dict.fromkeys((row, _some(known, rng)) for row in drawn))
    shuffled = {name: _shuffled(tables.released[name], rng) for name in known}
    hits, made = _isolated(tables, tables.released, guesses=guesses, tries=tries)
    safe, safe_made = _isolated(tables, shuffled, guesses=guesses, tries=tries)
    return odds(hits, safe_hits=round(safe * made / safe_made) if safe_made else 0, tries=made)


def linking(tables: Tables, first: Sequence[str], *, second: Sequence[str], seed: int, tries: int = TRIES) -> Odds:
    """Say that two records held elsewhere, one with some columns and one with others, are of the same person.

    Both are sought in the table; the guess is right when the row nearest to each is the same.
    """
    rng = np.random.default_rng(seed)

    def linked(trial: _Trial) -> int:
        one = _nearest(tables, trial, columns=first, rng=rng)
        two = _nearest(tables, trial, columns=second, rng=rng)
        return int(((one == two) & (one >= 0)).sum())

    return _against_safe(tables, linked, columns=[*first, *second], rng=rng, tries=tries)


def inferring(tables: Tables, known: Sequence[str], *, secret: str, seed: int, tries: int = TRIES) -> Odds:
    """Say what somebody's secret is, from the row nearest to what is known of them."""
    rng = np.random.default_rng(seed)

    def inferred(trial: _Trial) -> int:
        found = _nearest(tables, trial, columns=known, rng=rng)
        asked, held = trial.people[secret], trial.table[secret]
        truth, guess = asked.codes[trial.rows].astype(np.int64), held.codes[found].astype(np.int64)
        near = _NEAR * (asked.values - 1) if asked.ordered and asked.values > 20 else 0
        return int(((np.abs(truth - guess) <= near) & (found >= 0)).sum())

    return _against_safe(tables, inferred, columns=[*known, secret], rng=rng, tries=tries)


def _against_safe(
    tables: Tables,
    attack: Callable[[_Trial], int],
    *,
    columns: Sequence[str],
    rng: np.random.Generator,
    tries: int,
) -> Odds:
    """Run an attack with the table, without the person's rows (or on others), and with independent columns."""
    total = len(tables.target_people)
    tries = min(tries, total, _CELLS // max(tables.rows * len(columns), 1))
    rows = rng.choice(total, tries, replace=False) if total else np.empty(0, np.int64)
    owners, nobody = tables.target_people[rows], np.full(tries, -1, np.int64)
    trial = _Trial(table=tables.released, people=tables.targets, rows=rows, without=nobody)
    hits = attack(trial)
    if tables.others is None:
        without = attack(replace(trial, without=owners))
    else:
        size = len(next(iter(tables.others.values())).codes)
        without = attack(replace(trial, people=tables.others, rows=rng.integers(0, size, tries)))
    shuffled = {name: _shuffled(tables.released[name], rng) for name in dict.fromkeys(columns)}
    blind = attack(replace(trial, table=shuffled, without=owners))
    return odds(hits, safe_hits=max(without, blind), tries=tries)


def _isolated(
    tables: Tables, table: Mapping[str, Column], *, guesses: Sequence[tuple[int, tuple[str, ...]]], tries: int
) -> tuple[int, int]:
    """Of guesses whose values one person of the table has: those whose values one person of the data has, and all."""
    alone, right = np.zeros(len(guesses), np.bool_), np.zeros(len(guesses), np.bool_)
    places: dict[tuple[str, ...], list[int]] = {}
    for place, (_, names) in enumerate(guesses):
        places.setdefault(names, []).append(place)
    total = len(tables.target_people)
    for names, some in places.items():
        rows = np.array([guesses[place][0] for place in some])
        joined = [_stacked(tables.targets[name], table[name].codes, like=table[name]) for name in names]
        codes = together_codes(joined)
        data, here = codes[:total], codes[total:]
        alone[some] = np.isin(here[rows], _of_one(here, tables.people))
        right[some] = np.isin(here[rows], _of_one(data, tables.target_people))
    taken = np.flatnonzero(alone)[:tries]
    return int(right[taken].sum()), len(taken)


def _of_one(codes: Places, people: Places) -> Places:
    """The codes that rows of exactly one person have."""
    if not len(codes):
        return codes
    order = np.lexsort((people, codes))
    codes, people = codes[order], people[order]
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    ends = np.concatenate((starts[1:], [len(codes)])) - 1
    return np.asarray(codes[starts[people[starts] == people[ends]]], np.int64)


def _nearest(tables: Tables, trial: _Trial, *, columns: Sequence[str], rng: np.random.Generator) -> Places:
    """For each target, a released row nearest in some columns, none of the person `without`; ties are drawn; -1: none.

    Values that differ are 1,000 apart; those of an ordered column in proportion to their places.
    """
    table, rows, without = trial.table, trial.rows, trial.without
    steps = [(_scaled(table[name]), _scaled(trial.people[name])[rows], table[name].ordered) for name in columns]
    tie = rng.integers(0, 1 << 20, max(tables.rows, 1)).astype(np.int32)
    found = np.full(len(rows), -1, np.int64)
    for start in range(0, len(rows) if tables.rows else 0, _CHUNK):
        part = slice(start, min(start + _CHUNK, len(rows)))
        far = np.zeros((part.stop - start, tables.rows), np.int32)
        for released, wanted, ordered in steps:
            far += _apart(released, wanted[part], ordered=ordered)
        far[without[part, None] == tables.people[None, :]] = np.iinfo(np.int32).max
        least = far.min(axis=1)
        drawn = tie[None, :] + rng.integers(0, 1 << 20, (part.stop - start, 1)).astype(np.int32)
        drawn &= (1 << 20) - 1
        drawn += 1
        drawn *= far == least[:, None]  # 0 for rows that are farther
        found[part] = drawn.argmax(axis=1)
        found[part][least == np.iinfo(np.int32).max] = -1
    return found


def _apart(released: Matrix, wanted: Matrix, *, ordered: bool) -> npt.NDArray[np.int16]:
    if ordered:
        return np.asarray(np.abs(wanted[:, None] - released[None, :]), np.int16)
    return np.asarray((wanted[:, None] != released[None, :]) * np.int16(_FAR), np.int16)


def _scaled(column: Column) -> Matrix:
    """An ordered column's places from 0 to 1,000; other columns' numbers, folded into 16 bits."""
    if column.ordered:
        return np.asarray(np.rint(column.codes.astype(np.float64) * (_FAR / max(column.values - 1, 1))), np.int16)
    return (column.codes.astype(np.int64) % 32_749).astype(np.int16)


def _shuffled(column: Column, rng: np.random.Generator) -> Column:
    """The same values in rows that have nothing to do with them."""
    return Column(
        name=column.name, codes=rng.permutation(column.codes), values=column.values, nulls=column.nulls,
        ordered=column.ordered,
    )  # fmt: skip


def _stacked(column: Column, more: npt.NDArray[np.int64], *, like: Column) -> Column:
    codes = np.concatenate([column.codes.astype(np.int64), more.astype(np.int64)])
    return Column(name=column.name, codes=codes, values=like.values, nulls=0, ordered=False)


def _some(known: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """All of the known columns every other time, else neighbouring ones, half or a quarter of them."""
    size = max(1, len(known) // int(rng.choice([1, 1, 2, 4])))
    places = np.sort((int(rng.integers(0, len(known))) + np.arange(size)) % len(known))
    return tuple(known[int(place)] for place in places)
