"""Agents' signing keys: Ed25519 (RFC 8032), private as PKCS#8 PEM (RFC 5958), public as SubjectPublicKeyInfo PEM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curator.edges.keys._files import malformed, read_secret, write_secret
from curator.errors import SecretError
from curator.evidence import AGENT_NAME, keyid_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HOLDER = "holder"
"""The agent whose key is the workspace's own: its public half is published as `holder.pub`."""

_FILE = "CURATOR_SIGNING_KEY_FILE"
_MAX_PUBLIC = 16_384


@dataclass(frozen=True, kw_only=True)
class AgentSigner:
    """An agent's key, ready to sign. Its printed form shows the name and key id only.

    Attributes:
        name: the agent.
        public: raw Ed25519 public key, 32 bytes.
        keyid: SHA-256 of `public`, hexadecimal.
    """

    name: str
    public: bytes = field(repr=False)
    keyid: str
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, message: bytes, /) -> bytes:
        """The Ed25519 signature of `message`, 64 bytes; the same message always gives the same one (RFC 8032)."""
        return self._key.sign(message)


def create_agent_key(private: Path, name: str) -> bytes:
    """Draw a key for an agent and write it to `keys/agents/NAME.pem`, mode 0600, never over an existing one.

    Args:
        private: the workspace's private folder.
        name: of the agent, `[a-z0-9][a-z0-9.-]{0,63}`.

    Returns:
        The raw public key, 32 bytes.

    Raises:
        SecretError: `key-exists`, or `key-malformed` for a name of another form.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = _path(private, name)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(path, pem, what=f"the signing key of {name}")
    return key.public_key().public_bytes_raw()


def own_key(private: Path, name: str) -> bytes:
    """The raw public key of an agent whose key lies here, drawn when there is none yet.

    A key that lies here although nobody is listed with it was drawn by a command that was cut short.

    Raises:
        SecretError: as `create_agent_key` and `load_signer`.
    """
    if _path(private, name).exists():
        return load_signer(private, name, environ={}).public
    return create_agent_key(private, name)


def load_signer(private: Path, name: str, *, environ: Mapping[str, str]) -> AgentSigner:
    """The signer of an agent: from the file CURATOR_SIGNING_KEY_FILE, else `keys/agents/NAME.pem`.

    Args:
        private: the workspace's private folder.
        name: of the agent.
        environ: the environment, usually `os.environ`.

    Raises:
        SecretError: `key-missing`, `key-readable-by-others`, `key-malformed` (not an unencrypted Ed25519 key in PEM).
    """
    path = _path(private, name)
    if _FILE in environ:
        path = Path(environ[_FILE])
    key = _parse_private(read_secret(path, what=f"the signing key of {name}"), path.name)
    public = key.public_key().public_bytes_raw()
    return AgentSigner(name=name, public=public, keyid=keyid_of(public), _key=key)


def public_pem(public: bytes) -> bytes:
    """SubjectPublicKeyInfo PEM (RFC 8410) of a raw Ed25519 public key: what `holder.pub` holds.

    Raises:
        SecretError: `key-malformed`, when it is not 32 bytes.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(public)
    except ValueError as fault:
        raise _not_public("the key given") from fault
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_public(path: Path) -> bytes:
    """The raw 32-byte Ed25519 public key in a PEM file such as `holder.pub`.

    Raises:
        SecretError: `key-missing`, or `key-malformed` when it holds anything else.
    """
    if not path.is_file():
        raise SecretError(
            "key-missing",
            asked="read a public key",
            found=f"no file {path.name} there",
            expected="the path of a public key in PEM, such as the `holder.pub` of the one who sent a package",
            todo="check the path; ask the holder for `holder.pub`, and compare its keyid by another way",
        )
    if path.stat().st_size > _MAX_PUBLIC:
        raise _not_public(path.name)
    return parse_public(path.read_bytes(), source=path.name)


def parse_public(data: bytes, *, source: str = "the key given") -> bytes:
    """The raw 32-byte Ed25519 public key in PEM bytes.

    Args:
        data: SubjectPublicKeyInfo PEM (RFC 8410).
        source: where they come from, for messages.

    Raises:
        SecretError: `key-malformed`: not PEM, another algorithm, or a private key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise _not_public(source) from fault
    if not isinstance(key, Ed25519PublicKey):
        raise _not_public(source)
    return key.public_bytes_raw()


def _path(private: Path, name: str) -> Path:
    if not AGENT_NAME.fullmatch(name):
        raise SecretError(
            "key-malformed",
            asked="find the signing key of an agent",
            found="a name that no agent can have",
            expected="1 to 64 of a-z, 0-9, dot and hyphen, beginning with a letter or digit",
            todo="give the agent's name as `curator agent list` shows it",
        )
    return private / "keys" / "agents" / f"{name}.pem"


def _parse_private(data: bytes, source: str) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        # The cause is cut off: a parser's message may quote what it read.
        raise malformed("a signing key", source, found=f"no readable key ({type(fault).__name__})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise malformed("a signing key", source, found="a key of another algorithm")
    return key


def _not_public(source: str) -> SecretError:
    return SecretError(
        "key-malformed",
        asked=f"read a public key from {source}",
        found="something else than an Ed25519 public key",
        expected="a PEM file beginning with -----BEGIN PUBLIC KEY-----, as `holder.pub`",
        todo="ask the holder for `holder.pub`, and check it by another way than the one the package came by",
    )
