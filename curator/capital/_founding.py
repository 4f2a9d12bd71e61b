"""The first statement of a capital, and every later change of its agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from curator.agents import Agent, Directory, Role
from curator.capital._keys import begin_epoch
from curator.capital._parts import Recorder, now
from curator.edges.keys import (
    HOLDER,
    AgentSigner,
    create_root,
    has_root,
    load_root,
    load_signer,
    own_key,
    provider_of,
    public_pem,
)
from curator.edges.workspace import Workspace
from curator.epochs import FIRST
from curator.errors import StorageError, UsageError
from curator.evidence import Envelope, Stage, Statement, format_time, sign_statement

if TYPE_CHECKING:
    from curator.capital import Capital

HOLDER_ROLES = frozenset({Role.STEWARD, Role.ENGINEER, Role.DELIVERER})
"""The holder may do all but review: nobody decides alone."""


def begun(root: Path, *, holder: str) -> Workspace | None:
    """The workspace of a founding that was cut short before anything was signed in it; None when there is none."""
    try:
        workspace = Workspace.open(root)
    except StorageError:
        return None
    signed = workspace.committed("evidence") or workspace.committed("holder.pub")
    return None if signed or workspace.holder != holder else workspace


def found(workspace: Workspace, *, root_secret: bytes | None, environ: Mapping[str, str]) -> None:
    """Draw the keys and publish the holder's public key with the first directory.

    A root secret that the environment holds is taken from there and written nowhere. Keys that a founding drew before
    it was cut short are taken: nothing was made with them.
    """
    keys = provider_of(workspace.private, {} if root_secret else environ)
    if not keys.root_elsewhere and not _has_root(workspace.private, root_secret):
        create_root(workspace.private, secret=root_secret)
    public = own_key(workspace.private, HOLDER)
    signer = load_signer(workspace.private, HOLDER, environ={})
    holder = Agent(name=HOLDER, public=public.hex(), roles=HOLDER_ROLES, since=format_time(now()))
    envelope = _sign(Directory(agents=(holder,), holder=public), signer, previous=(), time=now())
    envelopes = [envelope]
    if root_secret is None:  # keys of a given root carry on what that root made elsewhere
        recorder = Recorder(signer=signer, directory=Directory.from_envelopes([envelope], public))
        envelopes.append(begin_epoch(recorder, keys, name=FIRST))
    workspace.publish(
        folders={},
        files={**{each.path: each.data for each in envelopes}, "holder.pub": public_pem(public)},
        message="Found the capital",
        tag=None,
    )


def _has_root(private: Path, secret: bytes | None) -> bool:
    """Whether the root secret is there already, and is the one asked for."""
    return has_root(private) and secret in (None, load_root(private, {}))


def require_usable_root(environ: Mapping[str, str]) -> None:
    """Refuse a root secret of the environment that cannot be used, before anything is made. Raises SecretError."""
    keys = provider_of(Path(), environ)
    if keys.root_elsewhere:
        keys.root()


def add_agent(capital: Capital, name: str, *, roles: Iterable[str], public: bytes | None) -> Agent:
    """Publish a directory with the agent added or changed; see `Capital.add_agent`."""
    held = frozenset(_role(role) for role in roles)
    with capital.workspace.lock():  # two that follow one directory would fork it
        return _add(capital, name, held=held, public=public)


def _add(capital: Capital, name: str, *, held: frozenset[Role], public: bytes | None) -> Agent:
    recorder = capital.recorder(Role.STEWARD)
    present = {agent.name: agent for agent in recorder.directory.agents}
    if public is None:
        known = present.get(name)
        public = bytes.fromhex(known.public) if known else own_key(capital.workspace.private, name)
    agent = Agent(name=name, public=public.hex(), roles=held, since=format_time(recorder.now()))
    directory = Directory(
        agents=tuple({**present, name: agent}.values()),
        holder=capital.holder_key(),
        past=(recorder.directory,),
    )
    envelope = _sign(directory, recorder.signer, previous=(recorder.directory.digest,), time=recorder.now())
    capital.workspace.publish(
        folders={}, files={envelope.path: envelope.data}, message=f"List the agent {name}", tag=None
    )
    return agent


def _sign(directory: Directory, signer: AgentSigner, *, previous: tuple[str, ...], time: datetime) -> Envelope:
    statement = Statement(
        stage=Stage.AGENTS,
        subjects=(directory.artifact(),),
        previous=previous,
        agent=signer.name,
        keyid=signer.keyid,
        time=format_time(time),
        facts=directory.facts(),
    )
    return sign_statement(statement, signer)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise UsageError(
            "role-unknown",
            asked="give an agent a role",
            found=f"`{name}`",
            expected="one of " + ", ".join(role.value for role in Role),
            todo="correct the role",
        ) from None
