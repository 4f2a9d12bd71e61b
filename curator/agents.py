"""Agents: who may do what, written down in evidence itself.

Each `agents` statement holds the whole directory. The first is signed by the holder's own key; each later one follows
the one before and is signed by somebody who was a steward there, or by the holder. So a stranger who trusts one public
key, `holder.pub`, can tell who was allowed what on any day. Nobody is believed by name: a name counts only with the
key that was listed for it, and a key, once listed, belongs to its first name for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from graphlib import TopologicalSorter
from typing import Any

from curator.canonical import Json, canonical_json, sha256_json
from curator.errors import IntegrityError, NotAllowedError
from curator.evidence import (
    AGENT_NAME,
    Artifact,
    Envelope,
    Stage,
    Statement,
    is_digest,
    is_time,
    keyid_of,
    open_envelope,
)

HOLDER = "holder"
"""The agent who signs with the workspace's own key; the name and the key always go together."""


class Role(StrEnum):
    """What an agent may do; an agent may hold several roles, or none."""

    STEWARD = "steward"
    """May change the directory of agents."""
    ENGINEER = "engineer"
    """May curate, train, package and request a release."""
    REVIEWER = "reviewer"
    """May approve or refuse a request that is not their own."""
    DELIVERER = "deliverer"
    """May deliver what was approved, and recall it."""
    CUSTODIAN = "custodian"
    """Keeps what identifies people: may look for a person and erase."""
    AUDITOR = "auditor"
    """May read evidence and nothing else."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Somebody who signs.

    Attributes:
        name: 1 to 64 of a-z, 0-9, dot and hyphen, beginning with a letter or digit.
        public: raw Ed25519 public key, 64 lower-case hexadecimal digits.
        roles: what the agent may do; empty for one who may do nothing more.
        since: when the agent was first listed so, RFC 3339 in UTC with whole seconds.

    Raises:
        IntegrityError: `agents-invalid`, when one of them is not so.
    """

    name: str
    public: str
    roles: frozenset[Role]
    since: str

    def __post_init__(self) -> None:
        if not AGENT_NAME.fullmatch(self.name):
            raise _invalid("an agent's name that is not [a-z0-9][a-z0-9.-]{0,63}")
        if not is_digest(self.public) or bytes.fromhex(self.public) in _WEAK_KEYS:
            raise _invalid("a public key that is not a sound Ed25519 key in hexadecimal")
        if not is_time(self.since):
            raise _invalid("a time that is not RFC 3339 in UTC with whole seconds")
        try:
            object.__setattr__(self, "roles", frozenset(Role(role) for role in self.roles))
        except ValueError as fault:
            raise _invalid("an unknown role") from fault

    @property
    def keyid(self) -> str:
        """SHA-256 of the raw public key, hexadecimal."""
        return keyid_of(bytes.fromhex(self.public))

    def to_json(self) -> dict[str, Json]:
        """The agent as an `agents` statement writes it."""
        roles = sorted(str(role) for role in self.roles)
        return {"name": self.name, "public": self.public, "roles": roles, "since": self.since}


@dataclass(frozen=True)
class Directory:
    """The agents from one moment on, and those before them.

    Attributes:
        agents: sorted by name; each name and each public key once; at least one steward.
        since: the time of the statement that set them, RFC 3339; empty when there is none yet.
        digest: of that statement; what the next `agents` statement names as previous.
        holder: the holder's raw public key; empty when not known.
        past: the directories that this one replaced; several where two branches met.

    Raises:
        IntegrityError: `agents-invalid`.
    """

    agents: tuple[Agent, ...]
    since: str = ""
    digest: str = ""
    holder: bytes = b""
    past: tuple[Directory, ...] = field(default=(), repr=False, compare=False)
    _names: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "agents", tuple(sorted(self.agents, key=lambda agent: agent.name)))
        if len({agent.name for agent in self.agents}) != len(self.agents):
            raise _invalid("two agents of one name")
        if len({agent.public for agent in self.agents}) != len(self.agents):
            raise _invalid("two agents with one public key")
        if not self.holding(Role.STEWARD):
            raise _invalid("no steward, so that nobody could change the agents again")
        if self.holder:
            self._check_holder()
        object.__setattr__(self, "_names", self._check_former())

    def _check_holder(self) -> None:
        if any((agent.name == HOLDER) != (agent.public == self.holder.hex()) for agent in self.agents):
            raise _invalid("the holder's name without the holder's key, or the key under another name")

    def _check_former(self) -> dict[str, str]:
        """The name of every public key listed now or before."""
        names: dict[str, str] = {}
        for listed in [
            *(directory._names for directory in self.past),
            {each.public: each.name for each in self.agents},
        ]:
            if any(names.get(public, name) != name for public, name in listed.items()):
                raise _invalid("a public key that belonged to an agent of another name")
            names |= listed
        return names

    @property
    def by_keyid(self) -> Mapping[str, Agent]:
        """The present agents by key id."""
        return {agent.keyid: agent for agent in self.agents}

    def agent(self, name: str) -> Agent:
        """The present agent of this name. Raises NotAllowedError (`agent-unknown`) when there is none."""
        for agent in self.agents:
            if agent.name == name:
                return agent
        raise _unknown("nobody of that name", self)

    def holding(self, role: Role) -> tuple[str, ...]:
        """Names of the present agents that hold a role, sorted."""
        return tuple(agent.name for agent in self.agents if role in agent.roles)

    def keys(self) -> dict[str, bytes]:
        """Every public key that is or ever was listed, and the holder's, by key id: what verifies old evidence.

        A signature by a former key still proves who wrote the bytes; whether they were allowed to at that time is
        `author`'s question.
        """
        publics = [bytes.fromhex(public) for public in self._names] + ([self.holder] if self.holder else [])
        return {keyid_of(public): public for public in publics}

    def author(self, statement: Statement, *, roles: Collection[Role] = ()) -> Agent:
        """The agent who signed, as the directory of that time listed them.

        Args:
            statement: from a verified envelope.
            roles: when given, the agent must have held one of them then.

        Raises:
            NotAllowedError: `agent-unknown` when the directory in force at the statement's time did not list that key
                under that name; `role-missing` when it did, without any of `roles`.
        """
        found = [
            directory.by_keyid[statement.keyid]
            for directory in self._in_force(statement.time)
            if statement.keyid in directory.by_keyid
        ]
        named = [agent for agent in found if agent.name == statement.agent]
        if not named:
            raise _unknown("a signature by a key that was not listed under that name at that time", self)
        for agent in named:
            if not roles or agent.roles.intersection(roles):
                return agent
        raise _role_missing(statement, roles)

    def facts(self) -> dict[str, Json]:
        """The facts of the `agents` statement that sets this directory."""
        return {"agents": [agent.to_json() for agent in self.agents]}

    def artifact(self) -> Artifact:
        """The subject of that statement: the digest of the facts' canonical JSON."""
        return Artifact("agents", sha256_json(self.facts()))

    @classmethod
    def from_envelopes(cls, envelopes: Iterable[Envelope], holder_public: bytes) -> Directory:
        """Build the directory from the `agents` statements among `envelopes`, each verified anew here.

        Args:
            envelopes: from anywhere, verified or not (`EvidenceStore.unverified()`); other stages are passed over.
            holder_public: the holder's raw public key, the one thing trusted beforehand.

        Raises:
            IntegrityError: `signer-unknown` or `signature-invalid` as `open_envelope`; `agents-invalid` when there is
                no such statement, when one is not signed by a steward of each directory before it nor by the holder,
                goes back in time or breaks a rule of the attributes; `agents-forked` when two directories stand side
                by side. A fork ends when the holder, or a steward of both, signs one that follows both.
        """
        nodes = {envelope.digest: envelope for envelope in envelopes if envelope.statement.stage is Stage.AGENTS}
        links = {digest: set(nodes[digest].statement.previous) & set(nodes) for digest in nodes}
        built: dict[str, Directory] = {}
        for digest in TopologicalSorter({digest: sorted(links[digest]) for digest in sorted(links)}).static_order():
            past = tuple(built[previous] for previous in sorted(links[digest]))
            built[digest] = _follow(nodes[digest], past, holder_public=holder_public)
        heads = set(nodes).difference(*links.values())
        if not heads:
            raise _invalid("no statement that says who the agents are")
        if len(heads) > 1:
            raise _forked(len(heads))
        return built[heads.pop()]

    def _in_force(self, time: str) -> Iterator[Directory]:
        """The directories in force at a time, newest first; both sides of a change made in that very second."""
        waiting: list[tuple[Directory, str]] = [(self, "")]
        seen: dict[tuple[int, str], tuple[Directory, str]] = {}
        while waiting:
            directory, end = waiting.pop()
            if (id(directory), end) in seen:
                continue
            seen[id(directory), end] = directory, end
            if directory.since <= time and (not end or time <= end):
                yield directory
            waiting += [(earlier, directory.since) for earlier in directory.past]
        # Before the first directory there was the holder alone.
        if self.holder and any(not directory.past and time <= directory.since for directory, _ in seen.values()):
            yield _holder_alone(self.holder, time)


def _holder_alone(holder: bytes, time: str) -> Directory:
    agent = Agent(name=HOLDER, public=holder.hex(), roles=frozenset(Role), since=time)
    return Directory((agent,), since=time, holder=holder)


def _follow(envelope: Envelope, past: tuple[Directory, ...], *, holder_public: bytes) -> Directory:
    """The directory that one statement sets, after those that it follows."""
    keys = {keyid_of(holder_public): holder_public}
    for directory in past:
        keys |= directory.keys()
    statement = open_envelope(envelope.data, keys).statement
    if statement != envelope.statement:
        raise _invalid("an envelope whose statement is not the one in its bytes")
    _check_signer(statement, past, holder_keyid=keyid_of(holder_public))
    if any(statement.time < directory.since for directory in past):
        raise _invalid("a change of the agents dated before the one that it follows")
    directory = replace(_read(statement), since=statement.time, digest=envelope.digest, holder=holder_public, past=past)
    if canonical_json(directory.facts()) != canonical_json(statement.facts):
        raise _invalid("agents that are not sorted, or facts besides them")
    if statement.subjects != (directory.artifact(),):
        raise _invalid("a subject that is not the digest of the agents")
    return directory


def _check_signer(statement: Statement, past: tuple[Directory, ...], *, holder_keyid: str) -> None:
    if statement.keyid == holder_keyid and statement.agent == HOLDER:
        return
    signers = [directory.by_keyid.get(statement.keyid) for directory in past]
    if not signers or any(
        agent is None or agent.name != statement.agent or Role.STEWARD not in agent.roles for agent in signers
    ):
        raise _invalid("a change of the agents signed by somebody who was no steward then, nor the holder")


def _read(statement: Statement) -> Directory:
    entries: Any = statement.facts.get("agents")
    try:
        return Directory(
            tuple(
                Agent(name=entry["name"], public=entry["public"], roles=frozenset(entry["roles"]), since=entry["since"])
                for entry in entries
            )
        )
    except (TypeError, KeyError) as fault:
        raise _invalid("facts that are not a list of agents") from fault


_WEAK_KEYS = frozenset(
    bytes.fromhex(point)
    for point in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
)
"""Points of order 1, 2, 4 and 8 on edwards25519, and the two wrong-sign spellings: whoever lists such a key lets
anybody sign (RFC 8032 section 5.1.7 checks 8SB = 8R + 8kA, which a small-order A satisfies for every message)."""


def _invalid(found: str) -> IntegrityError:
    return IntegrityError(
        "agents-invalid",
        asked="read who the agents are",
        found=found,
        expected="one chain of `agents` statements: the first signed by the holder, each next one by a steward",
        todo="run `curator verify`; if the newest statement is at fault, the holder signs a right one that follows it",
    )


def _forked(count: int) -> IntegrityError:
    return IntegrityError(
        "agents-forked",
        asked="read who the agents are",
        found=f"{count} directories of agents side by side, usually after two branches were merged",
        expected="one newest directory",
        todo="let the holder, or a steward of all of them, sign one directory that follows them all",
    )


def _unknown(found: str, directory: Directory) -> NotAllowedError:
    return NotAllowedError(
        "agent-unknown",
        asked="tell who acts",
        found=found,
        expected="an agent of the directory, signing with the key listed under their name",
        todo=f"ask a steward to list the agent: {', '.join(directory.holding(Role.STEWARD))}",
    )


def _role_missing(statement: Statement, roles: Collection[Role]) -> NotAllowedError:
    wanted = " or ".join(sorted(str(role) for role in roles))
    return NotAllowedError(
        "role-missing",
        asked=f"accept a `{statement.stage}` statement",
        found=f"{statement.agent}, who was not {wanted} at that time",
        expected=f"a signature by a {wanted} of that time",
        todo="treat what the statement describes as not done; let an agent with the role do it again",
    )
