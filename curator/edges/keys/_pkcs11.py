"""Secrets in a hardware module or any other PKCS#11 token (OASIS PKCS #11 v2.40 and later): the root never leaves it.

The token holds one generic secret for the holder and one for each epoch, neither of which can be read out. It computes
HMAC-SHA256 with them (CKM_SHA256_HMAC, FIPS 198-1), and curator derives its keys from what comes out:

    root           = HMAC(root key, label of roots)
    root of epoch  = HMAC(root key, label of epochs | HMAC(key of the epoch, label of epochs))

So the process holds, while it runs, keys of its own and never the token's; without the root key an epoch's gives
nothing, and once an epoch's object is destroyed nobody can compute its keys again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curator.edges.keys._files import malformed, missing, read_secret
from curator.errors import SecretError

MODULE = "CURATOR_PKCS11_MODULE"
"""The variable that names the module's library, and chooses this provider."""

_TOKEN, _PIN, _PIN_FILE = "CURATOR_PKCS11_TOKEN", "CURATOR_PKCS11_PIN", "CURATOR_PKCS11_PIN_FILE"
_ROOT_OBJECT, _EPOCH_OBJECT = "curator-root", "curator-epoch-{}"
_ROOT_LABEL, _EPOCH_LABEL = b"curator/pkcs11-root/v1", b"curator/pkcs11-epoch/v1"
_BITS = 256


@dataclass(frozen=True)
class Pkcs11Keys:
    """A `KeyProvider` whose secrets stay in a PKCS#11 token; see the module.

    Attributes:
        module: the vendor's library.
        token: label of the token.
        pin: of its user; never shown.
    """

    module: str
    token: str
    pin: str = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Pkcs11Keys:
        """From CURATOR_PKCS11_MODULE, CURATOR_PKCS11_TOKEN, and CURATOR_PKCS11_PIN or the file CURATOR_PKCS11_PIN_FILE.

        Raises:
            SecretError: `key-missing`, `key-readable-by-others` and others of the file; `key-provider` without a token.
        """
        if not environ.get(_TOKEN):
            raise _failed("find the token of the key provider", f"no {_TOKEN}")
        if _PIN in environ:
            return cls(environ[MODULE], environ[_TOKEN], environ[_PIN])
        if _PIN_FILE not in environ:
            raise missing("the PIN of the key provider", f"{_PIN} and no {_PIN_FILE}")
        pin = read_secret(Path(environ[_PIN_FILE]), what="the PIN of the key provider")
        return cls(environ[MODULE], environ[_TOKEN], pin.decode("utf-8", "replace").strip("\r\n"))

    @property
    def root_elsewhere(self) -> bool:
        """True: no root secret is written here."""
        return True

    def root(self) -> bytes:
        """32 bytes computed in the token. Raises SecretError `key-missing`, `key-provider`."""
        with self._session() as session:
            return self._hmac(session, _ROOT_OBJECT, message=_ROOT_LABEL)

    def epoch_root(self, name: str) -> bytes:
        """32 bytes computed in the token. Raises SecretError as `root`."""
        with self._session() as session:
            inner = self._hmac(session, _EPOCH_OBJECT.format(name), message=_EPOCH_LABEL)
            return self._hmac(session, _ROOT_OBJECT, message=_EPOCH_LABEL + inner)

    def has_epoch(self, name: str) -> bool:
        """Whether the token has the epoch's object."""
        with self._session() as session:
            return self._find(session, _EPOCH_OBJECT.format(name)) is not None

    def create_root(self) -> None:
        """Draw the holder's secret inside the token. Raises SecretError `key-exists`."""
        self._create(_ROOT_OBJECT, what="the root secret")

    def create_epoch(self, name: str) -> None:
        """Draw the secret of an epoch inside the token. Raises SecretError `key-exists`."""
        self._create(_EPOCH_OBJECT.format(name), what=f"the secret of epoch {name}")

    def check_destroyable(self, name: str) -> None:
        """Nothing: the token destroys its own objects."""

    def destroy_epoch(self, name: str) -> None:
        """Destroy the epoch's object; copies of the token are the holder's to destroy."""
        with self._session(write=True) as session:
            found = self._find(session, _EPOCH_OBJECT.format(name))
            if found is not None:
                found.destroy()

    @contextmanager
    def _session(self, *, write: bool = False) -> Iterator[Any]:
        """A session with the token; what goes wrong in it is told without what was asked of it."""
        try:
            import pkcs11
            from pkcs11.exceptions import PKCS11Error
        except ModuleNotFoundError as fault:
            raise _failed("use the key provider", "python-pkcs11 is not installed") from fault
        try:
            token = pkcs11.lib(self.module).get_token(token_label=self.token)
            with token.open(rw=write, user_pin=self.pin) as session:
                yield session
        except (PKCS11Error, RuntimeError, OSError) as fault:
            raise _failed(f"use the token {self.token!r}", type(fault).__name__) from None

    @staticmethod
    def _find(session: Any, label: str) -> Any:
        from pkcs11 import Attribute, ObjectClass

        found = list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label}))
        if len(found) > 1:
            raise malformed("a secret", "the token", found="two objects of one label")
        return found[0] if found else None

    def _hmac(self, session: Any, label: str, *, message: bytes) -> bytes:
        from pkcs11 import Mechanism

        key = self._find(session, label)
        if key is None:
            raise missing("a secret", f"object {label} in the token")
        return bytes(key.sign(message, mechanism=Mechanism.SHA256_HMAC))

    def _create(self, label: str, *, what: str) -> None:
        from pkcs11 import Attribute, KeyType

        with self._session(write=True) as session:
            if self._find(session, label) is not None:
                raise SecretError(
                    "key-exists",
                    asked=f"create {what}",
                    found=f"{label} exists already in the token",
                    expected="no object of that label: a key is never overwritten",
                    todo="choose another name, or keep using the key that is there",
                )
            session.generate_key(
                KeyType.GENERIC_SECRET, _BITS, label=label, store=True,
                template={
                    Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True,
                    Attribute.ENCRYPT: False, Attribute.DECRYPT: False, Attribute.WRAP: False, Attribute.UNWRAP: False,
                },
            )  # fmt: skip


def _failed(asked: str, found: str) -> SecretError:
    return SecretError(
        "key-provider",
        asked=asked,
        found=found,
        expected="a library that opens, a token of that label, its PIN, and `pip install curator-capital[pkcs11]`",
        todo=f"look at {MODULE}, {_TOKEN} and the PIN; `pkcs11-tool --list-slots` shows what the library sees",
    )
