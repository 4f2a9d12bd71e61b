"""Which provider holds the secrets: a PKCS#11 token when the environment names its library, else files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from curator.edges.keys._epochs import FileKeys, KeyProvider
from curator.edges.keys._pkcs11 import MODULE, Pkcs11Keys


def provider_of(private: Path, environ: Mapping[str, str]) -> KeyProvider:
    """The provider of a workspace's secrets.

    Args:
        private: the workspace's private folder.
        environ: the environment, usually `os.environ`.

    Raises:
        SecretError: `key-provider`, `key-missing`, when a token is named but not wholly.
    """
    return Pkcs11Keys.from_environ(environ) if environ.get(MODULE) else FileKeys(private, environ)
