"""Object stores that speak S3: objects as files, read in parts, and only from the endpoint that the environment names.

Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`) or from the
usual files (`~/.aws/credentials`, `AWS_PROFILE`), the endpoint from `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`;
every other place where the client would look for them, such as a cloud's metadata service, is closed. An object's
state is told by its size, time, tag (ETag) and version; each part is asked for with that tag, so that two states
never mix.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from fsspec.asyn import sync

from curator.addresses import Address
from curator.errors import SourceError
from curator.evidence import keyed_hash
from curator.files._snapshot import Identity, changed_source
from curator.files._words import Digests

SCHEMES = ("s3",)
_PROVIDERS = ("env", "shared-credentials-file", "config-file")
_PART = 4 << 20  # bytes of a stream taken at once
_SMALL = 1 << 18  # least bytes of a request: a Parquet footer and its length are one
_AHEAD = 3  # such parts on their way


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
            raise _missing(self._source, self.name)
        held = _Held(self._source, self._key, state.mark.partition(":")[0])
        fetch = held.between
        if parts:
            return _Parts(fetch, size=state.size, ends=self._ends, tag=held.tag)  # type: ignore[return-value] # a raw stream is one
        begin = held.beginning
        return _Stream(fetch, begin, size=state.size, ends=self._ends, tag=held.tag)  # type: ignore[return-value] # a raw stream is one

    def identity(self) -> Identity | None:
        """Size, time, tag and version of the object, asked of the store now."""
        with _told(self._source):
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

    def digests(self, key: bytes, *, plain: bool = True) -> Digests:
        """The store's own tag, and a keyed digest of it: the bytes are not read a second time for it."""
        state = self.identity()
        if state is None:
            raise FileNotFoundError(self.name)
        told = f"{state.size}:{state.mark}"
        keyed = keyed_hash(key)
        keyed.update(f"{self.address}:{told}".encode())
        return Digests(plain=f"etag:{hashlib.sha256(told.encode()).hexdigest()}", keyed=keyed.hexdigest())


def stored_places(source: str, address: Address) -> list[StoredPlace]:
    """The objects of an address; `*`, `?` and `[...]` as in a shell.

    Raises:
        SourceError: the store cannot be reached, refuses, or the libraries are absent.
    """
    key = address.text.partition("://")[2]
    if not set("*?[") & set(key):
        return [StoredPlace(source, key)]
    with _told(source):
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
    settings = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}
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
        with _told(self.source):
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
            with _told(self.source):
                data: bytes = sync(_store().loop, body.read, count)
            if not data:
                raise changed_source(self.source, "an object that ends before its size")
            return data

        return following

    def _asked(self, range_: str) -> Any:
        bucket, _, name = self.key.partition("/")
        match = {"IfMatch": f'"{self.tag}"'} if self.tag else {}
        with _told(self.source):
            return _store().call_s3("get_object", Bucket=bucket, Key=name, Range=range_, **match)["Body"]


class _Parts(io.RawIOBase):
    """An object of which parts are asked for, by several threads at once.

    Args:
        fetch: gives the bytes from one place to another.
        size: of the object.
        ends: last bytes of states of the object, by tag: whoever opens it again finds the footer there.
        tag: of this state.
    """

    def __init__(
        self, fetch: Callable[[int, int], bytes], *, size: int, ends: dict[str, tuple[int, bytes]], tag: str
    ) -> None:
        super().__init__()
        self._fetch, self._size, self._place = fetch, size, 0
        self._ends, self._tag = ends, tag
        self._small: tuple[int, bytes] = ends.get(tag, (0, b"")) if tag else (0, b"")

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        """Where it is."""
        return self._place

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        data = self.part(self._place, size)
        self._place += len(data)
        return data

    def readinto(self, target: Any) -> int:
        """Fill the buffer."""
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def part(self, start: int, size: int) -> bytes:
        """Some bytes from a place; short ones are kept for the next asker."""
        end = min(self._size, start + size) if size >= 0 else self._size
        if start >= end:
            return b""
        held_from, held = self._small
        if held_from <= start and end <= held_from + len(held):
            return held[start - held_from : end - held_from]
        if end - start >= _SMALL:
            return self._fetch(start, end)
        first = max(0, min(start, self._size - _SMALL))  # of the end of a file, what stands before it is asked for next
        held = self._fetch(first, min(self._size, first + _SMALL))
        self._small = (first, held)
        if first + len(held) == self._size:
            self._ends[self._tag] = self._small
        return held[start - first : end - first]


class _Stream(_Parts):
    """An object read from its start to its end by one request, the next bytes on their way while some are used.

    Whoever moves in it asks for parts, as of a zip's list of members.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        begin: Callable[[int], Any],
        *,
        size: int,
        ends: dict[str, tuple[int, bytes]],
        tag: str,
    ) -> None:
        super().__init__(fetch, size=size, ends=ends, tag=tag)
        self._begin, self._worker = begin, ThreadPoolExecutor(1)
        self._coming: deque[Future[bytes]] = deque()
        self._body: Any = None
        self._streamed, self._held = -1, memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        wanted = min(self._size - self._place, size if size >= 0 else self._size)
        if wanted <= 0:
            return b""
        if self._streamed != self._place:
            if self._size - self._place <= _SMALL:
                return super().read(size)
            self._restart()
        parts = []
        while wanted > 0:
            if not self._held:
                self._held = memoryview(self._next())
            part = bytes(self._held[:wanted])
            self._held = self._held[len(part) :]
            parts.append(part)
            self._place += len(part)
            wanted -= len(part)
        self._streamed = self._place
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Let go of what is on its way."""
        if not self.closed:
            self._worker.shutdown(cancel_futures=True)
            if self._body is not None:
                self._body(-1)
        super().close()

    def _restart(self) -> None:
        for job in self._coming:
            job.cancel()
        self._coming.clear()
        if self._body is not None:
            self._worker.submit(self._body, -1).result()
        self._held, self._body = memoryview(b""), self._worker.submit(self._begin, self._place).result()

    def _next(self) -> bytes:
        while len(self._coming) < _AHEAD:
            self._coming.append(self._worker.submit(self._body, _PART))
        return self._coming.popleft().result()


@contextmanager
def _told(source: str) -> Iterator[None]:
    """Turn the client's faults into curator's; what it says is dropped, for it names hosts and keys."""
    try:
        from botocore import exceptions as faults
    except ImportError:
        raise _absent(source) from None
    try:
        yield
    except (faults.NoCredentialsError, faults.PartialCredentialsError, faults.ProfileNotFound):
        raise _login(source, "no credentials, or half of them") from None
    except (faults.EndpointConnectionError, faults.ConnectionError, faults.HTTPClientError, faults.ConnectTimeoutError):
        raise _unreachable(source) from None
    except PermissionError:
        raise _login(source, "the store refuses these credentials, or what they ask for") from None
    except (faults.ClientError, OSError) as fault:
        raise _refused(source, fault) from None
    except ImportError:
        raise _absent(source) from None


def _refused(source: str, fault: Exception) -> SourceError:
    cause: Any = fault if hasattr(fault, "response") else fault.__cause__
    code = str(getattr(cause, "response", {}).get("Error", {}).get("Code", "")) if cause is not None else ""
    if (
        code in ("PreconditionFailed", "412", "InvalidRange", "NoSuchKey", "404")
        or "expired" in type(fault).__name__.lower()
    ):
        return changed_source(source, "an object that was written anew, or taken away")
    if code in ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"):
        return _login(source, "the store refuses these credentials, or what they ask for")
    if isinstance(fault, FileNotFoundError):
        return _missing(source, "the address")
    return SourceError(
        "store-fault",
        asked=f"read the source `{source}` from an object store",
        found=f"the store fails{f' with {code}' if code.isalnum() else ''} (its text is withheld: it may name more)",
        expected="an object that can be read",
        todo="run again; if it repeats, look into the log of the store",
    )


def _missing(source: str, name: str) -> SourceError:
    return SourceError(
        "source-missing",
        asked=f"read the source `{source}`",
        found=f"no object at {name}",
        expected="the object that the spec names",
        todo=f"correct the address, or give it with `--source {source}=s3://BUCKET/KEY`",
    )


def _login(source: str, found: str) -> SourceError:
    return SourceError(
        "store-login",
        asked=f"read the source `{source}` from an object store",
        found=found,
        expected="credentials that may read the object",
        todo="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE for a section of ~/.aws/credentials",
    )


def _unreachable(source: str) -> SourceError:
    return SourceError(
        "store-unreachable",
        asked=f"read the source `{source}` from an object store",
        found="no store that answers there",
        expected="an S3 server at the endpoint",
        todo="check AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL), the network, and whether the store runs",
    )


def _absent(source: str) -> SourceError:
    return SourceError(
        "driver-missing",
        asked=f"read the source `{source}` from an object store",
        found="no package s3fs",
        expected="the client of object stores",
        todo="install it with `pip install 'curator-capital[s3]'`",
    )
