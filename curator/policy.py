"""The rules of release: which move an agent may make on a request, as a table and a few named rules.

Pure: the date, the request's facts and the directory of agents are arguments. What the table does not allow is refused.
The shape follows output checking as OpenSAFELY practises it (a request is reviewed by somebody else than its author,
and a change of the bytes voids the review); the law quoted is Directive (EU) 2016/680 (police and justice).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from curator.agents import Agent, Directory, Role
from curator.errors import NotAllowedError
from curator.evidence import Stage, Statement


class State(StrEnum):
    """Where a request stands."""

    ABSENT = "absent"
    """There is no request yet."""
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    DELIVERED = "delivered"
    RECALLED = "recalled"
    VOIDED = "voided"
    """The bytes changed after they were asked for or approved: nothing may be done with the request any more."""


class Action(StrEnum):
    """What an agent can do with a request."""

    REQUEST = "request"
    APPROVE = "approve"
    REFUSE = "refuse"
    DELIVER = "deliver"
    RECALL = "recall"
    VOID = "void"


class Channel(StrEnum):
    """By which way a dataset or model leaves the holder; there is no other."""

    OPEN = "open"
    """Published for everybody."""
    RESEARCH = "research"
    """A named research body, under an agreement."""
    INDUSTRY = "industry"
    """A named firm, under an agreement, possibly for remuneration."""


class Rule(StrEnum):
    """A condition beside state and role."""

    OTHERS_REQUEST = "others-request"
    """The agent is not the one who asked: nobody decides alone."""
    IN_TIME = "in-time"
    """The request's last day is set and not past; that day itself still counts."""
    CHANNEL_ALLOWED = "channel-allowed"
    """The channel is one of the three and one that the use case allows."""
    SAME_BYTES = "same-bytes"
    """The bytes now are those that the request names."""
    CHANGED_BYTES = "changed-bytes"
    """The bytes now are not those that the request names."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One row of the table of moves.

    Attributes:
        action: what is done.
        from_states: where the request may stand before.
        to_state: where it stands after.
        roles: any of them is needed.
        rules: all of them must hold too.
    """

    action: Action
    from_states: tuple[State, ...]
    to_state: State
    roles: tuple[Role, ...]
    rules: tuple[Rule, ...] = ()


MOVES: tuple[Move, ...] = (
    Move(
        action=Action.REQUEST,
        from_states=(State.ABSENT,),
        to_state=State.REQUESTED,
        roles=(Role.ENGINEER,),
        rules=(Rule.CHANNEL_ALLOWED, Rule.IN_TIME),
    ),
    Move(
        action=Action.APPROVE,
        from_states=(State.REQUESTED,),
        to_state=State.APPROVED,
        roles=(Role.REVIEWER,),
        rules=(Rule.OTHERS_REQUEST, Rule.SAME_BYTES, Rule.CHANNEL_ALLOWED, Rule.IN_TIME),
    ),
    Move(
        action=Action.REFUSE,
        from_states=(State.REQUESTED,),
        to_state=State.REFUSED,
        roles=(Role.REVIEWER,),
        rules=(Rule.OTHERS_REQUEST,),
    ),
    Move(
        action=Action.DELIVER,
        from_states=(State.APPROVED,),
        to_state=State.DELIVERED,
        roles=(Role.DELIVERER,),
        rules=(Rule.SAME_BYTES, Rule.CHANNEL_ALLOWED, Rule.IN_TIME),
    ),
    Move(
        action=Action.RECALL,
        from_states=(State.DELIVERED,),
        to_state=State.RECALLED,
        roles=(Role.DELIVERER,),
    ),
    Move(
        action=Action.VOID,
        from_states=(State.REQUESTED, State.APPROVED),
        to_state=State.VOIDED,
        roles=(Role.ENGINEER, Role.REVIEWER, Role.DELIVERER),
        rules=(Rule.CHANGED_BYTES,),
    ),
)
"""Every move there is; each action has one row."""

STAGE_ROLES: MappingProxyType[Stage, tuple[Role, ...]] = MappingProxyType(
    {
        Stage.INIT: (Role.STEWARD,),
        Stage.EXTRACT: (Role.ENGINEER,),
        Stage.CHECK: (Role.ENGINEER,),
        Stage.PROTECT: (Role.ENGINEER,),
        Stage.COMMIT: (Role.ENGINEER,),
        Stage.TRAIN: (Role.ENGINEER,),
        Stage.PACKAGE: (Role.ENGINEER,),
        Stage.REQUEST: (Role.ENGINEER,),
        Stage.REVIEW: (Role.REVIEWER,),
        Stage.DELIVER: (Role.DELIVERER,),
        Stage.RECALL: (Role.DELIVERER,),
        Stage.RECEIVE: tuple(Role),
        Stage.KEYS: (Role.STEWARD, Role.CUSTODIAN),
        Stage.REVEAL: (Role.CUSTODIAN,),
    }
)
"""Who may sign which stage. `agents` is not here: `Directory.from_envelopes` judges it by the directory before it."""

LEGAL_TEXT_REGIMES: frozenset[str] = frozenset({"police-directive"})
"""Regimes whose data may leave for another purpose only where a law says so (Directive (EU) 2016/680, art. 9(1))."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What the rules look at."""

    agent: Agent
    directory: Directory
    requester: str
    channel: str
    allowed_channels: Collection[str]
    expires: date | None
    today: date
    requested_digest: str
    present_digest: str


def may(
    action: str,
    *,
    request_state: str,
    agent: Agent,
    directory: Directory,
    today: date,
    requester: str = "",
    channel: str = "",
    allowed_channels: Collection[str] = (),
    expires: date | None = None,
    requested_digest: str = "",
    present_digest: str = "",
) -> Move:
    """Allow a move on a request, or say who may make it. Whatever is left out counts against the move.

    Args:
        action: one of `Action`.
        request_state: one of `State`; `absent` before there is a request.
        agent: who acts; their entry in `directory`.
        directory: the present directory of agents.
        today: the date to judge by.
        requester: name of the agent who made the request (who acts, for `request`).
        channel: the request's channel.
        allowed_channels: the channels that the use case allows.
        expires: last day on which the request may be acted on.
        requested_digest: SHA-256 of what the request names (its manifest or file).
        present_digest: SHA-256 of the same thing now.

    Returns:
        The row of the table; `to_state` is where the request stands afterwards.

    Raises:
        NotAllowedError: `move-not-allowed` (no such action or not from this state), `role-missing`, `own-request`,
            `request-void` (the bytes changed), `channel-not-allowed`, `request-expired`; checked in this order.
    """
    move = _row(action, request_state)
    case = _Case(
        agent=agent,
        directory=directory,
        requester=requester,
        channel=channel,
        allowed_channels=allowed_channels,
        expires=expires,
        today=today,
        requested_digest=requested_digest,
        present_digest=present_digest,
    )
    _check_role(move, case)
    for rule in move.rules:
        _RULES[rule](move, case)
    return move


def check_channel(
    channel: str,
    *,
    allowed_channels: Collection[str],
    purpose: str,
    allowed_purposes: Collection[str],
    regime: str,
    legal_text: str | None = None,
) -> Channel:
    """Whether a use case may send anything by this channel for this purpose.

    Args:
        channel: one of `Channel`.
        allowed_channels: the channels that the spec opens.
        purpose: what the recipient will do.
        allowed_purposes: the purposes that the spec opens on this channel; anything else is refused.
        regime: the law of the source's processing, `gdpr` or `police-directive`.
        legal_text: the text that lets data leave the police regime.

    Returns:
        The channel.

    Raises:
        NotAllowedError: `channel-not-allowed`, when the channel is unknown or closed, the purpose is not one of its
            purposes, or police data would leave without a legal text (Directive (EU) 2016/680, art. 9(1)).
    """
    if channel not in set(Channel) or channel not in allowed_channels:
        raise _channel_error("a channel that the use case does not open", allowed_channels)
    if purpose not in allowed_purposes:
        raise _channel_error(f"a purpose that the use case does not allow on `{channel}`", allowed_channels)
    if regime in LEGAL_TEXT_REGIMES and not (legal_text or "").strip():
        raise _channel_error(
            f"data under the police directive leaving by `{channel}` without a legal text", allowed_channels
        )
    return Channel(channel)


def check_author(statement: Statement, directory: Directory) -> Agent | None:
    """Whether the signer of a verified statement held, at its time, a role that it needs.

    `STAGE_ROLES` says which, but for the destruction of an epoch's keys: it is the custodian's alone, since a secret
    that is told destroyed is destroyed wherever it is still found.

    Args:
        statement: from a verified envelope.
        directory: the newest one; it remembers those before it.

    Returns:
        The agent; None for an `agents` statement, which `Directory.from_envelopes` has judged already.

    Raises:
        NotAllowedError: `agent-unknown` or `role-missing`.
    """
    if statement.stage is Stage.AGENTS:
        return None
    destroys = statement.stage is Stage.KEYS and statement.facts.get("change") == "destroy"
    return directory.author(statement, roles=(Role.CUSTODIAN,) if destroys else STAGE_ROLES[statement.stage])


def diagram() -> str:
    """The table of moves as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2"]
    for move in MOVES:
        for start in move.from_states:
            origin = "[*]" if start is State.ABSENT else str(start)
            roles = " or ".join(str(role) for role in move.roles)
            lines.append(f"    {origin} --> {move.to_state}: {move.action} ({roles})")
    return "\n".join(lines)


def _row(action: str, state: str) -> Move:
    for move in MOVES:
        if move.action == action and state in move.from_states:
            return move
    possible = sorted(str(move.action) for move in MOVES if state in move.from_states)
    known = state in set(State)
    raise NotAllowedError(
        "move-not-allowed",
        asked=f"{action} a release" if action in set(Action) else "make an unknown move on a release",
        found=f"a request that is {state}" if known else "a request in an unknown state",
        expected=f"from here only: {', '.join(possible)}" if possible else "nothing more; this state is final",
        todo="look at the request with `curator show`; make a new request where this one has ended",
    )


def _check_role(move: Move, case: _Case) -> None:
    listed = case.directory.agent(case.agent.name)
    if listed != case.agent:
        raise _refusal("agent-unknown", move, case=case, found="an agent whose entry is not the directory's")
    if not listed.roles.intersection(move.roles):
        held = ", ".join(sorted(str(role) for role in listed.roles)) or "no role"
        raise _refusal("role-missing", move, case=case, found=f"{listed.name}, who holds {held}")


def _others_request(move: Move, case: _Case) -> None:
    if not case.requester or case.requester == case.agent.name:
        found = "the agent who made the request" if case.requester else "a request without a requester"
        raise _refusal("own-request", move, case=case, found=found)


def _same_bytes(move: Move, case: _Case) -> None:
    if not case.requested_digest or case.requested_digest != case.present_digest:
        raise _refusal(
            "request-void", move, case=case, found="bytes other than those that the request names", todo=_NEW_REQUEST
        )


def _changed_bytes(move: Move, case: _Case) -> None:
    if not (case.requested_digest and case.present_digest) or case.requested_digest == case.present_digest:
        raise _refusal(
            "move-not-allowed", move, case=case, found="bytes that are still those that the request names", todo=_REFUSE
        )


def _channel_allowed(move: Move, case: _Case) -> None:
    if case.channel not in set(Channel) or case.channel not in case.allowed_channels:
        raise _channel_error("a channel that the use case does not open", case.allowed_channels)


def _in_time(move: Move, case: _Case) -> None:
    if case.expires is None or case.today > case.expires:
        found = "no last day set" if case.expires is None else f"a last day past, {case.expires.isoformat()}"
        raise _refusal("request-expired", move, case=case, found=found, todo=_NEW_REQUEST)


_RULES: dict[Rule, Callable[[Move, _Case], None]] = {
    Rule.OTHERS_REQUEST: _others_request,
    Rule.SAME_BYTES: _same_bytes,
    Rule.CHANGED_BYTES: _changed_bytes,
    Rule.CHANNEL_ALLOWED: _channel_allowed,
    Rule.IN_TIME: _in_time,
}

_NEW_REQUEST = "make a new request (`curator release request`) and have it reviewed"
_REFUSE = "let a reviewer refuse the request instead, if it should not go on"


def _able(move: Move, case: _Case) -> str:
    """The roles that the move needs and the names of the agents who could make it."""
    names = {name for role in move.roles for name in case.directory.holding(role)}
    if Rule.OTHERS_REQUEST in move.rules:
        names.discard(case.requester)
    roles = " or ".join(str(role) for role in move.roles)
    return f"{roles} ({', '.join(sorted(names)) or 'nobody yet'})"


def _refusal(code: str, move: Move, *, case: _Case, found: str, todo: str = "") -> NotAllowedError:
    rules = ", ".join(str(rule) for rule in move.rules) or "none"
    return NotAllowedError(
        code,
        asked=f"{move.action} a release",
        found=found,
        expected=f"{_able(move, case)}; further rules: {rules}",
        todo=todo or f"ask one of them, or a steward ({', '.join(case.directory.holding(Role.STEWARD))}) for the role",
    )


def _channel_error(found: str, allowed: Collection[str]) -> NotAllowedError:
    opened = ", ".join(sorted(set(allowed) & set(Channel))) or "none"
    return NotAllowedError(
        "channel-not-allowed",
        asked="send something out by a channel",
        found=found,
        expected=f"a channel that the spec opens ({opened}), a purpose it lists there, and its legal text if needed",
        todo="choose another channel, or change `channels` in the spec and curate a new version",
    )
