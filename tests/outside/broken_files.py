"""Read many broken copies of one file, in a process of its own; prints the number of each before it is read.

Bits are flipped, bytes replaced, the end cut off: whatever is left is read as far as its rows go, or refused in
curator's words. A copy that ends the process, or takes more processor time than a sound file a thousand times as
large, fails the run; the caller knows by the last number which it was.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from curator.capital import Capital, RunOptions
from curator.errors import CuratorError

SECONDS = 10
MEMORY = 6 << 30  # addresses, of which the engine reserves many more than it uses


def broken(data: bytes, chance: random.Random) -> bytes:
    """A copy with one kind of damage, in half of the cases near the end, where a Parquet file has its index."""
    copy, first = bytearray(data), len(data) * 3 // 4 * chance.randrange(2)
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(copy[: chance.randrange(len(copy))])
    for _ in range(chance.choice([1, 1, 2, 8])):
        place = chance.randrange(first, len(copy))
        copy[place] = copy[place] ^ 1 << chance.randrange(8) if kind < 3 else chance.choice([0, 0x7F, 0x80, 0xFF])
    return bytes(copy)


def main(folder: str, name: str, first: str, count: str) -> int:
    """Break and read the copies `first` to `first + count`; 1 when one of them was no refusal in words."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    work = Path(folder)
    capital, sound = Capital.open(work / "capital"), (work / f"sound-{name}").read_bytes()
    for number in range(int(first), int(first) + int(count)):
        print(number, flush=True)
        (work / name).write_bytes(broken(sound, random.Random(f"{name} {number}")))
        began = time.process_time()
        with suppress(CuratorError):
            capital.preview(work / "spec.yaml", until="protect", options=RunOptions(data=work, threads=1))
        if time.process_time() - began > SECONDS:
            print("too slow", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
