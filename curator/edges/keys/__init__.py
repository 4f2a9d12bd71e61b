"""Keys: where they stand, who may read them, and what is locked with them.

The *root secret* is the holder's: every keyed pseudonym, order and digest derives from it, those of an epoch from it
and from a secret of that *epoch*, which can be destroyed. Each *agent* has an Ed25519
key to sign evidence with. *Sealed files* hold what must not be read at rest (rejected rows). All of them live in the
workspace's private folder, in files that only their owner can read; a key that others could have read is refused.
"""

from curator.edges.keys._agents import (
    HOLDER,
    AgentSigner,
    create_agent_key,
    load_signer,
    own_key,
    parse_public,
    public_pem,
    read_public,
)
from curator.edges.keys._epochs import EPOCH_NAME, FileKeys, KeyProvider
from curator.edges.keys._pkcs11 import Pkcs11Keys
from curator.edges.keys._provider import provider_of
from curator.edges.keys._root import create_root, has_root, load_root
from curator.edges.keys._sealed import CHUNK, SealedReader, SealedWriter, open_sealed, seal, unseal

__all__ = [
    "CHUNK",
    "EPOCH_NAME",
    "HOLDER",
    "AgentSigner",
    "FileKeys",
    "KeyProvider",
    "Pkcs11Keys",
    "SealedReader",
    "SealedWriter",
    "create_agent_key",
    "create_root",
    "has_root",
    "load_root",
    "load_signer",
    "open_sealed",
    "own_key",
    "parse_public",
    "provider_of",
    "public_pem",
    "read_public",
    "seal",
    "unseal",
]
