"""Mistake: tokens so short that people collide, or in an order that tells the identifiers' or the rows' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, spec_value
from mistakes.red import goes_red

from curator.pseudonyms import HmacKernel, SivKernel, TokenKernel

KEY = bytes(range(32))
ROWS = 1_000_000
MAKERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "cmac": TokenKernel(KEY).tokens,
    "hmac-sha256": HmacKernel(KEY).tokens,
    "siv": SivKernel(KEY * 2, padded=True).seal,
}


def identifiers(rows: int) -> pa.Array:
    """Consecutive numbers of 13 digits, in order: the worst case for a token that keeps an order."""
    left = np.arange(1_000_000_000_000, 1_000_000_000_000 + rows)
    cells = np.empty((rows, 13), np.uint8)
    for place in range(12, -1, -1):
        left, cells[:, place] = np.divmod(left, 10)
    cells += ord("0")
    ends = np.arange(0, 13 * rows + 1, 13, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(cells))


def words(tokens: pa.Array) -> npt.NDArray[np.uint64]:
    """The first 16 bytes of each token as two big-endian words."""
    if pa.types.is_fixed_size_binary(tokens.type):
        return np.frombuffer(tokens.buffers()[1], ">u8").reshape(-1, 2)
    width = len(tokens[0].as_py())
    return np.frombuffer(tokens.buffers()[2], np.uint8).reshape(-1, width)[:, :16].copy().view(">u8")


def strong(make: Callable[[pa.Array], pa.Array], rows: int) -> None:
    """No collision, and no order: Spearman's rho between values and tokens below 0.01."""
    found = words(make(identifiers(rows)))
    order = np.argsort(found[:, 0].astype(np.uint64))
    found = found[order]
    alike = np.flatnonzero(found[1:, 0] == found[:-1, 0])  # so few that the second word may be looked at in a set
    near = np.unique(np.concatenate([alike, alike + 1]))
    assert len({row.tobytes() for row in found[near]}) == len(near), "two identifiers have one token"
    rho = float(np.corrcoef(order, np.arange(rows))[0, 1])  # of a permutation as of its inverse, the ranks
    assert abs(rho) < 0.01, f"tokens keep the order of identifiers: rho {rho:.3f}"


@pytest.mark.parametrize("method", MAKERS)
def test_tokens_neither_collide_nor_keep_an_order(method: str) -> None:
    strong(MAKERS[method], ROWS if method != "hmac-sha256" else ROWS // 4)


@pytest.mark.slow
def test_ten_million_tokens_do_not_collide() -> None:
    strong(MAKERS["cmac"], 10_000_000)


def short(values: pa.Array) -> pa.Array:
    """32 bits kept of each token."""
    cut = np.zeros((len(values), 2), ">u8")
    cut[:, 0] = words(TokenKernel(KEY).tokens(values))[:, 0] >> np.uint64(32)
    return pa.Array.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(cut)])


def counter(values: pa.Array) -> pa.Array:
    """Numbers by order of arrival."""
    numbers = np.zeros((len(values), 2), ">u8")
    numbers[:, 0] = np.arange(len(values))
    return pa.Array.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(numbers)])


@pytest.mark.parametrize("make", [short, counter])
def test_it_goes_red_with_short_or_counted_tokens(make: Callable[[pa.Array], pa.Array]) -> None:
    goes_red(lambda: strong(make, ROWS))


def unordered(folder: Path, base: Path, **options: Any) -> None:
    """Rows of a version stand in no order of their source, nor of their tokens."""
    value = spec_value(disclosure={"k": 1})
    value["fields"]["row"] = {"from": "person_id", "meaning": "To find a row again in this test."}
    version = curate(empty_capital(folder / "capital"), base, spec=value, **options)
    source = parquet.read_table(base / "persons.parquet", columns=["person_id"])["person_id"].to_pylist()
    place = {person: row for row, person in enumerate(source)}
    table = version.table("train", ["row", "person"])
    ranks = np.argsort([place[person] for person in table["row"].to_pylist()])
    known = [token or b"" for token in table["person"].to_pylist()]
    tokens = np.argsort(np.array([int.from_bytes(token[:8], "big") for token in known], np.uint64))
    limit = 5 / len(ranks) ** 0.5
    for order in (np.argsort(ranks), np.argsort(tokens)):
        assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < limit, "the order of rows tells something"


def test_rows_stand_in_no_order(tmp_path: Path, demo_base: Path) -> None:
    unordered(tmp_path, demo_base)


def test_it_goes_red_in_the_order_of_the_engine(tmp_path: Path, demo_base: Path) -> None:
    goes_red(lambda: unordered(tmp_path, demo_base, order="engine"))
