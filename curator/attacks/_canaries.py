"""Planted canaries: invented identifiers that only the holder knows; wherever one comes out, something leaks.

They are sought in every byte that leaves, in every spelling and coding in which they could stand there, and as what a
public hash makes of them: the values of every column (decompressed), Parquet's footer, the names of files, all papers,
what signed statements hold in base64, and the strings of models, whose word lists keep the parts of a name.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks._dictionary import DIGESTS
from curator.attacks._leak import Leak
from curator.attacks._needles import Needles
from curator.attacks._spellings import SHORTEST, codings, decoded, folded, spellings, unaccented, words_of

_HASHED = 8  # bytes of a digest that are sought
_FOLDED = 7  # letters and digits of a folded canary that are sought
_NUMBER = 9  # digits of one that has no letter
_UNREAD = {"none", "crc32"}
_BINARY = (".parquet", ".onnx")


def canary_leaks(contents: Mapping[str, bytes | Path], canaries: Iterable[str]) -> tuple[Leak, ...]:
    """Canaries in any member of a package, or in its name.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them.
        canaries: the planted identifiers; those of fewer than five letters are not sought. Each word of six letters
            or more of a planted name is sought alone too, so invented words serve best.
    """
    planted = tuple(canaries)
    needles = Needles(needles_of(planted))
    if not len(needles):
        return ()
    loose = Needles(folded_needles(planted))
    found: dict[str, int] = {}
    for path, content in contents.items():
        for place, data, text in readings(path, content):
            count = needles.count(data)
            if text and not count and len(loose):
                count = loose.count(folded(data.decode("utf-8", "replace")).encode("utf-8", "replace"))
            if count:
                found[place] = found.get(place, 0) + count
    return tuple(Leak(kind="canary", where=place, count=count) for place, count in found.items())


def needles_of(canaries: Iterable[str]) -> tuple[bytes, ...]:
    """Every way in which a canary could stand in bytes; longest first."""
    found: dict[bytes, None] = {}
    for text in _sought(canaries):
        for spelling in spellings(text):
            for form in ("NFC", "NFD"):
                shape = unicodedata.normalize(form, spelling)
                found |= dict.fromkeys(codings(shape))
                found |= dict.fromkeys(_digests(shape))
        for word in words_of(text):
            shapes = {word, word.lower(), word.upper(), unaccented(word), unicodedata.normalize("NFD", word)}
            found |= dict.fromkeys(shape.encode() for shape in shapes)
    return tuple(sorted((needle for needle in found if len(needle) >= SHORTEST), key=len, reverse=True))


def folded_needles(canaries: Iterable[str]) -> tuple[bytes, ...]:
    """Canaries as `folded` leaves them, and reversed; those too short to be sure of are left out."""
    loose = dict.fromkeys(folded(text) for text in _sought(canaries))
    sure = [text for text in loose if len(text) >= (_NUMBER if text.isdigit() else _FOLDED)]
    return tuple(way.encode("utf-8", "replace") for text in sure for way in (text, text[::-1]))


def readings(path: str, content: bytes | Path) -> Iterator[tuple[str, bytes, bool]]:
    """A member's name, its bytes, what it holds in base64, and for Parquet its values; with whether each is a text."""
    yield "the name of a member", path.encode(), True
    data = content if isinstance(content, bytes) else content.read_bytes()
    text = not path.endswith(_BINARY)
    yield path, data, text
    if text and (inside := decoded(data)):
        yield path, inside, True
    if path.endswith(".parquet"):
        reader = parquet.ParquetFile(pa.BufferReader(data))
        for metadata in (reader.metadata.metadata or {}).values():
            yield f"{path}: metadata", decoded(metadata), True
        for name in reader.schema_arrow.names:
            column = reader.read(columns=[name]).column(0)
            yield f"{path}: {name}", *all_bytes(column)


def all_bytes(column: pa.ChunkedArray) -> tuple[bytes, bool]:
    """A column's distinct values line by line, and whether they are texts."""
    values = pc.unique(column).drop_null() if not pa.types.is_nested(column.type) else column
    if pa.types.is_fixed_size_binary(values.type) or pa.types.is_binary(values.type):
        return b"\n".join(values.to_pylist()), False
    texts = pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_nested(values.type)
    joined = "\n".join(map(str, values.to_pylist())).encode("utf-8", "surrogatepass")
    return joined, bool(texts)


def _sought(canaries: Iterable[str]) -> Iterator[str]:
    for text in canaries:
        if len(text.strip()) >= SHORTEST:
            yield text.strip()


def _digests(text: str) -> Iterator[bytes]:
    """The first eight bytes of every public digest, as bytes, in hexadecimal and in base64."""
    for name, digest in DIGESTS.items():
        if name not in _UNREAD:
            head = digest(text.encode("utf-8", "surrogatepass"))[:_HASHED]
            yield from (head, head.hex().encode(), base64.b64encode(head)[:10])
