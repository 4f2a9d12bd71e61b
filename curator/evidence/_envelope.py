"""The envelope: a statement under its signature, as one small file whose name is its digest (DSSE 1.0.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from curator.canonical import canonical_json, sha256_bytes
from curator.errors import IntegrityError
from curator.evidence._statement import Statement, exact, invalid, is_digest, text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 4_000_000
"""Largest envelope read or written, in bytes."""

_SMALL = 32_768  # bytes of a payload that is remembered once it was read
_MAX_DEPTH = 32
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)


class Signer(Protocol):
    """Whoever can sign for an agent; `curator.edges.keys` gives one that holds a key file."""

    @property
    def name(self) -> str:
        """The agent's name."""

    @property
    def keyid(self) -> str:
        """SHA-256 of the raw public key, hexadecimal."""

    @property
    def public(self) -> bytes:
        """The raw Ed25519 public key, 32 bytes."""

    def sign(self, message: bytes, /) -> bytes:
        """The Ed25519 signature of `message`, 64 bytes (RFC 8032)."""


@dataclass(frozen=True)
class Envelope:
    """A statement and the exact bytes of the file that carries it.

    Attributes:
        statement: what is said.
        data: the file: DSSE JSON in canonical form, one signature.
    """

    statement: Statement
    data: bytes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal: the name under which later statements follow this one."""
        return sha256_bytes(self.data)

    @property
    def path(self) -> str:
        """Where the file stands in a workspace: `evidence/ab/<digest>.json`."""
        return f"evidence/{self.digest[:2]}/{self.digest}.json"


def keyid_of(public: bytes) -> str:
    """The key id of a raw 32-byte Ed25519 public key: its SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: PAE of DSSE 1.0.2, lengths in bytes, so no two pairs encode alike."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_statement(statement: Statement, signer: Signer) -> Envelope:
    """Sign a statement and give the file to store.

    Raises:
        IntegrityError: `statement-invalid`, when the statement names another agent or key than the signer's, nests
            deeper than 32 levels or makes a file of more than 4 MB.
    """
    if (statement.agent, statement.keyid) != (signer.name, signer.keyid):
        raise invalid("a statement that names another agent or key than its signer's")
    payload = statement.to_bytes()
    strict_json(payload)
    signature = signer.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    data = _encode(payload, keyid=signer.keyid, signature=signature)
    _check_size(data)
    return Envelope(statement, data)


def open_envelope(data: bytes, keys: Mapping[str, bytes]) -> Envelope:
    """Verify an envelope, then read it; nothing of the payload is parsed before its signature holds.

    Args:
        data: the bytes of the file.
        keys: raw 32-byte Ed25519 public keys by key id, the only signers believed.

    Raises:
        IntegrityError: `signer-unknown` when the key id is not in `keys`; `signature-invalid` when the signature does
            not hold; `statement-invalid` for any other fault: too large, not canonical, unknown or missing keys,
            several signatures, an agent's key id other than the signing key's.
    """
    payload, keyid, signature = _decode(data)
    public = keys.get(keyid)
    if public is None or keyid_of(public) != keyid:
        raise _signer_unknown(keyid)
    if not _verifies(public, signature=signature, message=pre_authentication_encoding(PAYLOAD_TYPE, payload)):
        raise _signature_invalid(keyid)
    return Envelope(_read_payload(payload, keyid), data)


def peek_envelope(data: bytes) -> Envelope:
    """Read an envelope WITHOUT verifying its signature: to find which keys are needed, never to believe it.

    Raises:
        IntegrityError: `statement-invalid`, as `open_envelope`.
    """
    payload, keyid, _ = _decode(data)
    return Envelope(_read_payload(payload, keyid), data)


def strict_json(data: bytes) -> Any:
    """JSON values of UTF-8 bytes nesting at most 32 levels. Raises IntegrityError otherwise.

    The depth is counted before parsing, in one pass, so that a hostile file costs no recursion. Canonical form is
    checked by the callers, who write the values again: that refuses repeated keys, other spellings and spaces.
    """
    try:
        source = data.decode("utf-8")
        if _too_deep(source):
            raise invalid(f"more than {_MAX_DEPTH} levels of nesting")
        return json.loads(source)
    except (ValueError, RecursionError) as fault:
        raise invalid("bytes that are not JSON") from fault


def _too_deep(source: str) -> bool:
    if source.count("[") + source.count("{") <= _MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKEN.finditer(source):
        mark = token[0]
        depth += (mark in "[{") - (mark in "]}") if len(mark) == 1 else 0
        if depth > _MAX_DEPTH:
            return True
    return False


def _encode(payload: bytes, *, keyid: str, signature: bytes) -> bytes:
    return canonical_json(
        {
            "payload": base64.standard_b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keyid, "sig": base64.standard_b64encode(signature).decode("ascii")}],
        }
    )


def _decode(data: bytes) -> tuple[bytes, str, bytes]:
    """Payload, key id and signature of an envelope in the one form that we write."""
    _check_size(data)
    outer = exact(strict_json(data), {"payload", "payloadType", "signatures"}, what="an envelope")
    signatures = outer["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise invalid("an envelope without exactly one signature")
    signature = exact(signatures[0], {"keyid", "sig"}, what="a signature")
    payload, raw, keyid = _unbase64(outer["payload"]), _unbase64(signature["sig"]), text(signature["keyid"])
    if not is_digest(keyid) or _encode(payload, keyid=keyid, signature=raw) != data:
        raise invalid("an envelope of another payload type or key id, or not in canonical form")
    return payload, keyid, raw


def _read_payload(payload: bytes, keyid: str) -> Statement:
    """The statement of a payload; one that was read before is not read again, for statements never change."""
    return (_remembered if len(payload) <= _SMALL else _understood)(payload, keyid)


def _understood(payload: bytes, keyid: str) -> Statement:
    statement = Statement.from_payload(strict_json(payload))
    if statement.to_bytes() != payload:
        raise invalid("a payload that is not in canonical form")
    if statement.keyid != keyid:
        raise invalid("a statement that names another key than the one that signs it")
    return statement


_remembered = lru_cache(maxsize=1024)(_understood)


def _check_size(data: bytes) -> None:
    if not 0 < len(data) <= MAX_BYTES:
        raise invalid("an empty file" if not data else f"more than {MAX_BYTES:,} bytes")


def _unbase64(raw: Any) -> bytes:
    try:
        return base64.b64decode(text(raw).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise invalid("a payload or signature that is not base64") from fault


def _verifies(public: bytes, *, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        _public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _public_key(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)


def _signer_unknown(keyid: str) -> IntegrityError:
    return IntegrityError(
        "signer-unknown",
        asked="verify a signed statement",
        found=f"a signature by the key {keyid[:16]}..., which is none of the agents' keys",
        expected="a signature by a key that the holder's directory of agents lists or listed",
        todo="check that you verify with the right holder's public key; if so, treat the file as foreign",
    )


def _signature_invalid(keyid: str) -> IntegrityError:
    return IntegrityError(
        "signature-invalid",
        asked="verify a signed statement",
        found=f"bytes that the key {keyid[:16]}... did not sign",
        expected="the bytes exactly as they were signed (Ed25519 over the DSSE encoding)",
        todo="restore the file from Git or ask its sender again; do not use what it describes until it verifies",
    )
