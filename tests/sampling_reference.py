"""Every sampling word once more, in pandas and from the manual alone: what the engines give is held to it.

Nothing of curator is used here. Only the hash is shared, by its documented definition: MD5 of `seed:key`, or of
`seed:option:key`, where several columns are spelt with their lengths before them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

Words = Mapping[str, Any]
FORMULAS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "place <> 'n'": lambda rows: rows["place"].notna() & (rows["place"] != "n"),
    "beds > 3 or place is null": lambda rows: (rows["beds"] > 3).fillna(False).astype(bool) | rows["place"].isna(),
    "id >= 5": lambda rows: rows["id"] >= 5,
    "kind = 'a'": lambda rows: rows["kind"] == "a",
    "ill": lambda rows: rows["ill"],
}
"""Conditions as a spec writes them, and what they mean; null is not true."""


def frame(rows: list[tuple[Any, ...]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows as objects, so that no null becomes a number and no moment loses its microseconds."""
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def expected(extract: Words, tables: Mapping[str, pd.DataFrame], *, where: str | None = None) -> pd.DataFrame:
    """The rows that the words ask for."""
    rows = tables["visits"]
    rows = rows[_true(where, rows)] if where else rows
    for join in extract.get("join", ()):
        right = tables[join["source"]]
        right = right[right[join["on"]].notna().all(axis=1)]
        rows = rows.merge(right, on=join["on"], how=join.get("kind", "inner"))
        rows = rows.astype(object).where(rows.notna(), None)
    for history in extract.get("history", ()):
        rows = _with_history(rows, tables[history["events"]], history)
    if "label" in extract:
        rows = _with_label(rows, tables[extract["label"]["events"]], extract["label"])
    if "window" in extract:
        rows = rows[_within(rows, extract["window"])]
    if "where" in extract:
        rows = rows[_true(extract["where"], rows)]
    return _drawn(rows, extract["sample"], extract["entity"]) if "sample" in extract else rows


def _true(condition: str, rows: pd.DataFrame) -> np.ndarray:
    found = FORMULAS[condition](rows) if len(rows) else []
    return np.array([value is True or value is np.True_ for value in found], dtype=bool)


def _within(rows: pd.DataFrame, window: Words) -> np.ndarray:
    """Whole days, both ends included; a row without the date is not in the window."""
    days = [None if cell is None else str(cell)[:10] for cell in rows[window["column"]]]
    since, until = window.get("since", "0000"), window.get("until", "9999")
    return np.array([day is not None and since <= day <= until for day in days], dtype=bool)


# ---- events ----------------------------------------------------------------------------------------------------------


def _events_of(row: Any, events: pd.DataFrame, table: Words, cut: str) -> pd.DataFrame | None:
    """Events of the row's key at a known time; None when the row has no key or no cut-off."""
    if row[cut] is None or any(row[key] is None for key in table["on"]):
        return None
    same = np.ones(len(events), dtype=bool)
    for key in table["on"]:
        same &= np.array([cell == row[key] for cell in events[key]], dtype=bool)
    same &= events[table["at"]].notna().to_numpy()
    return events[same & _true(table["where"], events)] if "where" in table else events[same]


def _with_history(rows: pd.DataFrame, events: pd.DataFrame, history: Words) -> pd.DataFrame:
    cut, at, told = history["until"], history["at"], []
    for _, row in rows.iterrows():
        mine = _events_of(row, events, history, cut)
        if mine is None:
            told.append((None, None, None))
            continue
        after = [(moment >= row[cut]) if history.get("strictly") else (moment > row[cut]) for moment in mine[at]]
        mine = mine[~np.array(after, dtype=bool)]
        if history.get("within_days"):
            first = row[cut] - pd.Timedelta(days=history["within_days"]).to_pytimedelta()
            mine = mine[np.array([moment >= first for moment in mine[at]], dtype=bool)]
        costs = [cost for cost in mine["cost"] if cost is not None]
        newest = mine[[moment == mine[at].max() for moment in mine[at]]] if len(mine) else mine
        kinds = [kind for kind in newest["kind"] if kind is not None]
        told.append((len(mine), sum(costs) if costs else None, max(kinds, default=None)))
    made = pd.DataFrame(told, columns=["seen", "spent", "last_kind"], index=rows.index, dtype=object)
    return pd.concat([rows, made], axis=1)


def _with_label(rows: pd.DataFrame, events: pd.DataFrame, label: Words) -> pd.DataFrame:
    cut, told = label["after"], []
    for _, row in rows.iterrows():
        mine = _events_of(row, events, label, cut)
        if mine is None:
            told.append(None)
            continue
        end = row[cut] + pd.Timedelta(days=label["within_days"]).to_pytimedelta()
        seen = str(end)[:10] <= label.get("observed_until", "9999")
        told.append(any(row[cut] < moment <= end for moment in mine[label["at"]]) if seen else None)
    return rows.assign(**{label["name"]: pd.Series(told, index=rows.index, dtype=object)})


# ---- the draw --------------------------------------------------------------------------------------------------------


def _text(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool | np.bool_) else str(cell)


def _hash(rows: pd.DataFrame, by: list[str], *, seed: int, step: str = "") -> np.ndarray:
    """MD5 of the key of each row; of the row's own key (`id`) where the key has a null."""
    found = []
    for _, row in rows.iterrows():
        cells = [row[name] for name in by]
        texts = [_text(row["id"])] if any(cell is None for cell in cells) else [_text(cell) for cell in cells]
        key = texts[0] if len(texts) == 1 else "".join(f"{len(text)}:{text}" for text in texts)
        found.append(hashlib.md5(":".join([str(seed), *([step] if step else []), key]).encode()).hexdigest())
    return np.array(found, dtype=object)


def _classes(rows: pd.DataFrame, by: list[str]) -> np.ndarray:
    """A number for each class; nulls are a class of their own."""
    names: dict[Any, int] = {}
    keys = zip(*(rows[name] for name in by), strict=True) if by else [()] * len(rows)
    return np.array([names.setdefault(key, len(names)) for key in keys], dtype=int)


def _rank(hashes: np.ndarray, classes: np.ndarray, *, method: str, counts: np.ndarray | None = None) -> np.ndarray:
    """Place of each row in its class by hash: of the last (`max`) or the first (`min`) of its equals."""
    found = np.zeros(len(hashes), dtype=int)
    for one in set(classes):
        mine = np.flatnonzero(classes == one)
        order = np.unique(hashes[mine].astype(str), return_inverse=True)[1]
        weight = counts[mine] if counts is not None else np.ones(len(mine), dtype=int)
        for place, row in enumerate(mine):
            before = weight[order < order[place]].sum()
            found[row] = before + (weight[order == order[place]].sum() if method == "max" else 1)
    return found


def _drawn(rows: pd.DataFrame, sample: Words, entity: list[str]) -> pd.DataFrame:
    by, seed = list(sample["by"]), sample.get("seed", 0)
    rows = rows.reset_index(drop=True).assign(**{".whole": False})
    if "per_entity" in sample:
        nobody = np.array([any(cell is None for cell in cells) for cells in rows[entity].itertuples(index=False)], bool)
        rank = _rank(_hash(rows, ["id"], seed=seed, step="per_entity"), _classes(rows, entity), method="max")
        rows = rows[(rank <= sample["per_entity"]) | nobody]
    if "fraction" in sample:
        hashes = _hash(rows, by, seed=seed)
        low = np.array([int(one[:8], 16) < round(sample["fraction"] * 2**32) for one in hashes], dtype=bool)
        least = np.zeros(len(rows), dtype=bool)
        if "at_least" in sample:
            rank = _rank(hashes, _classes(rows, list(sample["at_least"]["by"])), method="min")
            least = rank <= sample["at_least"]["rows"]
        rows = rows.assign(**{".whole": least})[low | least]
    if "quotas" in sample:
        rank = _rank(_hash(rows, by, seed=seed, step="quotas"), _classes(rows, [sample["quotas"]["by"]]), method="max")
        names = [None if cell is None else _text(cell) for cell in rows[sample["quotas"]["by"]]]
        quota = [sample["quotas"]["rows"].get(name, sample["quotas"].get("others", "all")) for name in names]
        fits = [rows_of == "all" or place <= rows_of for rows_of, place in zip(quota, rank, strict=True)]
        whole = rows[".whole"].to_numpy(bool) | np.array(
            [sample["quotas"]["rows"].get(name) == "all" for name in names], dtype=bool
        )
        rows = rows.assign(**{".whole": whole})[np.array(fits, dtype=bool)]
    if "strata" in sample:
        hashes, classes = _hash(rows, by, seed=seed, step="strata"), _classes(rows, list(sample["strata"]["by"]))
        if "rows" in sample["strata"]:
            rows = rows[_rank(hashes, classes, method="max") <= sample["strata"]["rows"]]
        else:
            share, sizes = Fraction(str(sample["strata"]["fraction"])), np.bincount(classes) if len(classes) else []
            wanted = np.array([-(-share * int(sizes[one]) // 1) for one in classes], dtype=object)
            rows = rows[np.array(_rank(hashes, classes, method="min") <= wanted, dtype=bool)]
    if "negatives" in sample:
        within, share = list(sample["negatives"].get("within", [])), Fraction(str(sample["negatives"]["per_positive"]))
        said = np.array([None if cell is None else bool(cell) for cell in rows["ill"]], dtype=object)
        is_true, is_false = (np.array([one is truth for one in said], dtype=int) for truth in (True, False))
        classes = _classes(rows, within)
        rank = _rank(_hash(rows, by, seed=seed, step="negatives"), classes, method="max", counts=is_false)
        positives = np.bincount(classes, weights=is_true).astype(int) if len(rows) else []
        fits = [int(place) <= share * int(positives[one]) for place, one in zip(rank, classes, strict=True)]
        rows = rows[is_true.astype(bool) | (is_false.astype(bool) & np.array(fits, dtype=bool))]
    if "max_rows" in sample:
        first = np.where(rows[".whole"].to_numpy(bool), "0", "1").astype(object) if len(rows) else np.array([], object)
        hashes = first + _hash(rows, by, seed=seed, step="max_rows")
        rows = rows[_rank(hashes, np.zeros(len(rows), dtype=int), method="max") <= sample["max_rows"]]
    return rows
