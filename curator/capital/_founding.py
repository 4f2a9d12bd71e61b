"""The first statement of a capital, and every later change of its agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from curator.agents import Agent, Directory, Role
from curator.capital._keys import begin_epoch
from curator.capital._parts import Recorder, now
from curator.edges.keys import HOLDER, AgentSigner, create_agent_key, create_root, load_signer, provider_of, public_pem
from curator.edges.workspace import Workspace
from curator.epochs import FIRST
from curator.errors import UsageError
from curator.evidence import Envelope, Stage, Statement, format_time, sign_statement

if TYPE_CHECKING:
    from curator.capital import Capital

HOLDER_ROLES = frozenset({Role.STEWARD, Role.ENGINEER, Role.DELIVERER})
"""The holder may do all but review: nobody decides alone."""


def found(workspace: Workspace, *, root_secret: bytes | None, environ: Mapping[str, str]) -> None:
    """Draw the keys and publish the holder's public key with the first directory.

    A root secret that the environment holds is taken from there and written nowhere.
    """
    keys = provider_of(workspace.private, {} if root_secret else environ)
    if not keys.root_elsewhere:
        create_root(workspace.private, secret=root_secret)
    public = create_agent_key(workspace.private, HOLDER)
    signer = load_signer(workspace.private, HOLDER, environ={})
    holder = Agent(name=HOLDER, public=public.hex(), roles=HOLDER_ROLES, since=format_time(now()))
    envelope = _sign(Directory(agents=(holder,), holder=public), signer, previous=())
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


def require_usable_root(environ: Mapping[str, str]) -> None:
    """Refuse a root secret of the environment that cannot be used, before anything is made. Raises SecretError."""
    keys = provider_of(Path(), environ)
    if keys.root_elsewhere:
        keys.root()


def add_agent(capital: Capital, name: str, *, roles: Iterable[str], public: bytes | None) -> Agent:
    """Publish a directory with the agent added or changed; see `Capital.add_agent`."""
    held = frozenset(_role(role) for role in roles)
    recorder = capital.recorder(Role.STEWARD)
    present = {agent.name: agent for agent in recorder.directory.agents}
    if public is None:
        known = present.get(name)
        public = bytes.fromhex(known.public) if known else create_agent_key(capital.workspace.private, name)
    agent = Agent(name=name, public=public.hex(), roles=held, since=format_time(now()))
    directory = Directory(
        agents=tuple({**present, name: agent}.values()),
        holder=capital.holder_key(),
        past=(recorder.directory,),
    )
    envelope = _sign(directory, recorder.signer, previous=(recorder.directory.digest,))
    capital.workspace.publish(
        folders={}, files={envelope.path: envelope.data}, message=f"List the agent {name}", tag=None
    )
    return agent


def _sign(directory: Directory, signer: AgentSigner, *, previous: tuple[str, ...]) -> Envelope:
    statement = Statement(
        stage=Stage.AGENTS,
        subjects=(directory.artifact(),),
        previous=previous,
        agent=signer.name,
        keyid=signer.keyid,
        time=format_time(now()),
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
