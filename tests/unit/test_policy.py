"""The rules of release: every cell of action x state x role, then each rule by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from curator.agents import Agent, Directory, Role
from curator.errors import NotAllowedError
from curator.evidence import Artifact, Stage, Statement
from curator.policy import (
    MOVES,
    STAGE_ROLES,
    Action,
    Channel,
    Move,
    Rule,
    State,
    check_author,
    check_channel,
    diagram,
    may,
)

SINCE = "2026-01-01T00:00:00Z"
TODAY = date(2026, 6, 15)


def agent(name: str, *roles: Role) -> Agent:
    number = sum(name.encode()) + 7
    return Agent(name=name, public=f"{number:064x}", roles=frozenset(roles), since=SINCE)


DIRECTORY = Directory(
    (
        *(agent(f"the-{role}", role) for role in Role),
        agent("nobody"),
        agent("everything", *Role),
        agent("rita", Role.REVIEWER),
    )
)

GOOD: dict[str, Any] = {
    "directory": DIRECTORY,
    "today": TODAY,
    "requester": "the-engineer",
    "channel": "research",
    "allowed_channels": ("research", "industry"),
    "expires": date(2026, 6, 15),
    "requested_digest": "a" * 64,
    "present_digest": "a" * 64,
}

# The table once more, written by hand, so that a change of the one in the code is a change that somebody decided.
ALLOWED = {
    ("request", "absent", "engineer"): "requested",
    ("approve", "requested", "reviewer"): "approved",
    ("refuse", "requested", "reviewer"): "refused",
    ("deliver", "approved", "deliverer"): "delivered",
    ("recall", "delivered", "deliverer"): "recalled",
    **{
        ("void", state, role): "voided"
        for state in ("requested", "approved")
        for role in ("engineer", "reviewer", "deliverer")
    },
}


def facts(action: str, **changes: Any) -> dict[str, Any]:
    """Facts under which every rule of an action holds."""
    changed = {"present_digest": "b" * 64} if action == "void" else {}
    return GOOD | changed | changes


def refused(action: str, state: str, name: str, **changes: Any) -> NotAllowedError:
    directory = changes.get("directory", DIRECTORY)
    with pytest.raises(NotAllowedError) as caught:
        may(action, request_state=state, agent=directory.agent(name), **facts(action, **changes))
    assert caught.value.exit_code == 14
    return caught.value


CELLS = list(itertools.product(Action, State, [*Role, None]))


def test_every_cell_is_tried() -> None:
    assert len(CELLS) == len(Action) * len(State) * (len(Role) + 1)
    assert {move.action for move in MOVES} == set(Action)
    assert len(MOVES) == len(Action)


@pytest.mark.parametrize(("action", "state", "role"), CELLS, ids=str)
def test_cell(action: str, state: str, role: str | None) -> None:
    name = f"the-{role}" if role else "nobody"
    expected = ALLOWED.get((str(action), str(state), str(role)))
    if expected:
        move = may(action, request_state=state, agent=DIRECTORY.agent(name), **facts(action))
        assert move.to_state == expected
        return
    fault = refused(action, state, name)
    possible = any(key[:2] == (str(action), str(state)) for key in ALLOWED)
    assert fault.code == ("role-missing" if possible else "move-not-allowed")


@pytest.mark.parametrize(
    ("action", "state"),
    [("", "requested"), ("publish", "requested"), ("Approve", "requested"), ("approve", ""), ("approve", "Requested")],
)
def test_unknown_words_are_refused(action: str, state: str) -> None:
    assert refused(action, state, "everything").code == "move-not-allowed"


def test_final_states_say_so() -> None:
    for state in (State.REFUSED, State.RECALLED, State.VOIDED):
        assert "final" in refused("deliver", state, "everything").expected
    assert refused("deliver", "requested", "everything").expected == "from here only: approve, refuse, void"


def test_the_error_says_who_may() -> None:
    fault = refused("approve", "requested", "the-deliverer")
    assert fault.found == "the-deliverer, who holds deliverer"
    assert fault.expected.startswith("reviewer (everything, rita, the-reviewer)")
    assert "everything, the-steward" in fault.todo
    own = refused("approve", "requested", "rita", requester="rita")
    assert own.expected.startswith("reviewer (everything, the-reviewer)")
    small = Directory((agent("the-steward", Role.STEWARD),))
    assert "nobody yet" in refused("approve", "requested", "the-steward", directory=small).expected


# ---- rules -----------------------------------------------------------------------------------------------------


BREAKS: dict[Rule, list[dict[str, Any]]] = {
    Rule.OTHERS_REQUEST: [{"requester": "everything"}, {"requester": ""}],
    Rule.IN_TIME: [{"expires": date(2026, 6, 14)}, {"expires": None}],
    Rule.CHANNEL_ALLOWED: [
        {"channel": "open"},
        {"channel": ""},
        {"channel": "friends", "allowed_channels": ("friends",)},
        {"allowed_channels": ()},
    ],
    Rule.SAME_BYTES: [
        {"present_digest": "b" * 64},
        {"present_digest": ""},
        {"requested_digest": ""},
        {"requested_digest": "", "present_digest": ""},
    ],
    Rule.CHANGED_BYTES: [{"present_digest": "a" * 64}, {"present_digest": ""}, {"requested_digest": ""}],
}
CODES = {
    Rule.OTHERS_REQUEST: "own-request",
    Rule.IN_TIME: "request-expired",
    Rule.CHANNEL_ALLOWED: "channel-not-allowed",
    Rule.SAME_BYTES: "request-void",
    Rule.CHANGED_BYTES: "move-not-allowed",
}
WANTED = {
    "request": {Rule.CHANNEL_ALLOWED, Rule.IN_TIME},
    "approve": {Rule.OTHERS_REQUEST, Rule.SAME_BYTES, Rule.CHANNEL_ALLOWED, Rule.IN_TIME},
    "refuse": {Rule.OTHERS_REQUEST},
    "deliver": {Rule.SAME_BYTES, Rule.CHANNEL_ALLOWED, Rule.IN_TIME},
    "recall": set(),
    "void": {Rule.CHANGED_BYTES},
}


OPPOSITE = {Rule.SAME_BYTES: Rule.CHANGED_BYTES, Rule.CHANGED_BYTES: Rule.SAME_BYTES}


@pytest.mark.parametrize("rule", Rule, ids=str)
@pytest.mark.parametrize("move", MOVES, ids=lambda move: str(move.action))
def test_each_rule_guards_the_moves_it_should_and_no_other(move: Move, rule: Rule) -> None:
    everything, wanted = DIRECTORY.agent("everything"), WANTED[move.action]
    for change in BREAKS[rule]:
        given = facts(move.action, **change)
        if rule in wanted:
            with pytest.raises(NotAllowedError) as caught:
                may(move.action, request_state=move.from_states[0], agent=everything, **given)
            assert caught.value.code == CODES[rule]
        elif OPPOSITE.get(rule) not in wanted:
            assert may(move.action, request_state=move.from_states[0], agent=everything, **given) is move


def test_what_is_left_out_counts_against_the_move() -> None:
    bare = {"agent": DIRECTORY.agent("everything"), "directory": DIRECTORY, "today": TODAY}
    for move in MOVES:
        if not move.rules:
            continue
        with pytest.raises(NotAllowedError):
            may(move.action, request_state=move.from_states[0], **bare)


def test_the_last_day_still_counts() -> None:
    given = {"request_state": "approved", "agent": DIRECTORY.agent("the-deliverer")}
    assert may("deliver", **given, **facts("deliver", today=date(2026, 6, 15)))
    assert refused("deliver", "approved", "the-deliverer", today=date(2026, 6, 16)).code == "request-expired"


def test_an_entry_that_is_not_the_directorys_is_refused() -> None:
    stronger = replace(DIRECTORY.agent("nobody"), roles=frozenset(Role))
    for forged in (stronger, agent("mallory", *Role)):
        with pytest.raises(NotAllowedError) as caught:
            may("approve", request_state="requested", agent=forged, **facts("approve"))
        assert caught.value.code == "agent-unknown"


def test_several_roles_do_not_lift_the_four_eyes() -> None:
    assert refused("approve", "requested", "everything", requester="everything").code == "own-request"
    assert may(
        "deliver",
        request_state="approved",
        agent=DIRECTORY.agent("everything"),
        **facts("deliver", requester="everything"),
    )


# ---- channels --------------------------------------------------------------------------------------------------

TERMS: dict[str, Any] = {
    "allowed_channels": ("open", "research", "industry"),
    "purpose": "road-safety",
    "allowed_purposes": ("road-safety",),
    "regime": "gdpr",
}


def test_the_channels_are_exactly_three() -> None:
    assert [str(channel) for channel in Channel] == ["open", "research", "industry"]
    for channel in Channel:
        assert check_channel(channel, **TERMS) is channel


@pytest.mark.parametrize(
    ("channel", "changes", "found"),
    [
        ("friends", {"allowed_channels": ("friends",)}, "a channel"),
        ("Open", {}, "a channel"),
        ("", {}, "a channel"),
        ("open", {"allowed_channels": ("research",)}, "a channel"),
        ("open", {"purpose": "marketing"}, "a purpose"),
        ("open", {"purpose": ""}, "a purpose"),
        ("open", {"allowed_purposes": ()}, "a purpose"),
        ("open", {"regime": "police-directive"}, "without a legal text"),
        ("open", {"regime": "police-directive", "legal_text": " "}, "without a legal text"),
        ("research", {"regime": "police-directive"}, "without a legal text"),
        ("industry", {"regime": "police-directive", "legal_text": None}, "without a legal text"),
    ],
)
def test_closed_channels(channel: str, changes: dict[str, Any], found: str) -> None:
    with pytest.raises(NotAllowedError) as caught:
        check_channel(channel, **TERMS | changes)
    assert caught.value.code == "channel-not-allowed"
    assert caught.value.found.startswith(found) or found in caught.value.found


def test_police_data_leaves_with_its_legal_text() -> None:
    for channel in Channel:
        assert check_channel(channel, **TERMS | {"regime": "police-directive", "legal_text": "Décret 2026-1"})


# ---- who may sign which stage ----------------------------------------------------------------------------------


def test_every_stage_but_agents_has_its_roles() -> None:
    assert set(STAGE_ROLES) | {Stage.AGENTS} == set(Stage)


@pytest.mark.parametrize(("stage", "role"), list(itertools.product(STAGE_ROLES, Role)), ids=str)
def test_authors(stage: Stage, role: Role) -> None:
    author = DIRECTORY.agent(f"the-{role}")
    statement = Statement(
        stage=stage, subjects=(Artifact("x", "0" * 64),), agent=author.name, keyid=author.keyid, time=SINCE
    )
    if role in STAGE_ROLES[stage]:
        assert check_author(statement, DIRECTORY) is author
        return
    with pytest.raises(NotAllowedError) as caught:
        check_author(statement, DIRECTORY)
    assert caught.value.code == "role-missing"


@pytest.mark.parametrize("role", list(Role), ids=str)
def test_only_a_custodian_tells_that_keys_are_destroyed(role: Role) -> None:
    author = DIRECTORY.agent(f"the-{role}")
    statement = Statement(
        stage=Stage.KEYS, subjects=(Artifact("epoch 1", "0" * 64),), agent=author.name, keyid=author.keyid, time=SINCE,
        facts={"change": "destroy", "epoch": "1"},
    )  # fmt: skip
    if role is Role.CUSTODIAN:
        assert check_author(statement, DIRECTORY) is author
        return
    with pytest.raises(NotAllowedError) as caught:
        check_author(statement, DIRECTORY)
    assert caught.value.code == "role-missing"


def test_changes_of_the_agents_are_judged_elsewhere() -> None:
    statement = Statement(
        stage=Stage.AGENTS, subjects=(Artifact("x", "0" * 64),), agent="unknown", keyid="0" * 64, time=SINCE
    )
    assert check_author(statement, DIRECTORY) is None


# ---- documentation ---------------------------------------------------------------------------------------------


def test_the_diagram_shows_every_move() -> None:
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2\n")
    assert len(drawn.splitlines()) == 1 + sum(len(move.from_states) for move in MOVES)
    assert "    [*] --> requested: request (engineer)" in drawn
    assert "    approved --> voided: void (engineer or reviewer or deliverer)" in drawn


def test_the_reference_shows_this_diagram() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/reference/evidence.md"
    assert diagram() in page.read_text(encoding="utf-8")
