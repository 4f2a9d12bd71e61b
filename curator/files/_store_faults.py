"""What an object store refuses, in curator's words: its own name hosts and keys, and are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curator.errors import SourceError
from curator.files._snapshot import changed_source


@contextmanager
def told(source: str) -> Iterator[None]:
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
        return missing(source, "the address")
    return SourceError(
        "store-fault",
        asked=f"read the source `{source}` from an object store",
        found=f"the store fails{f' with {code}' if code.isalnum() else ''} (its text is withheld: it may name more)",
        expected="an object that can be read",
        todo="run again; if it repeats, look into the log of the store",
    )


def missing(source: str, name: str) -> SourceError:
    """The error of an object that is not there."""
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
