"""Whole objects of a store that speaks S3, written so that none is seen before it is whole, and read from end to end.

A large object goes in parts (a multipart upload), of which the store shows nothing until they are completed; a small
one goes in one request. Memory holds one part for each transfer, whatever the object's size.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fsspec.asyn import sync

from curator.errors import CuratorError
from curator.files._stores import _store

PART = 32 << 20  # bytes of one request: a shard is one or two; S3 takes parts from 5 MiB on, and 10,000 of them
_MOST_PARTS = 10_000
_BLOCK = 8 << 20  # bytes of a reading
_AHEAD = 2  # blocks of a reading that are on their way

Refusal = Callable[[str], CuratorError]


@dataclass
class Upload:
    """An object on its way: its parts are in the store, which shows nothing of it before it is completed."""

    key: str
    number: str
    parts: list[dict[str, Any]] = field(default_factory=list)


class ObjectStore:
    """The objects below one prefix of one bucket.

    Args:
        bucket, prefix: where keys start; the prefix is empty or ends with `/`.
        endpoint: where the store answers; what the environment names when None.
        refusal: makes the error of a fault told in a few words, neither host nor key among them.
    """

    def __init__(self, bucket: str, *, prefix: str, refusal: Refusal, endpoint: str | None = None) -> None:
        self._bucket, self._prefix, self._endpoint, self._refusal = bucket, prefix, endpoint, refusal

    @property
    def address(self) -> str:
        """Endpoint, bucket and prefix: what tells it from other stores."""
        return f"{self._endpoint or ''} {self._bucket} {self._prefix}"

    def size(self, name: str) -> int | None:
        """Bytes of an object; None when there is none."""
        with _told(self._refusal):
            try:
                return int(self._call("head_object", Key=self._prefix + name)["ContentLength"])
            except FileNotFoundError:
                return None

    def put(self, name: str, data: bytes, *, md5: str | None = None) -> None:
        """Write a small object in one request: it is there whole, or not at all; `md5` where it is known."""
        digest = _encoded(bytes.fromhex(md5)) if md5 else _content_md5(data)
        with _told(self._refusal):
            self._call("put_object", Key=self._prefix + name, Body=data, ContentMD5=digest)

    def begin(self, name: str, path: Path, *, md5: str, begun: Callable[[Upload], None]) -> Upload:
        """Send a file's parts; the object appears when `complete` says so.

        The store refuses a part that is not what its MD5 says (RFC 1864): that of the whole file is known.

        Args:
            name: of the object.
            path: of the file.
            md5: of the file, hexadecimal.
            begun: called with the upload before the first part.

        Raises:
            OSError: of the file.
        """
        with _told(self._refusal):
            key = self._prefix + name
            upload = Upload(key, self._call("create_multipart_upload", Key=key)["UploadId"])
        try:
            begun(upload)
            with path.open("rb") as stream:
                whole = path.stat().st_size
                size = max(PART, -(-whole // _MOST_PARTS))
                for number, block in enumerate(iter(lambda: stream.read(size), b""), start=1):
                    digest = _encoded(bytes.fromhex(md5)) if len(block) == whole else _content_md5(block)
                    upload.parts.append(
                        {"PartNumber": number, "ETag": self._part(upload, number, block=block, md5=digest)}
                    )
        except BaseException:
            self.abandon(upload)
            raise
        return upload

    def _part(self, upload: Upload, number: int, *, block: bytes, md5: str) -> str:
        with _told(self._refusal):
            asked = {"Key": upload.key, "UploadId": upload.number, "PartNumber": number, "Body": block}
            return str(self._call("upload_part", **asked, ContentMD5=md5)["ETag"])

    def complete(self, upload: Upload) -> None:
        """Let an object appear."""
        with _told(self._refusal):
            parts = {"Parts": upload.parts}
            self._call("complete_multipart_upload", Key=upload.key, UploadId=upload.number, MultipartUpload=parts)

    def abandon(self, upload: Upload) -> bool:
        """Take back the parts of an object that is not to appear; whether the store has none of them any more."""
        try:
            with _told(self._refusal):
                self._call("abort_multipart_upload", Key=upload.key, UploadId=upload.number)
        except FileNotFoundError:
            return True
        except CuratorError as fault:
            return "NoSuchUpload" in fault.found
        return True

    def blocks(self, name: str) -> Iterator[bytes]:
        """An object's bytes from start to end, the next ones on their way while some are used.

        Raises FileNotFoundError when there is none.
        """
        store = _store(self._endpoint)
        with _told(self._refusal):
            body = self._call("get_object", Key=self._prefix + name)["Body"]

        def following() -> bytes:
            with _told(self._refusal):
                data: bytes = sync(store.loop, body.read, _BLOCK)
                return data

        with ThreadPoolExecutor(1) as worker:
            try:
                coming = [worker.submit(following) for _ in range(_AHEAD)]
                while block := coming.pop(0).result():
                    coming.append(worker.submit(following))
                    yield block
            finally:
                worker.submit(body.close).result()

    def _call(self, method: str, **arguments: Any) -> Any:
        return _store(self._endpoint).call_s3(method, Bucket=self._bucket, **arguments)


def _content_md5(data: bytes) -> str:
    return _encoded(hashlib.md5(data, usedforsecurity=False).digest())


def _encoded(digest: bytes) -> str:
    return base64.standard_b64encode(digest).decode("ascii")


@contextmanager
def _told(refusal: Refusal) -> Iterator[None]:
    """Turn the client's faults into the caller's; what the client says is dropped, for it names hosts and keys."""
    try:
        from botocore import exceptions as faults
    except ImportError:
        raise refusal("no package s3fs: `pip install 'curator-capital[s3]'`") from None
    try:
        yield
    except FileNotFoundError:
        raise
    except ImportError:
        raise refusal("no package s3fs: `pip install 'curator-capital[s3]'`") from None
    except (faults.NoCredentialsError, faults.PartialCredentialsError, faults.ProfileNotFound):
        raise refusal("no credentials in the environment, or half of them") from None
    except PermissionError:
        raise refusal("the store refuses these credentials, or what they ask for") from None
    except (faults.EndpointConnectionError, faults.ConnectionError, faults.HTTPClientError):
        raise refusal("no store that answers there") from None
    except (faults.BotoCoreError, faults.ClientError, OSError) as fault:
        raise refusal(f"the store fails{_code(fault)} (its text is withheld: it may name more)") from None


def _code(fault: BaseException) -> str:
    cause: Any = fault if hasattr(fault, "response") else fault.__cause__
    code = str(getattr(cause, "response", {}).get("Error", {}).get("Code", "")) if cause is not None else ""
    return f" with {code}" if code.isalnum() else ""
