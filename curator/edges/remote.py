"""A DVC remote on S3, written as versions are made and read back: DVC's own layout, so that `dvc pull` finds it.

A remote is what `.dvc/config` says (`dvc remote add team s3://bucket/prefix`); an object stands at
`files/md5/ab/cdef...`, named by its MD5, and a version is there once its `.dir` object is. What a run sends is not
seen before the run has passed every check: shards go as parts of uploads that are completed at the end, those not yet
begun by then in one request each, and the `.dir` object is written last of all. A run that is killed leaves uploads
that nobody can read and that no listing shows; the next run of the workspace that sends to the same place ends them
(`curator.edges.uploads`).

Credentials come from the environment or `~/.aws` (`curator.files`), never from DVC's configuration.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from curator.edges import store
from curator.edges.uploads import Uploads
from curator.errors import CuratorError, IntegrityError, SecretError, StorageError, UsageError
from curator.files import ObjectStore, Upload
from curator.manifest import MANIFEST, FileEntry, Manifest

_SMALL = 5 << 20  # bytes up to which an object goes in one request, when the rest is sure
_LATE = 32 << 20  # likewise, of a shard whose sending has not begun when the run is through: flat memory
_EARLY_SENDERS = 2  # beside a run that computes
_SENDERS = 4
_NOTES = ".curator/uploads"  # below the workspace's root, private
_SECRETS = {"access_key_id", "secret_access_key", "session_token", "password"}


class Remote:
    """One remote of a workspace.

    Attributes:
        name: as DVC knows it.
    """

    def __init__(self, name: str, objects: ObjectStore, *, notes: Path) -> None:
        """Use `Remote.of`."""
        self.name, self._objects, self._notes = name, objects, notes

    @classmethod
    def of(cls, root: Path, name: str) -> Remote:
        """The remote of that name in the workspace of `root`.

        Raises:
            UsageError: `remote-unknown`, when DVC's configuration has none of that name, or one that is not on S3.
            SecretError: `remote-secret`, when the committed configuration holds its credentials.
        """
        settings, committed = _settings(root, name)
        if _SECRETS & set(committed):
            raise _secret(name)
        parts = urlsplit(settings.get("url", ""))
        if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc:
            raise _unknown(root, name)
        prefix = parts.path.strip("/")
        objects = ObjectStore(
            parts.netloc,
            prefix=f"{prefix}/" if prefix else "",
            endpoint=settings.get("endpointurl"),
            refusal=partial(_refused, name),
        )
        return cls(name, objects, notes=root / _NOTES)

    def sending(self) -> Sending:
        """What one run sends; use as a context manager. Its start ends uploads that dead runs left."""
        return Sending(self._objects, Uploads(self._notes, self._objects))

    def manifest(self, pointer: store.Pointer) -> Manifest:
        """The manifest of a version, found from its committed pointer.

        Raises:
            IntegrityError: `remote-differs`, when an object is absent or not what its name says.
        """
        listed = json.loads(self._named(pointer.oid))
        own = next((item["md5"] for item in listed if item["relpath"] == MANIFEST), "")
        return Manifest.from_bytes(self._named(own))

    def _named(self, oid: str) -> bytes:
        """A small object whose bytes have the MD5 that names it."""
        data = b"".join(self._blocks(oid, "a list of files"))
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != oid.removesuffix(".dir"):
            raise _differs(self.name, "a list of files that is not what its name says")
        return data

    def fetched(self, entry: FileEntry) -> bytearray:
        """The bytes of a file, held to its SHA-256 before anybody reads them.

        Raises:
            IntegrityError: `remote-differs`. StorageError: `remote-refused`.
        """
        data, digest = bytearray(), hashlib.sha256()
        for block in self._blocks(entry.md5, entry.path):
            digest.update(block)
            data += block
        if digest.hexdigest() != entry.sha256:
            raise _differs(self.name, f"other bytes than the manifest lists for {entry.path}")
        return data

    def faults(self, manifest: Manifest) -> Iterator[str]:
        """What is wrong with a version's objects, one sentence each; reads every byte. Raises StorageError."""
        for entry in store.entries(manifest):
            digest, size = hashlib.sha256(), 0
            try:
                for block in self._blocks(entry.md5, entry.path):
                    digest.update(block)
                    size += len(block)
            except IntegrityError:
                yield f"remote object of {entry.path} is missing"
                continue
            if size != entry.size or digest.hexdigest() != entry.sha256:
                yield f"remote object of {entry.path} was changed"
        tree = store.pointer_of(manifest, manifest.version).oid
        try:
            if b"".join(self._blocks(tree, "the folder")) != store.folder_object(manifest):
                yield "remote object of the folder itself was changed"
        except IntegrityError:
            yield "remote object of the folder itself is missing"

    def _blocks(self, oid: str, what: str) -> Iterator[bytes]:
        try:
            yield from self._objects.blocks(object_name(oid))
        except FileNotFoundError:
            raise _differs(self.name, f"no object of {what}") from None


class Sending:
    """The objects of one version on their way to a remote.

    `take` begins the upload of a file that is finished; `finish` waits for all, sends what is left, lets every object
    appear, and names the version last. Leaving the block before that takes everything back.
    """

    def __init__(self, objects: ObjectStore, notes: Uploads) -> None:
        self._objects, self._notes = objects, notes
        self._early, self._pool = ThreadPoolExecutor(_EARLY_SENDERS), ThreadPoolExecutor(_SENDERS)
        self._jobs: dict[str, Future[Upload | None]] = {}
        self._failed = threading.Event()

    def __enter__(self) -> Sending:
        self._notes.begin()
        self._pool.submit(self._notes.sweep)  # done by the time that this run ends
        return self

    def __exit__(self, *failure: object) -> None:
        self._failed.set()
        for pool in (self._early, self._pool):
            pool.shutdown(cancel_futures=True)
        ran = [job for job in self._jobs.values() if not job.cancelled()]
        left = [job.result() for job in ran if job.exception() is None]
        gone = [self._objects.abandon(upload) for upload in left if upload is not None]
        self._notes.end(settled=all(gone) and len(left) == len(ran))

    def take(self, path: Path, entry: FileEntry) -> None:
        """Begin to send a file that this run has finished; returns at once."""
        if entry.size > _SMALL and entry.md5 not in self._jobs:
            self._jobs[entry.md5] = self._early.submit(self._sent, path, entry, new=True)

    def finish(self, manifest: Manifest, folder: Path) -> None:
        """Send what is left of a version, let its objects appear, and its list of files last.

        Args:
            manifest: of the version.
            folder: where its files are.

        Raises:
            StorageError: `remote-refused`; nothing is named in the store then.
        """
        files = store.entries(manifest)
        late = {oid for oid, job in self._jobs.items() if job.cancel()}  # not begun: the run is through, so at once
        for entry in files:
            if entry.size > max(_SMALL, _LATE) and (entry.md5 in late or entry.md5 not in self._jobs):
                sent = self._pool.submit(self._sent, folder / entry.path, entry, new=entry.md5 in late)
                self._jobs[entry.md5] = sent
        uploads = {oid: job.result() for oid, job in self._jobs.items() if not job.cancelled()}
        whole = {entry.md5: entry for entry in files if entry.md5 not in uploads}
        for _ in self._pool.map(lambda entry: self._put(folder / entry.path, entry, late=late), whole.values()):
            pass
        wanted = {entry.md5 for entry in files} & set(uploads)  # the others were written anew, and are taken back
        for oid in self._pool.map(lambda oid: self._completed(oid, uploads[oid]), sorted(wanted)):
            del self._jobs[oid]
        tree = store.pointer_of(manifest, manifest.version).oid
        self._objects.put(object_name(tree), store.folder_object(manifest))

    def _sent(self, path: Path, entry: FileEntry, *, new: bool) -> Upload | None:
        """A file's parts in the store; None when the store has the object already, as it may that of an older file."""
        name = object_name(entry.md5)
        if self._failed.is_set() or (not new and self._objects.size(name) == entry.size):
            return None
        return self._objects.begin(name, path, md5=entry.md5, begun=self._notes.note)

    def _put(self, path: Path, entry: FileEntry, *, late: set[str]) -> None:
        if entry.md5 in late or self._objects.size(object_name(entry.md5)) != entry.size:
            self._objects.put(object_name(entry.md5), path.read_bytes(), md5=entry.md5)

    def _completed(self, oid: str, upload: Upload | None) -> str:
        if upload is not None:
            self._objects.complete(upload)
        return oid


def object_name(oid: str) -> str:
    """Where DVC 3 keeps an object below the remote's own folder."""
    return f"files/md5/{oid[:2]}/{oid[2:]}"


def _settings(root: Path, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Settings of a remote, local ones first, and those of them that are committed."""
    read = [_section(root / ".dvc" / file, name) for file in ("config", "config.local")]
    return {**read[0], **read[1]}, read[0]


def _section(path: Path, name: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    wanted = {f'remote "{name}"', f"'remote \"{name}\"'"}
    section = next((title for title in parser.sections() if title in wanted), None)
    return {key: value.strip("'\"") for key, value in parser.items(section)} if section else {}


def _names(root: Path) -> Iterable[str]:
    for file in ("config", "config.local"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string((root / ".dvc" / file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        yield from (title.split('"')[1] for title in parser.sections() if 'remote "' in title)


def _unknown(root: Path, name: str) -> UsageError:
    return UsageError(
        "remote-unknown",
        asked=f"use the DVC remote `{name}`",
        found="a remote that is not on S3" if name in set(_names(root)) else "no remote of that name",
        expected="a remote at s3://BUCKET/PREFIX: " + (", ".join(sorted(set(_names(root)))) or "none is configured"),
        todo=f"`dvc remote add {name} s3://BUCKET/PREFIX`; other remotes are served by `dvc push` and `dvc pull`",
    )


def _secret(name: str) -> SecretError:
    return SecretError(
        "remote-secret",
        asked=f"use the DVC remote `{name}`",
        found="credentials in the committed file .dvc/config",
        expected="credentials in the environment or in ~/.aws, where no clone takes them along",
        todo=f"`dvc remote modify {name} --unset secret_access_key` and the like, then change them",
    )


def _refused(name: str, found: str) -> StorageError:
    return StorageError(
        "remote-refused",
        asked=f"use the DVC remote `{name}`",
        found=found,
        expected="an S3 store that answers, and credentials that may read and write below the remote's address",
        todo="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the endpoint and the bucket, then run again",
    )


def _differs(name: str, found: str) -> CuratorError:
    return IntegrityError(
        "remote-differs",
        asked=f"read from the DVC remote `{name}`",
        found=found,
        expected="every object of the version, each with the bytes that its manifest lists",
        todo="delete the object there, then `dvc push` from a workspace that `curator verify` calls sound",
    )


__all__ = ["Remote", "Sending", "object_name"]
