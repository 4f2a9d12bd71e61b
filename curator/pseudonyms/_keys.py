"""Keys: one root secret, one derived key for each context, usage and domain, none of which leads back to the root."""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass, fields

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from curator.canonical import canonical_json
from curator.errors import SecretError

KEY_BYTES = 32
"""Length of every derived key, and the least length of a root: 256 bits (AES-256)."""

# Both labels are part of every token ever given: a change is a new version, never an edit.
_SALT = b"curator/key-derivation/v1"
_ID_LABEL = b"curator/key-id/v1"


@dataclass(frozen=True)
class KeyContext:
    """For whom, why and when a key is derived: change one field and every token changes.

    Attributes:
        holder: the organisation that holds the rows and the root key.
        purpose: what the tokens are for, as the use case names it.
        recipient: who receives them; two recipients never share a key, so their packages cannot be joined.
        epoch: the period of validity, for example a year; a new epoch cuts the link with the former one.

    Raises:
        SecretError: `key-context-missing` when a field is not a text, is empty or is only white space.
    """

    holder: str
    purpose: str
    recipient: str
    epoch: str

    def __post_init__(self) -> None:
        for part in fields(self):
            _require_text(part.name, getattr(self, part.name))


def derive_key(root: bytes, context: KeyContext, *, usage: str, domain: str) -> bytes:
    """Derive the key of one usage and domain by HKDF-SHA256 (RFC 5869).

    The `info` input is the RFC 8785 JSON of all six parts, each in Unicode form NFC, so no two contexts can be spelled
    alike and one context spelled in two Unicode forms is one. The salt is a fixed, versioned label.

    Args:
        root: the holder's secret, at least 32 bytes of high entropy (not a pass phrase).
        context: holder, purpose, recipient and epoch.
        usage: what the key does: "token", "order", "split", "quarantine" or "source-digest". Keys of two usages are
            independent, so a row's place in a file says nothing about its token.
        domain: the kind of value, for example "person": one domain for every column that must join.

    Returns:
        32 bytes.

    Raises:
        SecretError: `key-too-short` when the root has fewer than 32 bytes; `key-context-missing` when usage or domain
            is empty.
    """
    if len(root) < KEY_BYTES:
        raise SecretError(
            "key-too-short",
            asked="derive a key from the root key",
            found=f"a root key of {len(root)} bytes",
            expected=f"at least {KEY_BYTES} bytes of random data",
            todo="create a new root key of 32 random bytes and keep it with the holder",
        )
    parts = {part.name: getattr(context, part.name) for part in fields(context)}
    parts |= {"usage": _require_text("usage", usage), "domain": _require_text("domain", domain)}
    info = canonical_json({name: unicodedata.normalize("NFC", text) for name, text in parts.items()})
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=_SALT, info=info).derive(root)


def derive_siv_key(root: bytes, context: KeyContext, *, domain: str) -> bytes:
    """Derive the two keys of AES-SIV (RFC 5297) for one domain: 64 bytes, the first half for its CMAC.

    Two derivations of `derive_key`, usages "token-siv-mac" and "token-siv-stream", so neither half is ever a key of
    another method. Arguments and errors as there; its id is that of the first half.
    """
    halves = [derive_key(root, context, usage=usage, domain=domain) for usage in ("token-siv-mac", "token-siv-stream")]
    return b"".join(halves)


def key_id(key: bytes) -> str:
    """Name a key without showing it: 16 hexadecimal characters, the first 8 bytes of HMAC-SHA256(key, fixed label).

    The output of a pseudo-random function under the key itself: it finds neither the key (that would need a search over
    2**256 keys) nor any token (a token is AES-CMAC, another function). It only says that two records used one key. It
    proves nothing when the key is guessable, so it is for derived keys, never for a pass phrase.

    Args:
        key: a derived key of 32 bytes.

    Raises:
        SecretError: `key-length-wrong` when the key is not 32 bytes.
    """
    require_key(key, asked="name a key")
    return hmac.digest(key, _ID_LABEL, "sha256")[:8].hex()


def require_key(key: bytes, *, asked: str) -> None:
    """Refuse a key that is not 32 bytes: SecretError `key-length-wrong`."""
    if len(key) != KEY_BYTES:
        raise SecretError(
            "key-length-wrong",
            asked=asked,
            found=f"a key of {len(key)} bytes",
            expected=f"exactly {KEY_BYTES} bytes",
            todo="pass a key made by curator.pseudonyms.derive_key",
        )


def _require_text(name: str, value: object) -> str:
    """The value when it is a text that says something, else SecretError `key-context-missing`."""
    if isinstance(value, str) and value.strip() and _is_unicode(value):
        return value
    raise SecretError(
        "key-context-missing",
        asked="derive a key for one context",
        found=f"no usable {name}" if isinstance(value, str) else f"{name} of type {type(value).__name__}",
        expected="holder, purpose, recipient, epoch, usage and domain, each a text that is not empty",
        todo=f"state the {name} of this key",
    )


def _is_unicode(text: str) -> bool:
    """False for a text with lone surrogates, which no encoding can write."""
    return not any("\ud800" <= mark <= "\udfff" for mark in text)
