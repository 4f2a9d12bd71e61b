"""The signed list of members: which names and sizes a package may hold, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from curator.canonical import sha256_bytes
from curator.package_file._faults import bad_list

ENVELOPE = "package.json"
"""The first member: the signed statement of the delivery."""

SUMS = "SHA256SUMS"
HOLDER = "holder.pub"
TERMS = "terms.json"
PAPERS = (SUMS, HOLDER, TERMS)
"""The small members that every package holds, in this order, before the evidence."""

DATASET, MODEL = "dataset", "model"
"""Folders of the payload; a package holds one or both."""

SUFFIXES = frozenset({".parquet", ".json", ".yaml", ".md", ".onnx"})
"""What a payload file may be; none of them is a program or holds one."""

_PATH_BYTES = 100
_PAYLOAD = re.compile(r"(?:dataset|model)(?:/[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?){1,8}")
_EVIDENCE = re.compile(r"evidence/[0-9a-f]{64}\.json")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a reader accepts before it believes a single byte.

    Attributes:
        envelope: bytes of `package.json`.
        members: number of other members.
        papers: bytes of all papers and evidence together; they are held in memory and parsed (about 1 s a MB at worst).
        member: bytes of one member (eleven octal digits in a ustar header).
        total: bytes of all members together.
    """

    envelope: int = 2_000_000
    members: int = 10_000
    papers: int = 8 << 20
    member: int = (8 << 30) - 1
    total: int = 256 << 30


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member as the signed list gives it.

    Attributes:
        path: its name in the archive.
        sha256: of its content, lower-case hexadecimal.
        size: bytes of its content.
    """

    path: str
    sha256: str
    size: int

    @classmethod
    def of(cls, path: str, *, content: bytes) -> Member:
        """The entry of a member held in memory."""
        return cls(path=path, sha256=sha256_bytes(content), size=len(content))

    def to_json(self) -> dict[str, str | int]:
        """As it stands in the signed list."""
        return {"path": self.path, "sha256": self.sha256, "size": self.size}

    @property
    def is_paper(self) -> bool:
        """Whether it is read into memory and verified before anything is unpacked."""
        return self.path in PAPERS or self.path.startswith("evidence/")


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """Members in the one order of the archive: papers, evidence, then data; each group by path."""
    return tuple(sorted(members, key=lambda member: (_rank(member.path), member.path)))


def sums_text(members: Iterable[Member]) -> bytes:
    """`SHA256SUMS` of these members, as `sha256sum -c` reads it: all but `package.json` and the file itself."""
    lines = [f"{member.sha256}  {member.path}\n" for member in in_order(members) if member.path != SUMS]
    return "".join(lines).encode("ascii")


def read_list(raw: Any, *, limits: Limits = LIMITS) -> tuple[Member, ...]:
    """The list of members out of a statement's facts, checked as if its author were hostile.

    Args:
        raw: JSON values: a list of objects holding exactly path, sha256 and size.
        limits: how many and how large.

    Raises:
        IntegrityError: `package-list` when an entry is malformed, a name is not allowed, names repeat or differ only
            in case, a paper is absent, the order is another, or a limit is passed.
    """
    if not isinstance(raw, list) or not 0 < len(raw) <= limits.members:
        raise bad_list(f"no list of 1 to {limits.members:,} members")
    members = tuple(_read_member(entry) for entry in raw)
    _check_names([member.path for member in members])
    _check_sizes(members, limits=limits)
    if members != in_order(members):
        raise bad_list("members in another order than the format's")
    if {PAPERS[0], PAPERS[1], PAPERS[2]} - {member.path for member in members}:
        raise bad_list(f"a package without one of {', '.join(PAPERS)}")
    return members


def _rank(path: str) -> int:
    if path in PAPERS:
        return PAPERS.index(path)
    return len(PAPERS) + (not path.startswith("evidence/"))


def _read_member(raw: Any) -> Member:
    if not isinstance(raw, dict) or set(raw) != {"path", "sha256", "size"}:
        raise bad_list("an entry that does not hold exactly path, sha256 and size")
    path, digest, size = raw["path"], raw["sha256"], raw["size"]
    if not isinstance(path, str) or not isinstance(digest, str) or type(size) is not int:
        raise bad_list("an entry with a value of another type")
    if not _allowed(path):
        raise bad_list("a name that is not allowed in a package")
    if not _DIGEST.fullmatch(digest) or size < 0:
        raise bad_list("a digest or size that is not one")
    return Member(path=path, sha256=digest, size=size)


def _allowed(path: str) -> bool:
    if len(path) > _PATH_BYTES:
        return False
    if path in PAPERS or _EVIDENCE.fullmatch(path):
        return True
    return _PAYLOAD.fullmatch(path) is not None and PurePosixPath(path).suffix in SUFFIXES


def _check_names(paths: Sequence[str]) -> None:
    """No name twice, none that differs in case only (many file systems ignore case), no file that is also a folder."""
    folders: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folders.setdefault(folder.lower(), folder) != folder:
                raise bad_list("two folder names that differ only in case")
    names = {path.lower() for path in paths}
    if len(names) != len(paths):
        raise bad_list("the same name twice, or two names that differ only in case")
    if names & set(folders):
        raise bad_list("a name that is both a file and a folder")


def _check_sizes(members: Sequence[Member], *, limits: Limits) -> None:
    if any(member.size > limits.member for member in members):
        raise bad_list(f"a member of more than {limits.member:,} bytes")
    if sum(member.size for member in members if member.is_paper) > limits.papers:
        raise bad_list(f"papers and evidence of more than {limits.papers:,} bytes")
    if sum(member.size for member in members) > limits.total:
        raise bad_list(f"more than {limits.total:,} bytes")
