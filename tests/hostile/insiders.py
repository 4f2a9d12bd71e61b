"""What forgers and dishonest agents can sign: other keys, roles, reviews, terms and lists of members."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from forge import (
    CASES,
    DATA,
    Case,
    Forge,
    case,
    other_world,
)
from package_world import Key

from curator.canonical import canonical_json, sha256_bytes
from curator.evidence import Artifact, Stage, peek_envelope, pre_authentication_encoding

# ---- forgers: keys of their own -------------------------------------------------------------------------------


@case("another-holders-package", "package-holder")
def _(forge: Forge) -> bytes:
    return other_world(forge, "other").package().read_bytes()


@case("another-holders-package-with-our-key-in-it", "signer-unknown")
def _(forge: Forge) -> bytes:
    other = Forge(other_world(forge, "forged"))
    return other.signed({**other.contents, "holder.pub": forge.contents["holder.pub"]})


@case("holder-key-is-garbage", "package-holder")
def _(forge: Forge) -> bytes:
    return forge.signed({**forge.contents, "holder.pub": b"-----BEGIN PUBLIC KEY-----"})


@case("holder-key-is-a-private-key", "package-holder")
def _(forge: Forge) -> bytes:
    return forge.signed({**forge.contents, "holder.pub": b"-----BEGIN PRIVATE KEY-----\n" + b"x" * 60_000})


@case("a-refusal-beside-an-approval", "move-not-allowed", 14)
def _(forge: Forge) -> bytes:
    refusal = forge.review(forge.request, signer="eve", facts={"decision": "refuse"})
    contents = {**forge.contents, f"evidence/{refusal.digest}.json": refusal.data}
    return forge.signed(contents, previous=(*forge.delivery.statement.previous, refusal.digest))


@case("delivery-by-an-unknown-key", "signer-unknown")
def _(forge: Forge) -> bytes:
    return forge.signed(signer=Key.of("dan", seed="another"))


@case("delivery-by-an-engineer", "role-missing", 14)
def _(forge: Forge) -> bytes:
    return forge.signed(signer=forge.world.keys["ada"])


@case("delivery-under-another-name", "agent-unknown", 14)
def _(forge: Forge) -> bytes:
    return forge.signed(signer=Key("bob", forge.world.keys["dan"]._key))


@case("delivery-before-its-review", "review-mismatch")
def _(forge: Forge) -> bytes:
    return forge.signed(time=forge.request.statement.time)


@case("request-by-a-reviewer", "role-missing", 14)
def _(forge: Forge) -> bytes:
    asked = forge.ask(signer="bob")
    return forge.with_evidence(request=asked, review=forge.review(asked, signer="eve"))


@case("review-by-the-requester", "own-request", 14)
def _(forge: Forge) -> bytes:
    asked = forge.ask(signer="eve")
    return forge.with_evidence(request=asked, review=forge.review(asked, signer="eve"))


@case("review-by-an-engineer", "role-missing", 14)
def _(forge: Forge) -> bytes:
    asked = forge.ask(signer="eve")
    return forge.with_evidence(request=asked, review=forge.review(asked, signer="ada"))


@case("review-of-other-digests", "review-mismatch")
def _(forge: Forge) -> bytes:
    other = tuple(Artifact(item.name, sha256_bytes(b"other")) for item in forge.request.statement.subjects)
    return forge.with_evidence(review=forge.review(forge.request, subjects=other))


@case("review-of-fewer-digests", "review-mismatch")
def _(forge: Forge) -> bytes:
    return forge.with_evidence(review=forge.review(forge.request, subjects=forge.request.statement.subjects[:1]))


@case("review-of-another-request", "review-mismatch")
def _(forge: Forge) -> bytes:
    return forge.with_evidence(review=forge.review(forge.request, facts={"request": sha256_bytes(b"other")}))


@case("review-older-than-the-request", "review-mismatch")
def _(forge: Forge) -> bytes:
    return forge.with_evidence(review=forge.review(forge.request, time="2026-01-05T08:00:01Z"))


@case("review-that-refuses", "move-not-allowed", 14)
def _(forge: Forge) -> bytes:
    return forge.with_evidence(review=forge.review(forge.request, facts={"decision": "refuse"}))


@case("review-without-decision", "release-statement")
def _(forge: Forge) -> bytes:
    return forge.with_evidence(review=forge.review(forge.request, facts={"decision": "maybe"}))


@case("review-not-named", "release-evidence")
def _(forge: Forge) -> bytes:
    return forge.signed(previous=(forge.request.digest, forge.world.directory.digest))


@case("review-left-out", "move-not-allowed", 14)
def _(forge: Forge) -> bytes:
    contents = {name: data for name, data in forge.contents.items() if forge.reviewed.digest not in name}
    return forge.signed(contents, previous=(forge.request.digest, forge.world.directory.digest))


@case("request-left-out", "release-evidence")
def _(forge: Forge) -> bytes:
    return forge.signed({name: data for name, data in forge.contents.items() if forge.request.digest not in name})


@case("lineage-left-out", "release-evidence")
def _(forge: Forge) -> bytes:
    commits = [
        name
        for name, data in forge.contents.items()
        if name.startswith("evidence/") and peek_envelope(data).statement.stage is Stage.COMMIT
    ]
    return forge.signed({name: data for name, data in forge.contents.items() if name not in commits})


@case("agents-left-out", "agents-invalid")
def _(forge: Forge) -> bytes:
    digest = forge.world.directory.digest
    return forge.signed({name: data for name, data in forge.contents.items() if digest not in name})


@case("statement-that-nothing-leads-to", "release-evidence")
def _(forge: Forge) -> bytes:
    extra = forge.sign(
        Stage.EXTRACT,
        forge.world.keys["ada"],
        like=forge.request.statement,
        subjects=(Artifact("x", sha256_bytes(b"x")),),
        inputs=(),
        facts={},
    )
    return forge.signed({**forge.contents, f"evidence/{extra.digest}.json": extra.data})


@case("evidence-under-another-name", "package-papers")
def _(forge: Forge) -> bytes:
    contents = dict(forge.contents)
    contents[f"evidence/{'0' * 64}.json"] = contents.pop(f"evidence/{forge.request.digest}.json")
    return forge.signed(contents)


@case("evidence-nesting-bomb", "statement-invalid")
def _(forge: Forge) -> bytes:
    bomb = b"[" * 500_000
    return forge.signed({**forge.contents, f"evidence/{sha256_bytes(bomb)}.json": bomb})


def _costly(forge: Forge, stage: Stage, key: Key, count: int) -> bytes:
    """Megabytes of JSON that is slow to parse, in the evidence."""
    contents = dict(forge.contents)
    for number in range(count):
        facts = {"number": number, "values": "many"}
        like = forge.request.statement
        made = (Artifact("x", sha256_bytes(bytes([number]))),)
        data = _filled(forge.sign(stage, key, like=like, subjects=made, inputs=(), facts=facts).data, key)
        contents[f"evidence/{sha256_bytes(data)}.json"] = data
    return forge.signed(contents)


def _filled(data: bytes, key: Key) -> bytes:
    """A small envelope made large, and signed anew: to write so much as values would take seconds."""
    outer = json.loads(data)
    values = b"[" + b",".join([b"[1]"] * 150_000) + b"]"
    payload = base64.b64decode(outer["payload"]).replace(b'"many"', values)
    outer["payload"] = base64.b64encode(payload).decode()
    signature = key.sign(pre_authentication_encoding(outer["payloadType"], payload))
    outer["signatures"] = [{"keyid": key.keyid, "sig": base64.b64encode(signature).decode()}]
    return canonical_json(outer)


@case("costly-evidence-by-a-stranger", "signer-unknown")
def _(forge: Forge) -> bytes:
    return _costly(forge, Stage.EXTRACT, Key.of("mallory"), 6)


@case("costly-agents-by-a-stranger", "package-papers")
def _(forge: Forge) -> bytes:
    return _costly(forge, Stage.AGENTS, Key.of("mallory"), 6)


@case("costly-evidence-by-an-insider", "release-evidence")
def _(forge: Forge) -> bytes:
    return _costly(forge, Stage.EXTRACT, forge.world.keys["ada"], 3)


@case("evidence-of-too-many-bytes", "package-list")
def _(forge: Forge) -> bytes:
    return _costly(forge, Stage.EXTRACT, forge.world.keys["ada"], 12)


@case("steward-made-by-himself", "agents-invalid")
def _(forge: Forge) -> bytes:
    listed = forge.world.evidence.read(forge.world.directory.digest).statement
    later = "2026-01-05T09:00:00Z"
    takeover = forge.sign(
        Stage.AGENTS, forge.world.keys["dan"], like=listed, previous=(forge.world.directory.digest,), time=later
    )
    contents = {**forge.contents, f"evidence/{takeover.digest}.json": takeover.data}
    return forge.signed(contents, previous=(*forge.delivery.statement.previous, takeover.digest), time=later)


@case("terms-changed-after-review", "release-evidence")
def _(forge: Forge) -> bytes:
    terms = {**forge.delivery.statement.facts["terms"], "until": "2030-01-01"}
    return forge.signed({**forge.contents, "terms.json": canonical_json(terms)}, facts={"terms": terms})


@case("terms-for-people-differ", "package-papers")
def _(forge: Forge) -> bytes:
    terms = {**forge.delivery.statement.facts["terms"], "purpose": "anything"}
    return forge.signed({**forge.contents, "terms.json": canonical_json(terms)})


@case("sums-for-people-differ", "package-papers")
def _(forge: Forge) -> bytes:
    return forge.signed(sums=b"0" * 64 + b"  x\n")


@case("delivery-of-another-subject", "package-papers")
def _(forge: Forge) -> bytes:
    return forge.signed(subjects=(Artifact("x.cur", sha256_bytes(b"x")),))


@case("expired", "release-expired", 14)
def _(forge: Forge) -> bytes:
    terms = {**forge.request.statement.facts["terms"], "until": "2026-05-31"}
    facts = {**forge.request.statement.facts, "terms": terms}
    return forge.with_evidence(request=forge.ask(facts=facts))


@case("until-not-a-date", "release-statement")
def _(forge: Forge) -> bytes:
    terms = {**forge.request.statement.facts["terms"], "until": "2099-W01-1"}
    return forge.with_evidence(request=forge.ask(facts={**forge.request.statement.facts, "terms": terms}))


@case("unknown-channel", "release-statement")
def _(forge: Forge) -> bytes:
    terms = {**forge.request.statement.facts["terms"], "channel": "secret"}
    return forge.with_evidence(request=forge.ask(facts={**forge.request.statement.facts, "terms": terms}))


# ---- the insider's list of members ----------------------------------------------------------------------------


def _listed(name: str, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    CASES[f"list-{name}"] = Case(lambda forge: forge.signed(listed=change), "package-list")


def _renamed(path: str) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda entries: [{**entry, "path": path} if entry["path"] == DATA else entry for entry in entries]


for _name, _path in {
    "traversal": "dataset/../../x.md",
    "traversal-plain": "../x.md",
    "absolute": "/tmp/x.md",
    "backslash": "dataset\\x.md",
    "nul": "dataset/x\0.md",
    "newline": "dataset/x\n.md",
    "unicode": "dataset/é.md",
    "hidden": "dataset/.git/config.md",
    "dot": "dataset/./x.md",
    "double-slash": "dataset//x.md",
    "trailing-dot": "dataset/x./y.md",
    "program": "dataset/x.py",
    "pickle": "model/model.pkl",
    "shared-library": "dataset/x.so",
    "no-suffix": "dataset/Makefile",
    "elsewhere": "bin/x.md",
    "envelope-again": "package.json",
    "long": "dataset/" + "x" * 100 + ".md",
    "deep": "dataset/" + "x/" * 20 + "y.md",
    "duplicate": "dataset/croissant.json",
    "case-clash": "dataset/Croissant.json",
    "folder-case-clash": "dataset/Data/x.md",
    "file-and-folder": "dataset/data/train/part-00000.parquet/x.md",
    "evidence-name": "evidence/x.json",
    "empty": "",
}.items():
    _listed(_name, _renamed(_path))

_listed("absent", lambda entries: None)
_listed("empty-list", lambda entries: [])
_listed("not-objects", lambda entries: ["x"])
_listed("unknown-key", lambda entries: [{**entry, "mode": 1} for entry in entries])
_listed("path-a-number", lambda entries: [{**entry, "path": 1} for entry in entries])
_listed("size-true", lambda entries: [{**entry, "size": True} for entry in entries])
_listed("size-negative", lambda entries: [{**entry, "size": -1} for entry in entries])
_listed("size-fraction", lambda entries: [{**entry, "size": 0.5} for entry in entries])
_listed("size-huge", lambda entries: [{**entry, "size": 1 << 50} for entry in entries])
_listed("total-huge", lambda entries: [{**entry, "size": (8 << 30) - 1} for entry in entries])
_listed("papers-huge", lambda entries: [{**entry, "size": 40 << 20} for entry in entries])
_listed("digest-short", lambda entries: [{**entry, "sha256": "0"} for entry in entries])
_listed("reversed", lambda entries: entries[::-1])
_listed("no-holder", lambda entries: [entry for entry in entries if entry["path"] != "holder.pub"])
_listed(
    "too-many",
    lambda entries: entries[:3] + [{**entries[0], "path": f"dataset/x{number}.md"} for number in range(10_000)],
)
