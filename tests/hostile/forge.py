"""Tools of a forger: a good package in pieces, to be put together wrongly, and the registry of cases."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from package_world import SPEC, Key, World

from curator.attacks import Attacker, GateReport
from curator.canonical import canonical_json, sha256_bytes
from curator.evidence import Artifact, Envelope, Stage, Statement, peek_envelope, sign_statement
from curator.package_file import Member, in_order, sums_text

BLOCK = 512
DATA = "dataset/README.md"


@dataclass(frozen=True)
class Part:
    """One member as raw blocks."""

    header: bytes
    content: bytes

    @property
    def raw(self) -> bytes:
        return self.header + self.content + bytes(-len(self.content) % BLOCK)


def parts_of(package: bytes) -> list[Part]:
    """The members of a good package."""
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:") as archive:
        infos = archive.getmembers()
    return [
        Part(package[info.offset : info.offset_data], package[info.offset_data : info.offset_data + info.size])
        for info in infos
    ]


def header(name: str, size: int = 0, **changes: Any) -> bytes:
    """A ustar header, with whatever a test wants wrong in it."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    for key, value in changes.items():
        setattr(info, key, value)
    try:
        return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")
    except ValueError:  # the name is too long for ustar
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def joined(parts: list[Part], *, end: bytes = bytes(2 * BLOCK)) -> bytes:
    return b"".join(part.raw for part in parts) + end


def with_checksum(block: bytes) -> bytes:
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(blank) + block[156:]


class Forge:
    """A good package of a world, in pieces, to be put together wrongly.

    Args:
        world: the world; it has made one dataset-and-model package.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.package = world.package(models=True).read_bytes()
        self.parts = parts_of(self.package)
        self.names = [part.header[:100].rstrip(b"\0").decode() for part in self.parts]
        self.contents = {name: part.content for name, part in zip(self.names, self.parts, strict=True)}
        self.delivery = peek_envelope(self.contents.pop("package.json"))
        self.request = self._stage(Stage.REQUEST)
        self.reviewed = self._stage(Stage.REVIEW)

    def _stage(self, stage: Stage) -> Envelope:
        found = [peek_envelope(data) for name, data in self.contents.items() if name.startswith("evidence/")]
        (envelope,) = [envelope for envelope in found if envelope.statement.stage is stage]
        return envelope

    def index(self, name: str) -> int:
        return self.names.index(name)

    # ---- the thief in transit: bytes change, no key -----------------------------------------------------------

    def swapped(self, name: str, part: Part) -> bytes:
        parts = list(self.parts)
        parts[self.index(name)] = part
        return joined(parts)

    def inserted(self, part: Part, *, before: str | None = None) -> bytes:
        parts = list(self.parts)
        parts.insert(self.index(before) if before else len(parts), part)
        return joined(parts)

    def without(self, name: str) -> bytes:
        return joined([part for part, own in zip(self.parts, self.names, strict=True) if own != name])

    def flipped(self, name: str) -> bytes:
        """The last byte of a member's content changed."""
        part = self.parts[self.index(name)]
        return self.swapped(name, Part(part.header, part.content[:-1] + bytes([part.content[-1] ^ 1])))

    # ---- the insider: signs what he likes ---------------------------------------------------------------------

    def signed(
        self,
        contents: dict[str, bytes] | None = None,
        *,
        signer: Key | None = None,
        listed: Callable[[list[dict[str, Any]]], Any] | None = None,
        facts: dict[str, Any] | None = None,
        sums: bytes | None = None,
        **changes: Any,
    ) -> bytes:
        """A package whose deliver statement is signed anew over these contents; `listed` may falsify the list."""
        contents = dict(contents or self.contents)
        contents.pop("SHA256SUMS", None)
        members = [Member.of(path, content=data) for path, data in contents.items()]
        contents["SHA256SUMS"] = sums_text(members) if sums is None else sums
        ordered = in_order([*members, Member.of("SHA256SUMS", content=contents["SHA256SUMS"])])
        entries: Any = [member.to_json() for member in ordered]
        entries = listed(entries) if listed else entries
        envelope = self.sign(
            Stage.DELIVER,
            signer or self.world.keys["dan"],
            like=self.delivery.statement,
            subjects=changes.pop(
                "subjects", (Artifact("road-accidents-1.0.0.cur", sha256_bytes(contents["SHA256SUMS"])),)
            ),
            facts={**self.delivery.statement.facts, "members": entries, **(facts or {})},
            **changes,
        )
        return self.packed(envelope.data, contents, [member.path for member in ordered])

    def packed(self, envelope: bytes, contents: dict[str, bytes], order: list[str]) -> bytes:
        parts = [Part(header("package.json", len(envelope)), envelope)]
        parts += [Part(header(path, len(contents[path])), contents[path]) for path in order]
        return joined(parts)

    def sign(self, stage: Stage, key: Key, *, like: Statement, **changes: Any) -> Envelope:
        base: dict[str, Any] = {
            "subjects": like.subjects,
            "inputs": like.inputs,
            "previous": like.previous,
            "facts": like.facts,
            "time": like.time,
        }
        statement = Statement(stage=stage, agent=key.name, keyid=key.keyid, **{**base, **changes})
        return sign_statement(statement, key)

    def with_evidence(
        self, *, request: Envelope | None = None, review: Envelope | None = None, **changes: Any
    ) -> bytes:
        """Signed anew, with another request or review in the evidence."""
        asked, judged = request or self.request, review or self.reviewed
        if request and not review:
            judged = self.review(asked)
        contents = dict(self.contents)
        for old in (self.request, self.reviewed):
            del contents[f"evidence/{old.digest}.json"]
        for new in (asked, judged):
            contents[f"evidence/{new.digest}.json"] = new.data
        previous = (asked.digest, judged.digest, self.world.directory.digest)
        terms = asked.statement.facts["terms"]
        facts = {"request": asked.digest, "terms": terms, **changes.pop("facts", {})}
        contents["terms.json"] = canonical_json(terms)
        return self.signed(contents, previous=previous, facts=facts, **changes)

    def review(self, asked: Envelope, *, signer: str = "bob", **changes: Any) -> Envelope:
        facts = {"decision": "approve", "reason": "fine", "request": asked.digest, **changes.pop("facts", {})}
        base: dict[str, Any] = {"previous": (asked.digest, self.world.directory.digest), "facts": facts}
        key = self.world.keys[signer]
        return self.sign(Stage.REVIEW, key, like=self.reviewed.statement, **{**base, **changes})

    def ask(self, *, signer: str = "ada", **changes: Any) -> Envelope:
        return self.sign(Stage.REQUEST, self.world.keys[signer], like=self.request.statement, **changes)


@dataclass(frozen=True)
class Case:
    """One hostile package: what writes it, and how it must be refused."""

    write: Callable[[Forge], bytes]
    code: str
    exit_code: int = 15


CASES: dict[str, Case] = {}


def case(name: str, code: str, exit_code: int = 15) -> Callable[[Callable[[Forge], bytes]], Callable[[Forge], bytes]]:
    def keep(write: Callable[[Forge], bytes]) -> Callable[[Forge], bytes]:
        assert name not in CASES
        CASES[name] = Case(write, code, exit_code)
        return write

    return keep


def reviewed_payload(forge: Forge, name: str, change: Callable[[World], None]) -> bytes:
    """A package that everybody signed although its payload is hostile: the worst insider, who runs no attack first."""
    world = World(fresh(forge, name))
    change(world)
    world._lineage()
    passed = GateReport(attacker=Attacker(channel="research", knows=()), rows=0, leaks=())
    with patch("curator.release._delivering.gate", return_value=passed):
        return world.package(models=True).read_bytes()


def other_world(forge: Forge, name: str) -> World:
    """A world of another holder, whose agents have other keys and the same names."""

    class Other(World):
        def __init__(self, folder: Path) -> None:
            original = Key.of
            Key.of = classmethod(lambda cls, agent, *, seed="": original(agent, seed=name))  # type: ignore[method-assign, assignment]
            try:
                super().__init__(folder, spec=SPEC)
            finally:
                Key.of = original  # type: ignore[method-assign]

    return Other(fresh(forge, name))


def fresh(forge: Forge, name: str) -> Path:
    folder = forge.world.folder / f"world-{name}"
    folder.mkdir()
    return folder
