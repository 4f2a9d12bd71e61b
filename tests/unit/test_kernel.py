"""The kernel is pure: a row's tokens, place and split depend on the row and the keys, not on its neighbours."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.kernel import CLASS, ENTITY, ORDER, ROW_KEY, SENSITIVE, SPLIT, BatchKernel, EntityPart, TokenField

KEYS = [bytes([number]) * 32 for number in range(5)]
WHO = st.one_of(st.none(), st.sampled_from(["AB-123-CD", "ab 123 cd", "", "x", "é", "XY987ZT"]))
ROWS = st.lists(st.tuples(st.integers(0, 9_999), WHO, st.sampled_from(["n", "s", None])), min_size=1, max_size=30)


def kernel(**changes: Any) -> BatchKernel:
    usual: dict[str, Any] = {
        "fields": ("car", "ward"), "tokens": (TokenField(name="car", form="plate", key=KEYS[0]),),
        "order_key": KEYS[1], "split_key": KEYS[2], "entity": (EntityPart(form="plate", field="car"),),
        "shares": (0.5, 0.5), "class_key": KEYS[3], "quasi": ("ward",), "sensitive": "ward",
    }  # fmt: skip
    return BatchKernel(**{**usual, **changes})


def batch(rows: list[Any]) -> pa.RecordBatch:
    keys, cars, wards = zip(*rows, strict=True)
    return pa.record_batch(
        {
            ROW_KEY: pa.array([str(key) for key in keys]),
            ENTITY.format(0): pa.array(cars, pa.string()),
            "car": pa.array(cars, pa.string()),
            "ward": pa.array(wards, pa.string()),
        }
    )


def cmac(key: bytes, text: str) -> bytes:
    mac = CMAC(AES(key))
    mac.update(text.encode())
    return mac.finalize()


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_row_alone_is_the_row_in_its_batch(rows: list[Any]) -> None:
    together = kernel()(batch(rows)).to_pylist()
    alone = [row for one in rows for row in kernel()(batch([one])).to_pylist()]
    assert together == alone
    assert kernel()(batch(rows[::-1])).to_pylist() == together[::-1]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_tokens_and_order_are_the_published_function(rows: list[Any]) -> None:
    """AES-256-CMAC (NIST SP 800-38B) of the canonical identifier, and of the row key."""
    for (key, car, ward), row in zip(rows, kernel()(batch(rows)).to_pylist(), strict=True):
        plain = {"AB-123-CD": "AB123CD", "ab 123 cd": "AB123CD", "XY987ZT": "XY987ZT"}.get(car or "")
        if plain:
            assert row["car"] == cmac(KEYS[0], plain)
        if not car:
            assert row["car"] is None
        assert row[ORDER] == cmac(KEYS[1], str(key))
        assert row["ward"] == ward


def test_spellings_of_one_identifier_share_token_and_split() -> None:
    made = kernel()(batch([(1, "AB-123-CD", "n"), (2, "ab 123 cd", "s")])).to_pylist()
    assert made[0]["car"] == made[1]["car"]
    assert made[0][SPLIT] == made[1][SPLIT]


def test_nobody_known_is_drawn_by_the_row_alone_under_the_split_key() -> None:
    rows = [(number, None, "n") for number in range(400)]
    splits = [row[SPLIT] for row in kernel()(batch(rows)).to_pylist()]
    assert 140 < sum(splits) < 260
    assert [row[SPLIT] for row in kernel(order_key=KEYS[4])(batch(rows)).to_pylist()] == splits
    assert [row[SPLIT] for row in kernel(split_key=KEYS[4])(batch(rows)).to_pylist()] != splits


@pytest.mark.parametrize("shares", [(1.0,), (0.0, 1.0), (0.25, 0.25, 0.25, 0.25), (0.999, 0.001)])
def test_shares(shares: tuple[float, ...]) -> None:
    rows = [(number, None, "n") for number in range(4_000)]
    splits = [row[SPLIT] for row in kernel(shares=shares)(batch(rows)).to_pylist()]
    for index, share in enumerate(shares):
        assert abs(splits.count(index) - 4_000 * share) <= 5 * (4_000 * share * (1 - share)) ** 0.5
    assert set(splits) <= set(range(len(shares)))


def test_helpers_stay_helpers() -> None:
    made = kernel()(batch([(1, "AB-123-CD", "n")]))
    assert set(made.schema.names) == {ORDER, SPLIT, CLASS, SENSITIVE, "car", "ward"}
    plain = kernel(class_key=None)(batch([(1, "AB-123-CD", "n")]))
    assert set(plain.schema.names) == {ORDER, SPLIT, "car", "ward"}


def test_a_kernel_never_shows_a_key() -> None:
    shown = repr(kernel()) + str(kernel()) + repr(kernel().tokens[0])
    assert not [key for key in KEYS if key.hex() in shown or repr(key)[2:-1] in shown]


def test_identifiers_set_apart_do_not_import_pandas() -> None:
    """`pa.scalar` and a Python value given to a compute function would, half a second of any short run."""
    script = (
        "import sys\n"
        "import pyarrow as pa\n"
        "from curator.identifiers._column import from_texts, to_arrow\n"
        "from curator.kernel import ENTITY, ROW_KEY, BatchKernel, EntityPart, TokenField\n"
        "field = TokenField(name='car', form='plate', key=bytes(32), malformed='apart', apart=bytes([1]) * 32)\n"
        "parts = (EntityPart(form='plate', field='car'), EntityPart(form='raw'))\n"
        "kernel = BatchKernel(fields=('car',), tokens=(field,), order_key=bytes(32), split_key=bytes(32),\n"
        "                     entity=parts, shares=(1.0,))\n"
        "known = to_arrow(from_texts([b'AB-123-CD', b'??? 1']))\n"
        "cars = pa.concat_arrays([known, pa.nulls(1, pa.string())])\n"
        "keys = to_arrow(from_texts([b'1', b'2', b'3']))\n"
        "names = [ROW_KEY, ENTITY.format(1), 'car']\n"
        "out = kernel(pa.RecordBatch.from_arrays([keys, cars, cars], names=names))\n"
        "print(out.column('car').null_count, 'pandas' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=600)
    assert told.stdout.split() == ["1", "False"]
