"""Tokens and canonical spellings per second, beside the ways they are usually made. Prints one JSON object.

Every way treats the same values in the same run, the best of a few rounds taken in turn, in processor time of all
threads, so that the ratios mean something on a busy machine; nanoseconds per value are of this machine only.
`python tests/bench/bench_tokens.py [ROWS]`
"""

from __future__ import annotations

import hmac
import importlib.util
import json
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from curator.identifiers import canonical, valid
from curator.pseudonyms import HmacKernel, SivKernel, TokenKernel

ROUNDS = 4
LOOP_ROWS = 50_000
KEY = secrets.token_bytes(32)

Work = Callable[[], object]


def nanoseconds(ways: dict[str, tuple[Work, int]]) -> dict[str, float]:
    """Best time per value of each way, rounds interleaved."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, (work, rows) in ways.items():
            start = time.process_time_ns()
            work()
            best[name] = min(best[name], (time.process_time_ns() - start) / rows)
    return best


def token_ways(values: pa.Array) -> dict[str, tuple[Work, int]]:
    some = [value.encode() for value in values[:LOOP_ROWS].to_pylist() if value]
    kernel = TokenKernel(KEY)
    ways: dict[str, tuple[Work, int]] = {
        "hmac_loop": (lambda: [hmac.digest(KEY, value, "sha256") for value in some], len(some)),
        "curator": (lambda: kernel.tokens(values), len(values)),
    }
    if importlib.util.find_spec("polars_hash"):
        import polars
        import polars_hash  # noqa: F401  (registers the expressions)

        frame = polars.DataFrame({"value": polars.from_arrow(values)})
        expression = polars.col("value").chash.hmac_sha256(key=KEY.hex())
        ways["polars_hash"] = (lambda: frame.select(expression), len(values))
    return ways


def sealing_ways(values: pa.Array) -> dict[str, tuple[Work, int]]:
    """AES-SIV both ways, and HMAC-SHA256, beside loops over the usual libraries."""
    some = [value.encode() for value in values[:LOOP_ROWS].to_pylist() if value]
    library = AESSIV(KEY + KEY)
    sealed = [library.encrypt(value, None) for value in some]
    plain, padded, conservative = SivKernel(KEY + KEY), SivKernel(KEY + KEY, padded=True), HmacKernel(KEY)
    tokens, padded_tokens = plain.seal(values), padded.seal(values)
    return {
        "siv_loop": (lambda: [library.encrypt(value, None) for value in some], len(some)),
        "siv_open_loop": (lambda: [library.decrypt(token, None) for token in sealed], len(some)),
        "hmac_loop": (lambda: [hmac.digest(KEY, value, "sha256") for value in some], len(some)),
        "siv": (lambda: plain.seal(values), len(values)),
        "siv_padded": (lambda: padded.seal(values), len(values)),
        "siv_open": (lambda: plain.open(tokens), len(values)),
        "siv_open_padded": (lambda: padded.open(padded_tokens), len(values)),
        "hmac": (lambda: conservative.tokens(values), len(values)),
    }


def columns(rows: int) -> dict[str, pa.Array]:
    """Unique values: 13 characters, the same with one null in ten, and 5 to 40 characters."""
    random = np.random.default_rng(1)
    fixed = np.char.zfill(random.permutation(rows * 9)[:rows].astype("U"), 13).tolist()
    tail = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop"
    mixed = [f"{row:x}{tail}"[:length] for row, length in enumerate(random.integers(5, 41, rows).tolist())]
    holes = [None if row % 10 == 0 else value for row, value in enumerate(fixed)]
    return {"unique_13": pa.array(fixed), "unique_13_with_nulls": pa.array(holes), "mixed_5_to_40": pa.array(mixed)}


def spellings(rows: int) -> dict[str, tuple[str, pa.Array]]:
    numbers = [f"{row % 2 + 1}{row * 7919 % 10**14:014d}" for row in range(rows)]
    return {
        "nir_13_already_canonical": ("nir", pa.array([number[:13] for number in numbers])),
        "nir_15_with_key": ("nir", pa.array(numbers)),
        "nir_spaced": (
            "nir",
            pa.array([f"{n[0]} {n[1:3]} {n[3:5]} {n[5:7]} {n[7:10]} {n[10:13]} {n[13:]}" for n in numbers]),
        ),
        "plate_dashed": ("plate", pa.array([f"AB-{row % 1000:03d}-CD" for row in range(rows)])),
        "phone_national": ("phone", pa.array([f"06{number[:8]}" for number in numbers])),
        "name_one_in_five_accented": (
            "name",
            pa.array(["Jean-Éric Noël" if r % 5 == 0 else "MARTIN PAUL" for r in range(rows)]),
        ),
        "code_15": ("code", pa.array(numbers)),
    }


def main(rows: int = 400_000) -> dict[str, object]:
    """Measure and print; small enough for a minute-long job."""
    report: dict[str, object] = {"rows": rows}
    for name, values in columns(rows).items():
        cost = nanoseconds(token_ways(values))
        report[f"tokens_{name}"] = {
            "cpu_ns_per_value": {way: round(cost[way], 1) for way in cost},
            "ratio_to": {way: round(cost[way] / cost["curator"], 1) for way in cost if way != "curator"},
        }
        cost = nanoseconds(sealing_ways(values))
        report[f"sealed_{name}"] = {
            "cpu_ns_per_value": {way: round(cost[way], 1) for way in cost},
            "ratio": {
                "siv": round(cost["siv_loop"] / cost["siv"], 1),
                "siv_padded": round(cost["siv_loop"] / cost["siv_padded"], 1),
                "siv_open": round(cost["siv_open_loop"] / cost["siv_open"], 1),
                "siv_open_padded": round(cost["siv_open_loop"] / cost["siv_open_padded"], 1),
                "hmac": round(cost["hmac_loop"] / cost["hmac"], 1),
            },
        }
    some = spellings(rows // 2)
    for verb in (canonical, valid):
        ways = {name: (partial(verb, values, form), len(values)) for name, (form, values) in some.items()}
        cost = nanoseconds(ways)
        report[f"{verb.__name__}_cpu_ns_per_value"] = {name: round(cost[name], 1) for name in cost}
    print(json.dumps(report, indent=2))
    return report


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
