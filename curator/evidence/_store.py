"""The store: a folder of envelopes, `ab/<digest>.json`, read as a graph; nothing in it is ever changed or removed.

Two links make the graph: `previous` names the digests of other statements, and an input names the digest of what
some other statement made. Reading is lazy and linear: a file is parsed once and again only when it changed on disk.
"""

from __future__ import annotations

import heapq
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from curator.canonical import sha256_bytes
from curator.errors import IntegrityError
from curator.evidence._envelope import MAX_BYTES, Envelope, open_envelope, peek_envelope
from curator.evidence._statement import Artifact, Stage

_NAME = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.json")

MAKING = frozenset(
    {Stage.INIT, Stage.EXTRACT, Stage.CHECK, Stage.PROTECT, Stage.COMMIT, Stage.TRAIN, Stage.PACKAGE, Stage.DELIVER}
)
"""Stages whose subjects are things made. The others speak about things that exist already (a request, a review, a
recall), so an input never leads to them: they are ancestors only of the statements that name them as previous."""


@dataclass(frozen=True)
class _Kept:
    """A parsed file and what told it from a changed one."""

    mark: tuple[int, int, int, int]
    envelope: Envelope


class EvidenceStore:
    """The statements in one folder (`evidence` of a workspace, or the copy inside a package).

    A digest protects what it names, so walking from a digest that is already trusted needs no key. Everything else
    that is found here may have been put there by anybody: pass `keys` to have each signature verified, or call
    `faults` first. `curator.agents.Directory` gives the keys.

    Args:
        folder: the folder holding `ab/<digest>.json`; may be absent, which reads as empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, _Kept] = {}

    def read(self, digest: str) -> Envelope:
        """The statement of this digest; its bytes are checked against it, its signature is not.

        Raises:
            IntegrityError: `evidence-missing` when there is no such file; `evidence-changed` when its bytes are
                others or no statement.
        """
        relative = f"{digest[:2]}/{digest}.json"
        if not _NAME.fullmatch(relative) or not (self._folder / relative).is_file():
            raise _missing(digest)
        return self._load(relative)

    def unverified(self) -> tuple[Envelope, ...]:
        """Every statement, ancestors first, then by time and digest. No signature is verified.

        Raises:
            IntegrityError: `evidence-changed`, when a file's bytes are not what its name says or are no statement.
        """
        return _in_order(self._index())

    def envelopes(self, keys: Mapping[str, bytes]) -> Iterator[Envelope]:
        """Every statement, ancestors first, each verified just before it is given.

        Args:
            keys: raw public keys by key id.

        Raises:
            IntegrityError: as `unverified`, and as `open_envelope` at the first statement that does not verify.
        """
        return (_verify(envelope, keys) for envelope in self.unverified())

    def about(self, digest: str, *, keys: Mapping[str, bytes] | None = None) -> tuple[Envelope, ...]:
        """The statements that have the artifact of this digest as a subject, ancestors first.

        Args:
            digest: of an artifact, under either algorithm.
            keys: when given, each result is verified. Raises IntegrityError as `open_envelope`.
        """
        index = self._index()
        found = {
            name: envelope
            for name, envelope in index.items()
            if any(subject.digest == digest for subject in envelope.statement.subjects)
        }
        return _verified(_in_order(found), keys)

    def heads(self) -> tuple[str, ...]:
        """Digests of the statements that no other one follows, sorted: what the next statement may follow."""
        index = self._index()
        followed = {digest for envelope in index.values() for digest in envelope.statement.previous}
        return tuple(sorted(set(index) - followed))

    def closure(self, digests: Iterable[str], *, keys: Mapping[str, bytes] | None = None) -> tuple[Envelope, ...]:
        """These statements and all their ancestors, ancestors first: a whole lineage, back to the sources.

        An ancestor is named in `previous`, or made (see `MAKING`) what a statement lists as input.

        Args:
            digests: of statements in this store.
            keys: when given, each result is verified. Raises IntegrityError as `open_envelope`.

        Raises:
            IntegrityError: `evidence-missing` when one of them, or a statement that one of them follows, is absent.
        """
        index = self._index()
        makers = _makers(index)
        reached: dict[str, Envelope] = {}
        waiting = list(digests)
        while waiting:
            digest = waiting.pop()
            if digest in reached:
                continue
            if digest not in index:
                raise _missing(digest)
            reached[digest] = index[digest]
            statement = index[digest].statement
            waiting += statement.previous
            for artifact in statement.inputs:
                waiting += makers.get(_link(artifact), ())
        return _verified(_in_order(reached), keys)

    def faults(self, keys: Mapping[str, bytes]) -> list[str]:
        """What is wrong in the folder, one sentence a fault naming the file; empty when all is well. Reads every byte.

        Found: empty files, bytes that are no statement, names that are not the digest, signatures that do not hold,
        unknown signers, statements that follow an absent one, links, and files that do not belong here.

        Args:
            keys: raw public keys by key id, the only signers believed.
        """
        paths = self._paths()
        found = []
        for relative in paths:
            if not _NAME.fullmatch(relative):
                found.append(f"evidence/{relative}: a file that is no statement")
                continue
            try:
                envelope = open_envelope(_read(self._folder / relative, relative), keys)
            except IntegrityError as fault:
                found.append(f"evidence/{relative}: {fault.found}")
            else:
                found += self._missing_ancestors(relative, envelope, present=paths)
        return found

    def _missing_ancestors(self, relative: str, envelope: Envelope, *, present: Mapping[str, object]) -> list[str]:
        return [
            f"evidence/{relative}: follows the statement {digest}, which is absent"
            for digest in envelope.statement.previous
            if f"{digest[:2]}/{digest}.json" not in present
        ]

    def _paths(self) -> dict[str, None]:
        """Relative POSIX paths of all files, links included, sorted."""
        found = []
        for place, folders, files in os.walk(self._folder):
            base = Path(place).relative_to(self._folder).as_posix()
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            found += [name if base == "." else f"{base}/{name}" for name in [*files, *links]]
        return dict.fromkeys(sorted(found))

    def _index(self) -> dict[str, Envelope]:
        """Every statement by digest; files of other names are left to `faults`."""
        names = [(match[2], relative) for relative in self._paths() if (match := _NAME.fullmatch(relative))]
        return {digest: self._load(relative) for digest, relative in names}

    def _load(self, relative: str) -> Envelope:
        path = self._folder / relative
        found = _look(path, relative)
        mark = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        kept = self._kept.get(relative)
        if kept is None or kept.mark != mark:
            try:
                kept = _Kept(mark, peek_envelope(_read(path, relative)))
            except IntegrityError as fault:
                raise _changed(relative, fault.found) from fault
            self._kept[relative] = kept
        return kept.envelope


def _look(path: Path, relative: str) -> os.stat_result:
    """The state of a file, when it is a regular one of bearable size."""
    try:
        found = path.lstat()
    except OSError as fault:
        raise _changed(relative, "a file that cannot be read") from fault
    if not stat.S_ISREG(found.st_mode):
        raise _changed(relative, "a link or another thing that is not a regular file")
    if not 0 < found.st_size <= MAX_BYTES:
        raise _changed(relative, "an empty file" if not found.st_size else f"more than {MAX_BYTES:,} bytes")
    return found


def _read(path: Path, relative: str) -> bytes:
    """The bytes of such a file whose name is their digest."""
    _look(path, relative)
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise _changed(relative, "a file that cannot be read") from fault
    if sha256_bytes(data) != path.stem:
        raise _changed(relative, "a name that is not the SHA-256 of the bytes")
    return data


def _verified(envelopes: tuple[Envelope, ...], keys: Mapping[str, bytes] | None) -> tuple[Envelope, ...]:
    if keys is None:
        return envelopes
    return tuple(_verify(envelope, keys) for envelope in envelopes)


def _verify(envelope: Envelope, keys: Mapping[str, bytes]) -> Envelope:
    """`open_envelope`, its error naming the file."""
    try:
        return open_envelope(envelope.data, keys)
    except IntegrityError as fault:
        raise IntegrityError(
            fault.code, asked=f"verify {envelope.path}", found=fault.found, expected=fault.expected, todo=fault.todo
        ) from fault


def _link(artifact: Artifact) -> tuple[str, str]:
    return artifact.algorithm, artifact.digest


def _makers(index: Mapping[str, Envelope]) -> dict[tuple[str, str], list[str]]:
    makers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for digest, envelope in index.items():
        if envelope.statement.stage in MAKING:
            for subject in envelope.statement.subjects:
                makers[_link(subject)].append(digest)
    return makers


def _in_order(index: Mapping[str, Envelope]) -> tuple[Envelope, ...]:
    """Ancestors by `previous` first, ties by time then digest (Kahn 1962 over a heap); absent ones do not count."""
    followers: dict[str, list[str]] = defaultdict(list)
    open_links = {}
    for digest, envelope in index.items():
        known = [previous for previous in envelope.statement.previous if previous in index]
        open_links[digest] = len(known)
        for previous in known:
            followers[previous].append(digest)
    ready = [(index[digest].statement.time, digest) for digest, count in open_links.items() if not count]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, digest = heapq.heappop(ready)
        ordered.append(index[digest])
        for follower in followers[digest]:
            open_links[follower] -= 1
            if not open_links[follower]:
                heapq.heappush(ready, (index[follower].statement.time, follower))
    return tuple(ordered)


def _missing(digest: str) -> IntegrityError:
    return IntegrityError(
        "evidence-missing",
        asked="read the evidence behind a statement",
        found=f"no statement {digest[:16]}... in the folder of evidence",
        expected="every statement that another one follows; evidence is only ever added to",
        todo="restore the folder `evidence` from Git (`git log --diff-filter=D -- evidence` shows what was removed)",
    )


def _changed(relative: str, found: str) -> IntegrityError:
    return IntegrityError(
        "evidence-changed",
        asked=f"read evidence/{relative}",
        found=found,
        expected="the regular file that was written once, under the SHA-256 of its bytes",
        todo=f"restore it from Git: `git checkout HEAD -- evidence/{relative}`; then run `curator verify`",
    )
