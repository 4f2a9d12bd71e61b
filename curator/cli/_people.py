"""`agent add`, `agent list`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from curator.agents import Agent
from curator.cli._console import Answer, Console, pairs, table
from curator.cli._places import open_capital
from curator.edges.keys import read_public


def add(args: Namespace, console: Console) -> Answer:
    """Add an agent, or change one's roles."""
    public = read_public(args.public) if args.public else None
    agent = open_capital(args).add_agent(args.name, roles=args.roles, public=public)
    if public is None:
        console.note("Move the agent's private key to the agent: .curator/keys/agents/ of the capital is only a start.")
    document = _agent(agent)
    return Answer(document=document, text=pairs({**document, "roles": ", ".join(document["roles"])}))


def list_agents(args: Namespace, console: Console) -> Answer:
    """The agents in force."""
    found = [_agent(agent) for agent in open_capital(args).directory().agents]
    rows = [(agent["name"], ", ".join(agent["roles"]) or "none", agent["since"], agent["keyid"]) for agent in found]
    return Answer(document={"agents": found}, text=table(rows, heads=("name", "roles", "since", "keyid")))


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "roles": sorted(str(role) for role in agent.roles),
        "since": agent.since,
        "keyid": agent.keyid,
        "public": agent.public,
    }
