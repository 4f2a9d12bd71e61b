"""Where secrets come from: the root, which lasts, and one secret for each epoch, which can be destroyed.

Keys derived from the root alone could be derived again for ever. So the keys of an epoch derive from the root *and* a
random secret of that epoch: `HMAC-SHA256(root, label | epoch secret)`. Without the root the secret gives nothing, and
once the secret is destroyed the root gives nothing: no token of the epoch can be made again, tested or opened
(crypto-shredding). A `KeyProvider` is all that the rest of curator knows of this; an adapter for PKCS#11 or a key
service keeps the secret inside and computes the same HMAC there.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from curator.edges.keys._files import flush_folder, malformed, read_secret, write_secret
from curator.edges.keys._root import MIN_BYTES, ROOT_VARIABLES, load_root
from curator.errors import SecretError

EPOCH_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
"""What an epoch may be called; also safe as a file name."""

_LABEL = b"curator/epoch-root/v1"
_VARIABLE = "CURATOR_EPOCH_KEY_{}"
_HEX = re.compile(r"[0-9a-fA-F]{64}")


class KeyProvider(Protocol):
    """Whoever holds the holder's secrets: `FileKeys`, `Pkcs11Keys`, or a class of the holder's own.

    A provider need not hand its secret over: `root` and `epoch_root` are what curator derives its keys from, and may be
    computed where the secret lies, by any keyed function that always gives the same 32 bytes for the same name.
    """

    @property
    def root_elsewhere(self) -> bool:
        """Whether the root secret is kept outside the workspace, so that none is written into it."""

    def root(self) -> bytes:
        """What outlives epochs derives from this: 32 bytes or more. Raises SecretError."""

    def epoch_root(self, name: str) -> bytes:
        """What all keys of an epoch derive from: 32 bytes. Raises SecretError `key-missing` when it is gone."""

    def has_epoch(self, name: str) -> bool:
        """Whether the secret of an epoch is here."""

    def create_epoch(self, name: str) -> None:
        """Draw the secret of a new epoch. Raises SecretError `key-exists`."""

    def check_destroyable(self, name: str) -> None:
        """Refuse, before anything is recorded, a secret that it cannot destroy. Raises SecretError."""

    def destroy_epoch(self, name: str) -> None:
        """Destroy the secret of an epoch for ever; nothing when it is gone already. Raises SecretError."""


@dataclass(frozen=True)
class FileKeys:
    """Secrets in files of mode 0600 below `keys`, or in the environment.

    The root is found by `load_root`. The secret of epoch E is in the variable CURATOR_EPOCH_KEY_E (upper case, dots
    and hyphens as underscores), else in `keys/epochs/E.key`; 64 hexadecimal digits.

    Attributes:
        private: the workspace's private folder.
        environ: the environment, usually `os.environ`.
    """

    private: Path
    environ: Mapping[str, str]

    def root(self) -> bytes:
        """See `load_root`."""
        return load_root(self.private, self.environ)

    @property
    def root_elsewhere(self) -> bool:
        """Whether the environment holds the root secret, or names its file."""
        return any(name in self.environ for name in ROOT_VARIABLES)

    def epoch_root(self, name: str) -> bytes:
        """HMAC-SHA256 (FIPS 198-1) of the epoch's secret under the root.

        Raises:
            SecretError: `key-missing`, `key-malformed`, `key-readable-by-others`, or as `root`.
        """
        return hmac.digest(self.root(), _LABEL + self._secret(name), "sha256")

    def has_epoch(self, name: str) -> bool:
        """Whether a file or variable of that name is there."""
        return self._variable(name) in self.environ or self._path(name).exists()

    def create_epoch(self, name: str) -> None:
        """Draw 32 bytes and write them, never over a file that is there; nothing where the environment holds them.

        Raises:
            SecretError: `key-exists`; `key-malformed` of what the environment holds.
        """
        if self._variable(name) in self.environ:
            self._secret(name)
            return
        data = secrets.token_bytes(MIN_BYTES).hex().encode("ascii") + b"\n"
        write_secret(self._path(name), data, what=f"the secret of epoch {name}")

    def destroy_epoch(self, name: str) -> None:
        """Write over the file, then remove it, and make that durable.

        Copies elsewhere (backups, snapshots, worn cells of a disk) are the holder's to destroy.

        Raises:
            SecretError: `key-held-elsewhere` when the environment holds it.
        """
        self.check_destroyable(name)
        path = self._path(name)
        if not path.exists():
            return
        with path.open("r+b", buffering=0) as stream:
            stream.write(secrets.token_bytes(os.fstat(stream.fileno()).st_size))
            os.fsync(stream.fileno())
        path.unlink()
        flush_folder(path.parent)

    def check_destroyable(self, name: str) -> None:
        """Refuse a secret that curator cannot destroy: SecretError `key-held-elsewhere`."""
        if self._variable(name) in self.environ:
            raise _held_elsewhere(name, self._variable(name))

    def _secret(self, name: str) -> bytes:
        variable, what = self._variable(name), f"the secret of epoch {name}"
        if variable in self.environ:
            return _parse(self.environ[variable], what, source=variable)
        data = read_secret(self._path(name), what=what)
        return _parse(data.decode("ascii", errors="replace"), what, source=f"{name}.key")

    def _path(self, name: str) -> Path:
        if not EPOCH_NAME.fullmatch(name):
            raise malformed("the secret of an epoch", "the key folder", found="a name that no epoch can have")
        return self.private / "keys" / "epochs" / f"{name}.key"

    @staticmethod
    def _variable(name: str) -> str:
        return _VARIABLE.format(re.sub("[^A-Z0-9]", "_", name.upper()))


def _parse(text: str, what: str, *, source: str) -> bytes:
    digits = text.strip(" \t\r\n")
    if not _HEX.fullmatch(digits):
        raise malformed(what, source, found="something that is not 64 hexadecimal digits")
    return bytes.fromhex(digits)


def _held_elsewhere(name: str, variable: str) -> SecretError:
    return SecretError(
        "key-held-elsewhere",
        asked=f"destroy the secret of epoch {name}",
        found=f"a secret that the environment gives ({variable})",
        expected="a secret in the workspace's own key folder, which curator can destroy",
        todo="destroy it where it is kept and take the variable away; then run the command again, to record it",
    )
