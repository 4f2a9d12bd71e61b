"""Object stores that speak S3: objects as files, read in parts, and only from the endpoint that the environment names.

Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`) or from the
usual files (`~/.aws/credentials`, `AWS_PROFILE`), the endpoint from `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`;
every other place where the client would look for them, such as a cloud's metadata service, is closed. An object's
state is told by its size, time, tag (ETag) and version; each part is asked for with that tag, so that two states
never mix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import IO, Any, NamedTuple

from fsspec.asyn import sync

from curator.addresses import Address
from curator.evidence import keyed_hash
from curator.files._object_streams import ObjectParts, ObjectStream
from curator.files._snapshot import Identity, changed_source
from curator.files._store_faults import missing, told

SCHEMES = ("s3",)
_PROVIDERS = ("env", "shared-credentials-file", "config-file")


class StoredPlace:
    """An object of a store.

    Args:
        source: name of the source, for the refusals.
        key: bucket and key, without the scheme.
        version: of the object, in a bucket that keeps versions.
    """

    path = None

    def __init__(self, source: str, key: str) -> None:
        self._source, self._key = source, key
        self.address = f"s3://{key}"
        self._state: Identity | None = None
        self._ends: dict[str, tuple[int, bytes]] = {}

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self._key.rpartition("/")[2]

    def open(self, *, parts: bool = False) -> IO[bytes]:
        """Its bytes; `parts` when they are asked for here and there, rather than from the start to the end."""
        state = self._state or self.identity()
        if state is None:
            raise missing(self._source, self.name)
        held = _Held(self._source, self._key, state.mark.partition(":")[0])
        fetch = held.between
        if parts:
            return ObjectParts(fetch, size=state.size, ends=self._ends, tag=held.tag)  # type: ignore[return-value] # a raw stream is one
        begin = held.beginning
        return ObjectStream(fetch, begin, size=state.size, ends=self._ends, tag=held.tag)  # type: ignore[return-value] # a raw stream is one

    def identity(self) -> Identity | None:
        """Size, time, tag and version of the object, asked of the store now."""
        with told(self._source):
            store = _store()
            store.invalidate_cache()
            try:
                found = store.info(self._key, refresh=True)
            except FileNotFoundError:
                return None
        if found.get("type") != "file":
            return None
        changed = found.get("LastModified")
        mark = f"{str(found.get('ETag', '')).strip(chr(34))}:{found.get('VersionId') or ''}"
        self._state = Identity(int(found["size"]), int(changed.timestamp() * 1e9) if changed else 0, mark)
        return self._state

    def digest(self, key: bytes) -> str:
        """A keyed digest of the store's own tag: the bytes are not read a second time for it."""
        state = self.identity()
        if state is None:
            raise FileNotFoundError(self.name)
        told = f"{state.size}:{state.mark}"
        keyed = keyed_hash(key)
        keyed.update(f"{self.address}:{told}".encode())
        return keyed.hexdigest()


def stored_places(source: str, address: Address) -> list[StoredPlace]:
    """The objects of an address; `*`, `?` and `[...]` as in a shell.

    Raises:
        SourceError: the store cannot be reached, refuses, or the libraries are absent.
    """
    key = address.text.partition("://")[2]
    if not set("*?[") & set(key):
        return [StoredPlace(source, key)]
    with told(source):
        store = _store()
        store.invalidate_cache()
        found = store.glob(key)
    return [StoredPlace(source, match) for match in found]


@functools.cache
def _store(endpoint: str | None = None) -> Any:
    """The client, which looks for credentials in the environment and the usual files alone.

    Args:
        endpoint: where the store answers; what the environment names when None.
    """
    import s3fs
    from aiobotocore.session import AioSession

    session = AioSession()
    resolver = session.get_component("credential_provider")
    for provider in [provider.METHOD for provider in resolver.providers]:
        if provider not in _PROVIDERS:
            resolver.remove(provider)
    settings = {
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"max_attempts": 3},
        "request_checksum_calculation": "when_required",  # what is sent goes with its MD5, known beforehand
    }
    return s3fs.S3FileSystem(
        session=session,
        endpoint_url=endpoint,
        config_kwargs=settings,
        skip_instance_cache=True,
        default_cache_type="none",
        use_listings_cache=False,
    )


class _Held(NamedTuple):
    """One state of an object, which is all that may be read of it."""

    source: str
    key: str
    tag: str

    def between(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end` of one state of an object."""
        body = self._asked(f"bytes={start}-{end - 1}")
        with told(self.source):
            data: bytes = sync(_store().loop, body.read)
        if len(data) != end - start:
            raise changed_source(self.source, "an object that ends before its size")
        return data

    def beginning(self, start: int) -> Callable[[int], bytes]:
        """The bytes of one state of an object from a place on: a function that gives the next ones, and ends at -1."""
        body = self._asked(f"bytes={start}-")

        def following(count: int) -> bytes:
            if count < 0:
                body.close()
                return b""
            with told(self.source):
                data: bytes = sync(_store().loop, body.read, count)
            if not data:
                raise changed_source(self.source, "an object that ends before its size")
            return data

        return following

    def _asked(self, range_: str) -> Any:
        bucket, _, name = self.key.partition("/")
        match = {"IfMatch": f'"{self.tag}"'} if self.tag else {}
        with told(self.source):
            return _store().call_s3("get_object", Bucket=bucket, Key=name, Range=range_, **match)["Body"]
