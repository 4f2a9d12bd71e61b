"""Looks for many secret texts in many bytes at once: whole files, decoded cells, decompressed objects.

Three nets, since no single one holds everything: long texts anywhere in the bytes, as written, in either case, without
separators and as UTF-16; short ones as whole words of text; and unkeyed digests of every text, which would let anybody
confirm a guess.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

LONG = 8
_WORD = re.compile(r"[^\W_]+(?:[-'@.][^\W_]+)*")


class Net:
    """The texts to look for. `anywhere` are long enough never to occur by chance, `words` are not."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.anywhere: set[bytes] = set()
        self.words: set[str] = set()
        self.digests: set[bytes] = set()
        for text in texts:
            self._add(text)
        self._heads = np.unique([np.frombuffer(item[:LONG], "<u8")[0] for item in self.anywhere | self.digests])
        self._longest = max(map(len, self.anywhere | self.digests))

    def _add(self, text: str) -> None:
        compact = re.sub(r"[^\w@]", "", text)
        for form in {text, text.upper(), text.lower(), compact, compact.upper(), compact.lower()}:
            encoded = form.encode()
            if len(encoded) >= LONG:
                self.anywhere |= {encoded, form.encode("utf-16-le")}
            if len(form) >= 4:
                self.words.add(form.casefold())
            for name in ("md5", "sha1", "sha256"):
                digest = hashlib.new(name, encoded, usedforsecurity=False)
                self.digests |= {digest.digest(), digest.hexdigest().encode(), digest.hexdigest()[:16].encode()}

    def in_bytes(self, data: bytes) -> set[bytes]:
        """Long texts and digests that occur anywhere: eight bytes at every place first, the rest of the text then."""
        found = set()
        wanted = self.anywhere | self.digests
        for shift in range(LONG):
            windows = np.frombuffer(data, "<u8", count=max(len(data) - shift, 0) // LONG, offset=min(shift, len(data)))
            near = np.minimum(np.searchsorted(self._heads, windows), len(self._heads) - 1)
            for place in np.flatnonzero(self._heads[near] == windows).tolist():
                start = shift + place * LONG
                piece = data[start : start + self._longest]
                found |= {piece[:end] for end in range(LONG, len(piece) + 1) if piece[:end] in wanted}
        return found

    def in_text(self, text: str) -> set[str]:
        """Short texts that are whole words, whatever their case."""
        return {word.casefold() for word in _WORD.findall(text)} & self.words

    def in_cells(self, path: Path) -> set[str]:
        """Cells of a Parquet file, decoded, that are a text, hold one, or are a digest of one."""
        table = pq.read_table(path, partitioning=None)
        cells = {cell for column in table.columns for cell in set(column.to_pylist())}
        tokens = {cell for cell in cells if isinstance(cell, bytes)}
        text = "\n".join(str(cell) for cell in cells - tokens)
        found = self.in_bytes(b"\n".join(tokens)) | self.in_bytes(text.encode())
        found |= tokens & {digest[: len(token)] for token in [*tokens][:1] for digest in self.digests}
        return self.in_text(text) | {item.hex() for item in found}


def folded(text: str) -> str:
    """A name without accents, as an index would spell it."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def secret_texts(base: Path) -> dict[str, set[str]]:
    """Every identifier the demonstration wrote, by kind, with the spellings a search would try."""
    rows: list[dict[str, Any]] = pq.read_table(base / "truth" / "identifiers.parquet").to_pylist()
    texts: dict[str, set[str]] = {}
    for row in rows:
        texts.setdefault(row["kind"], set()).update({row["value"], folded(row["value"])})
    return texts


def blobs(root: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that may leave a capital: its files, the members of its packages, Git's objects decompressed."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and parts[0] not in (".curator", ".git"):
            yield "/".join(parts), path.read_bytes()
        if path.suffix == ".cur":
            with tarfile.open(path) as package:
                for member in package:
                    stream = package.extractfile(member)
                    yield f"{path.name}:{member.name}", stream.read() if stream else b""
    yield (
        ".git objects",
        subprocess.run(
            ["git", "-C", str(root), "cat-file", "--batch-all-objects", "--batch"], check=True, capture_output=True
        ).stdout,
    )
