"""What a package tells besides its rows: planted canaries, identifiers in clear, statistics, names, order of rows.

A canary is an invented identifier that the holder planted in the sources, known to nobody else: wherever it comes out,
something leaks. It is sought in every byte that leaves, and in every spelling and coding in which it could stand there:
the values of every column (decompressed), Parquet's statistics and metadata, the names of files, and all papers.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks._dictionary import spellings
from curator.identifiers import valid
from curator.risk import column_of

_NAME = re.compile(r"(?:[a-z][a-z0-9_-]*/)+(?:part-\d{5}|[a-z][a-z_-]*)\.parquet")
_LONG_NUMBER = re.compile(r"(?<!part-)\d{5,}")
_METADATA = {b"ARROW:schema", b"huggingface"}
_CLEAR = {"nir": r"^[1-478](?:[\s.]?[\dABab]){14}$", "email": r"@", "iban": r"^[A-Za-z]{2}\d{2}[\dA-Za-z ]{11,40}$",
          "phone": r"^(?:\+33|0033|0)[\s.-]?[1-9](?:[\s.-]?\d{2}){4}$"}  # fmt: skip
_SEEN = 50_000  # distinct values looked at in a column
_CLEAR_SHARE = 0.05  # a number in 97 passes the key of a social security number by chance
_SHORTEST = 5  # letters of a canary: a shorter one would be found everywhere
_ORDER_SIGMAS = 5.0


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Something that should not be there.

    Attributes:
        kind: `canary`, `clear-identifier`, `statistics`, `metadata`, `file-name` or `row-order`.
        where: a member of the package, a column, or both; never a value.
        count: how often.
    """

    kind: str
    where: str
    count: int = 1


def canary_leaks(contents: Mapping[str, bytes | Path], canaries: Iterable[str]) -> tuple[Leak, ...]:
    """Canaries in any member of a package, or in its name.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them.
        canaries: the planted identifiers; those of fewer than five letters are not sought.
    """
    needles = needles_of(canaries)
    if not needles:
        return ()
    pattern = re.compile(b"|".join(re.escape(needle) for needle in needles), re.IGNORECASE)
    found = []
    for path, content in contents.items():
        for place, data in _readings(path, content):
            count = len(pattern.findall(data))
            if count:
                found.append(Leak(kind="canary", where=place, count=count))
    return tuple(found)


def needles_of(canaries: Iterable[str]) -> tuple[bytes, ...]:
    """Every way in which a canary could stand in bytes; longest first."""
    found: dict[bytes, None] = {}
    for text in canaries:
        if len(text.strip()) < _SHORTEST:
            continue
        for spelling in spellings(text.strip()):
            for form in ("NFC", "NFD"):
                found |= dict.fromkeys(_codings(unicodedata.normalize(form, spelling)))
    return tuple(sorted(found, key=len, reverse=True))


def shard_leaks(path: str, file: Path) -> tuple[Leak, ...]:
    """What a shard's name, metadata and statistics tell."""
    metadata = parquet.read_metadata(file)
    told = _NAME.fullmatch(path) is None or _LONG_NUMBER.search(path) is not None
    found = [Leak(kind="file-name", where="the name of a shard")] if told else []
    odd = sorted(set(metadata.metadata or {}) - _METADATA)
    if odd:
        found.append(Leak(kind="metadata", where=path, count=len(odd)))
    chunks = (metadata.row_group(group).column(place)
              for group in range(metadata.num_row_groups) for place in range(metadata.num_columns))  # fmt: skip
    counted = sorted({chunk.path_in_schema for chunk in chunks if chunk.is_stats_set})
    return (*found, *(Leak(kind="statistics", where=f"{path}: {name}") for name in counted))


def clear_leaks(name: str, column: pa.ChunkedArray) -> tuple[Leak, ...]:
    """Identifiers in clear among the values of a text column, recognised by their shape and their check digits."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return ()
    values = pc.unique(column).drop_null().slice(0, _SEEN)
    found = []
    for form, shape in _CLEAR.items():
        shaped = values.filter(pc.match_substring_regex(values, shape))
        count = int(pc.sum(valid(shaped, form)).as_py() or 0) if len(shaped) else 0
        if count > _CLEAR_SHARE * len(values):
            found.append(Leak(kind="clear-identifier", where=f"{name}: {form}", count=count))
    return tuple(found)


def order_leaks(shards: Sequence[Mapping[str, pa.ChunkedArray]]) -> tuple[Leak, ...]:
    """Columns whose values rise or fall with the place of a row: Spearman's rank correlation beyond chance.

    Tokens count by their first bytes: if they stood in order, they or the rows would have been sorted by arrival.
    """
    worst: dict[str, int] = {}
    for shard in shards:
        for name, column in shard.items():
            if abs(rank_correlation(column)) * np.sqrt(max(len(column) - 1, 1)) > _ORDER_SIGMAS:
                worst[name] = worst.get(name, 0) + 1
    return tuple(Leak(kind="row-order", where=name, count=count) for name, count in sorted(worst.items()))


def rank_correlation(column: pa.ChunkedArray) -> float:
    """Spearman's correlation of a column with the places of its rows; 0 when it has no order or no spread."""
    values = column
    if pa.types.is_fixed_size_binary(column.type):
        heads = [int.from_bytes(value[:6], "big") if value is not None else None for value in column.to_pylist()]
        values = pa.chunked_array([pa.array(heads, pa.int64())])
    numbers = column_of("", values)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        order = pc.rank(values.combine_chunks(), tiebreaker="dense")
        numbers = column_of("", order)
    if not numbers.ordered or numbers.values < 2 or len(numbers.codes) < 3:
        return 0.0
    ranks = _mean_ranks(numbers.codes.astype(np.int64), numbers.values)
    places = np.arange(len(ranks), dtype=np.float64)
    return float(np.corrcoef(ranks, places)[0, 1]) if ranks.std() > 0 else 0.0


def _mean_ranks(codes: npt.NDArray[np.int64], values: int) -> npt.NDArray[np.float64]:
    counts = np.bincount(codes, minlength=values)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[codes], np.float64)


def _codings(text: str) -> Iterator[bytes]:
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield text.encode("latin-1", "ignore") if len(text.encode("latin-1", "ignore")) >= _SHORTEST else plain
    yield text[::-1].encode()
    yield plain.hex().encode()
    yield text.encode("ascii", "backslashreplace")
    for shift in range(3):  # base64 depends on where in a text the canary begins
        coded = base64.b64encode(b"\0" * shift + plain)
        middle = coded[(0, 2, 3)[shift] : len(coded) - 4]
        if len(middle) >= _SHORTEST + 3:
            yield middle


def _readings(path: str, content: bytes | Path) -> Iterator[tuple[str, bytes]]:
    """A member as bytes, its name, and for Parquet its values, texts and bytes alike."""
    yield "the name of a member", path.encode()
    data = content if isinstance(content, bytes) else content.read_bytes()
    yield path, data
    if path.endswith(".parquet"):
        reader = parquet.ParquetFile(pa.BufferReader(data))
        for name in reader.schema_arrow.names:
            column = reader.read(columns=[name]).column(0)
            yield f"{path}: {name}", _all_bytes(column)


def _all_bytes(column: pa.ChunkedArray) -> bytes:
    values = pc.unique(column).drop_null() if not pa.types.is_nested(column.type) else column
    if pa.types.is_fixed_size_binary(values.type) or pa.types.is_binary(values.type):
        return b"\n".join(values.to_pylist())
    return "\n".join(map(str, values.to_pylist())).encode("utf-8", "surrogatepass")
