"""Evidence: what was done, by whom, from what, in a form that a stranger can check offline.

Each stage leaves one signed statement. A statement names its subjects (what it made), its inputs (what it read) and
the statements that it follows, all by digest; so the files of `evidence/` form a graph that can be walked back to the
source and that two branches of work can extend at once without conflict.

The formats are public ones: in-toto Statement v1 (https://in-toto.io/Statement/v1) inside a DSSE 1.0.2 envelope,
RFC 8785 canonical JSON, Ed25519 signatures (RFC 8032). Any DSSE tool verifies these files with the public key alone.
"""

from curator.evidence._envelope import (
    MAX_BYTES,
    PAYLOAD_TYPE,
    Envelope,
    Signer,
    keyid_of,
    open_envelope,
    peek_envelope,
    pre_authentication_encoding,
    sign_statement,
)
from curator.evidence._statement import (
    AGENT_NAME,
    KEYED,
    PLAIN,
    STATEMENT_TYPE,
    Artifact,
    Stage,
    Statement,
    format_time,
    is_digest,
    is_time,
    keyed_digest,
    keyed_hash,
)
from curator.evidence._store import MAKING, EvidenceStore

__all__ = [
    "AGENT_NAME",
    "KEYED",
    "MAKING",
    "MAX_BYTES",
    "PAYLOAD_TYPE",
    "PLAIN",
    "STATEMENT_TYPE",
    "Artifact",
    "Envelope",
    "EvidenceStore",
    "Signer",
    "Stage",
    "Statement",
    "format_time",
    "is_digest",
    "is_time",
    "keyed_digest",
    "keyed_hash",
    "keyid_of",
    "open_envelope",
    "peek_envelope",
    "pre_authentication_encoding",
    "sign_statement",
]
