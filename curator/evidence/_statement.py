"""The statement: the words of one piece of evidence, and their in-toto form."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from curator.canonical import Json, canonical_json
from curator.errors import IntegrityError, SecretError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

PLAIN = "sha256"
"""Digest of bytes that may be known outside: files of a version, packages, specs, models."""

KEYED = "curatorHmacSha256"
"""Digest of raw sources, under a key of the holder: a plain digest of raw data would confirm a guess."""

AGENT_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
"""What an agent may be called; also safe as a file name."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_ARTIFACT_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,512}")
_BLOCK = 1 << 20
_KEY_BYTES = 32
_URN = "urn:curator:evidence:"


class Stage(StrEnum):
    """What happened; the closed list of statements that exist."""

    INIT = "init"
    AGENTS = "agents"
    EXTRACT = "extract"
    CHECK = "check"
    PROTECT = "protect"
    COMMIT = "commit"
    TRAIN = "train"
    PACKAGE = "package"
    REQUEST = "request"
    REVIEW = "review"
    DELIVER = "deliver"
    RECEIVE = "receive"
    RECALL = "recall"
    KEYS = "keys"
    REVEAL = "reveal"


@dataclass(frozen=True, order=True)
class Artifact:
    """Something that a statement is about or was made from.

    Attributes:
        name: how people call it (`road-accidents@1.0.0`, a file name); 1 to 512 characters, no control character.
        digest: 64 lower-case hexadecimal digits.
        algorithm: `sha256`, or `curatorHmacSha256` for raw sources (see `keyed_digest`).

    Raises:
        IntegrityError: `statement-invalid`, when one of them is not so.
    """

    name: str
    digest: str
    algorithm: str = PLAIN

    def __post_init__(self) -> None:
        if not _ARTIFACT_NAME.fullmatch(self.name):
            raise invalid("an artifact whose name is empty, too long or not plain text")
        if not is_digest(self.digest):
            raise invalid("an artifact whose digest is not 64 lower-case hexadecimal digits")
        if self.algorithm not in (PLAIN, KEYED):
            raise invalid("an artifact with an unknown digest algorithm")

    def to_descriptor(self) -> dict[str, Json]:
        """The in-toto ResourceDescriptor v1."""
        return {"name": self.name, "digest": {self.algorithm: self.digest}}

    @classmethod
    def from_descriptor(cls, raw: Any) -> Artifact:
        """Read a ResourceDescriptor holding a name and exactly one digest. Raises IntegrityError otherwise."""
        descriptor = exact(raw, {"name", "digest"}, what="an artifact")
        digest = descriptor["digest"]
        if not isinstance(digest, dict) or len(digest) != 1:
            raise invalid("an artifact without exactly one digest")
        ((algorithm, value),) = digest.items()
        return cls(text(descriptor["name"]), text(value), algorithm)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One signed sentence: this agent did this stage at this time, making these subjects from these inputs.

    Attributes:
        stage: what happened; decides the predicate type `urn:curator:evidence:<stage>:1`.
        subjects: what was made or judged; at least one, each name once.
        inputs: what was read; each once.
        previous: digests of the statements that this one follows; kept sorted, each once.
        agent: name of who signs.
        keyid: SHA-256 of the raw public key that signs.
        time: RFC 3339, UTC, whole seconds (`2026-01-31T08:00:00Z`); the signer's word, not a proof of time.
        facts: further JSON facts of the stage. They are kept as RFC 8785 reads them back: tuples become lists and
            `1.0` becomes `1`. Never a cell value.

    Raises:
        IntegrityError: `statement-invalid`, when a rule above is broken or the facts are not JSON.
    """

    stage: Stage
    subjects: tuple[Artifact, ...]
    inputs: tuple[Artifact, ...] = ()
    previous: tuple[str, ...] = ()
    agent: str
    keyid: str
    time: str
    facts: Mapping[str, Json] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__
        set_once(self, "stage", _stage(self.stage))
        set_once(self, "subjects", tuple(self.subjects))
        set_once(self, "inputs", tuple(self.inputs))
        set_once(self, "previous", tuple(sorted(set(self.previous))))
        set_once(self, "facts", _plain_json(self.facts))
        self._check_links()
        self._check_signer()

    def _check_links(self) -> None:
        names = [artifact.name for artifact in self.subjects]
        if not names or len(set(names)) != len(names):
            raise invalid("no subject, or two subjects of the same name")
        if len(set(self.inputs)) != len(self.inputs):
            raise invalid("the same input twice")
        if not all(is_digest(digest) for digest in self.previous):
            raise invalid("a previous statement that is not named by 64 lower-case hexadecimal digits")

    def _check_signer(self) -> None:
        if not AGENT_NAME.fullmatch(self.agent):
            raise invalid("an agent's name that is not [a-z0-9][a-z0-9.-]{0,63}")
        if not is_digest(self.keyid):
            raise invalid("a key id that is not 64 lower-case hexadecimal digits")
        if not is_time(self.time):
            raise invalid("a time that is not RFC 3339 in UTC with whole seconds")

    def to_payload(self) -> dict[str, Json]:
        """The in-toto Statement v1 as JSON values; its RFC 8785 bytes are what is signed."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [artifact.to_descriptor() for artifact in self.subjects],
            "predicateType": f"{_URN}{self.stage}:1",
            "predicate": {
                "inputs": [artifact.to_descriptor() for artifact in self.inputs],
                "previous": list(self.previous),
                "agent": {"name": self.agent, "keyid": self.keyid},
                "time": self.time,
                "facts": dict(self.facts),
            },
        }

    def to_bytes(self) -> bytes:
        """Canonical bytes of the payload (RFC 8785). Raises IntegrityError when a number cannot be written exactly."""
        try:
            return canonical_json(self.to_payload())
        except ValueError as fault:
            raise invalid("a number that JSON cannot carry exactly (beyond 2**53)") from fault

    @classmethod
    def from_payload(cls, raw: Any) -> Statement:
        """Read an in-toto Statement of ours from JSON values.

        Raises:
            IntegrityError: `statement-invalid`: a key is missing or unknown, the type or stage is another, or a
                value breaks a rule of the attributes.
        """
        outer = exact(raw, {"_type", "subject", "predicateType", "predicate"}, what="a statement")
        predicate = exact(outer["predicate"], {"inputs", "previous", "agent", "time", "facts"}, what="a predicate")
        agent = exact(predicate["agent"], {"name", "keyid"}, what="an agent")
        if outer["_type"] != STATEMENT_TYPE:
            raise invalid("another type than in-toto Statement v1")
        return cls(
            stage=_stage_of_type(text(outer["predicateType"])),
            subjects=tuple(Artifact.from_descriptor(entry) for entry in _list(outer["subject"])),
            inputs=tuple(Artifact.from_descriptor(entry) for entry in _list(predicate["inputs"])),
            previous=tuple(text(entry) for entry in _list(predicate["previous"])),
            agent=text(agent["name"]),
            keyid=text(agent["keyid"]),
            time=text(predicate["time"]),
            facts=predicate["facts"],
        )


def format_time(moment: datetime) -> str:
    """RFC 3339 text of a moment, in UTC, cut to whole seconds. Raises ValueError when it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone has no place in evidence")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def keyed_digest(path: Path, key: bytes) -> str:
    """HMAC-SHA256 (RFC 2104, FIPS 198-1) of a file, hexadecimal: the `curatorHmacSha256` digest of a raw source.

    Args:
        path: the file; read in blocks.
        key: 32 bytes or more, derived for this use alone; without it nobody can confirm a guess of the content.

    Raises:
        SecretError: `key-too-short`.
    """
    digest = keyed_hash(key)
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def keyed_hash(key: bytes) -> hmac.HMAC:
    """The hash of `keyed_digest`, to be fed by whoever reads the source. Raises SecretError likewise."""
    if len(key) < _KEY_BYTES:
        raise SecretError(
            "key-too-short",
            asked="name a raw source by a keyed digest",
            found=f"a key of fewer than {_KEY_BYTES} bytes",
            expected=f"{_KEY_BYTES} bytes, derived for this use",
            todo="derive the key from the root secret for the usage `source-digest`",
        )
    return hmac.new(key, digestmod=hashlib.sha256)


def invalid(found: str) -> IntegrityError:
    """The error of a statement or envelope whose form is wrong."""
    return IntegrityError(
        "statement-invalid",
        asked="read or write a signed statement",
        found=found,
        expected="an in-toto Statement v1 of curator, in one DSSE envelope, both in canonical JSON",
        todo="restore the file from Git or ask its sender again; `curator verify` names every faulty file",
    )


def is_digest(value: str) -> bool:
    """Whether `value` is 64 lower-case hexadecimal digits, as every digest and key id here."""
    return _DIGEST.fullmatch(value) is not None


def is_time(value: str) -> bool:
    """Whether `value` is a moment as statements write it: RFC 3339, UTC, whole seconds (`2026-01-31T08:00:00Z`)."""
    if not _TIME.fullmatch(value):
        return False
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return False
    return True


def exact(raw: Any, keys: set[str], *, what: str) -> dict[str, Any]:
    """`raw` as a JSON object holding exactly `keys`. Raises IntegrityError otherwise."""
    if not isinstance(raw, dict) or set(raw) != keys:
        raise invalid(f"{what} whose keys are not exactly {', '.join(sorted(keys))}")
    return raw


def text(raw: Any) -> str:
    """`raw` as a string. Raises IntegrityError otherwise."""
    if not isinstance(raw, str):
        raise invalid("a value that should be text")
    return raw


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise invalid("a value that should be a list")
    return raw


def _stage(raw: str) -> Stage:
    try:
        return Stage(raw)
    except ValueError as fault:
        raise invalid("an unknown stage") from fault


def _stage_of_type(predicate_type: str) -> Stage:
    stage = predicate_type.removeprefix(_URN).removesuffix(":1")
    if predicate_type != f"{_URN}{stage}:1":
        raise invalid("a predicate type that is not urn:curator:evidence:<stage>:1")
    return _stage(stage)


def _plain_json(facts: Mapping[str, Json]) -> dict[str, Json]:
    """An own copy of the facts as they will be read back, so that no caller can change them later."""
    try:
        copy = json.loads(canonical_json(dict(facts)))
    except (ValueError, TypeError, RecursionError) as fault:
        raise invalid("facts that are not JSON, or numbers beyond its range") from fault
    if not isinstance(copy, dict):
        raise invalid("facts that are not one JSON object")
    return copy
