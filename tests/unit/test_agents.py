"""The directory of agents: whom a stranger believes who trusts the holder's key alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.agents import HOLDER, Agent, Directory, Role
from curator.canonical import sha256_json
from curator.edges.keys import AgentSigner, create_agent_key, load_signer
from curator.errors import IntegrityError, NotAllowedError
from curator.evidence import Artifact, Envelope, EvidenceStore, Stage, Statement, open_envelope, sign_statement
from curator.policy import check_author

NAMES = ("holder", "alice", "bob", "carol", "mallory")
SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AgentSigner]:
    private: Path = tmp_path_factory.mktemp("private")
    for name in (*NAMES, "alice.new"):
        create_agent_key(private, name)
    return {name: load_signer(private, name, environ={}) for name in (*NAMES, "alice.new")}


def agent(signer: AgentSigner, *roles: Role, name: str = "") -> Agent:
    return Agent(name=name or signer.name, public=signer.public.hex(), roles=frozenset(roles), since=SINCE)


def stated(
    directory: Directory, signer: AgentSigner, *, after: tuple[Envelope, ...] = (), day: int = 1, **changes: Any
) -> Envelope:
    """The `agents` statement that sets a directory."""
    statement = Statement(
        stage=Stage.AGENTS,
        subjects=(directory.artifact(),),
        previous=tuple(envelope.digest for envelope in after),
        agent=signer.name,
        keyid=signer.keyid,
        time=f"2026-01-{day:02}T00:00:00Z",
        facts=directory.facts(),
    )
    return sign_statement(replace(statement, **changes), signer)


def invalid(envelopes: list[Envelope], holder: AgentSigner, *, code: str = "agents-invalid") -> str:
    with pytest.raises(IntegrityError) as caught:
        Directory.from_envelopes(envelopes, holder.public)
    assert caught.value.code == code
    return caught.value.found


@pytest.fixture(scope="module")
def first(signers: dict[str, AgentSigner]) -> Directory:
    return Directory((agent(signers["holder"], Role.STEWARD), agent(signers["alice"], Role.STEWARD, Role.ENGINEER)))


@pytest.fixture(scope="module")
def second(signers: dict[str, AgentSigner]) -> Directory:
    """Alice keeps the agents no more; bob does, and carol reviews."""
    return Directory(
        (
            agent(signers["holder"], Role.STEWARD),
            agent(signers["alice"], Role.ENGINEER),
            agent(signers["bob"], Role.STEWARD),
            agent(signers["carol"], Role.REVIEWER),
        )
    )


@pytest.fixture(scope="module")
def chain(first: Directory, second: Directory, signers: dict[str, AgentSigner]) -> list[Envelope]:
    root = stated(first, signers["holder"])
    return [root, stated(second, signers["alice"], after=(root,), day=10)]


# ---- agents ----------------------------------------------------------------------------------------------------


def test_an_agent_is_written_plainly(signers: dict[str, AgentSigner]) -> None:
    alice = agent(signers["alice"], Role.STEWARD, Role.ENGINEER)
    public = signers["alice"].public.hex()
    expected = {"name": "alice", "public": public, "roles": ["engineer", "steward"], "since": SINCE}
    assert alice.to_json() == expected
    assert alice.keyid == signers["alice"].keyid


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Alice"},
        {"name": ""},
        {"name": "a/b"},
        {"public": "00"},
        {"public": "A" * 64},
        {"public": "01" + "0" * 62},
        {"public": "ec" + "f" * 60 + "7f"},
        {"roles": frozenset({"king"})},
        {"since": "yesterday"},
    ],
    ids=str,
)
def test_a_wrong_agent_cannot_be_made(changes: dict[str, Any], signers: dict[str, AgentSigner]) -> None:
    with pytest.raises(IntegrityError, match="agents-invalid"):
        replace(agent(signers["alice"], Role.ENGINEER), **changes)


def test_a_weak_key_would_let_anybody_sign(signers: dict[str, AgentSigner]) -> None:
    """Why such keys are refused: one fixed signature verifies for any message under the neutral element."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    weak, sound = bytes.fromhex("01" + "00" * 31), signers["alice"].public
    for message in (b"one", b"another"):
        assert Ed25519PublicKey.from_public_bytes(weak).verify(weak + bytes(32), message) is None
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(sound).verify(weak + bytes(32), message)


# ---- one directory ---------------------------------------------------------------------------------------------


def test_a_directory_is_sorted_and_answers(second: Directory, signers: dict[str, AgentSigner]) -> None:
    assert [listed.name for listed in second.agents] == ["alice", "bob", "carol", "holder"]
    assert second.holding(Role.STEWARD) == ("bob", "holder")
    assert second.holding(Role.DELIVERER) == ()
    assert second.agent("bob") is second.by_keyid[signers["bob"].keyid]
    with pytest.raises(NotAllowedError) as caught:
        second.agent("mallory")
    assert caught.value.code == "agent-unknown"
    assert "bob, holder" in caught.value.todo


def test_what_a_directory_cannot_be(signers: dict[str, AgentSigner]) -> None:
    alice, bob = agent(signers["alice"], Role.STEWARD), agent(signers["bob"])
    faults = {
        "one name": (alice, replace(bob, name="alice")),
        "one public key": (alice, replace(alice, name="bob")),
        "no steward": (bob,),
    }
    for found, agents in faults.items():
        with pytest.raises(IntegrityError, match=found):
            Directory(agents)
    with pytest.raises(IntegrityError, match="no steward"):
        Directory(())


# ---- the chain -------------------------------------------------------------------------------------------------


def test_the_newest_directory_is_found_in_any_order(
    chain: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    for envelopes in (chain, chain[::-1], [*chain, *chain]):
        directory = Directory.from_envelopes(envelopes, signers["holder"].public)
        assert directory.agents == second.agents
        assert directory.digest == chain[1].digest
        assert directory.since == "2026-01-10T00:00:00Z"
        assert [earlier.digest for earlier in directory.past] == [chain[0].digest]


def test_other_stages_are_passed_over(chain: list[Envelope], signers: dict[str, AgentSigner]) -> None:
    other = sign_statement(
        replace(chain[0].statement, stage=Stage.INIT, agent="mallory", keyid=signers["mallory"].keyid),
        signers["mallory"],
    )
    assert Directory.from_envelopes([other, *chain], signers["holder"].public).digest == chain[1].digest


def test_former_keys_still_verify(first: Directory, second: Directory, signers: dict[str, AgentSigner]) -> None:
    renewed = replace(agent(signers["alice.new"], Role.ENGINEER), name="alice")
    third = Directory((agent(signers["bob"], Role.STEWARD), renewed))
    root = stated(first, signers["holder"])
    middle = stated(second, signers["alice"], after=(root,), day=10)
    last = stated(third, signers["bob"], after=(middle,), day=20)
    directory = Directory.from_envelopes([root, middle, last], signers["holder"].public)
    expected = {signers[name].keyid: signers[name].public for name in ("holder", "alice", "bob", "carol", "alice.new")}
    assert directory.keys() == expected
    assert directory.agent("alice").keyid == signers["alice.new"].keyid
    assert open_envelope(middle.data, directory.keys()) == middle


def test_nobody_but_the_holder_begins(first: Directory, signers: dict[str, AgentSigner]) -> None:
    root = stated(first, signers["alice"])
    assert invalid([root], signers["holder"], code="signer-unknown")
    assert invalid([stated(first, signers["holder"])], signers["mallory"], code="signer-unknown")
    assert "no statement" in invalid([], signers["holder"])


def test_only_stewards_of_the_directory_before_and_the_holder_go_on(
    chain: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    allowed = {"bob", "holder"}
    for name in ("holder", "alice", "bob", "carol"):
        following = stated(second, signers[name], after=(chain[1],), day=11)
        if name in allowed:
            found = Directory.from_envelopes([*chain, following], signers["holder"].public)
            assert found.digest == following.digest
        else:
            assert "no steward" in invalid([*chain, following], signers["holder"])
    stranger = stated(second, signers["mallory"], after=(chain[1],), day=11)
    invalid([*chain, stranger], signers["holder"], code="signer-unknown")


def test_a_steward_signs_under_their_own_name(
    chain: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    bob = signers["bob"]
    for name in ("holder", "carol", "nobody"):
        masked = AgentSigner(name=name, public=bob.public, keyid=bob.keyid, _key=bob._key)
        assert "no steward" in invalid([*chain, stated(second, masked, after=(chain[1],), day=11)], signers["holder"])


def test_the_holders_key_signs_under_the_holders_name_only(first: Directory, signers: dict[str, AgentSigner]) -> None:
    holder = signers["holder"]
    masked = AgentSigner(name="alice", public=holder.public, keyid=holder.keyid, _key=holder._key)
    assert "no steward" in invalid([stated(first, masked)], holder)


def test_the_holders_name_and_key_go_together(signers: dict[str, AgentSigner]) -> None:
    holder = signers["holder"]
    thief = Directory((agent(signers["mallory"], Role.STEWARD, name=HOLDER),))
    alias = Directory((agent(holder, Role.STEWARD, name="alice"),))
    for directory in (thief, alias):
        assert "holder" in invalid([stated(directory, holder)], holder)


def test_a_key_never_moves_to_another_name(chain: list[Envelope], signers: dict[str, AgentSigner]) -> None:
    bob = signers["bob"]
    moved = Directory((agent(bob, Role.STEWARD), agent(signers["alice"], Role.REVIEWER, name="alicia")))
    assert "another name" in invalid([*chain, stated(moved, bob, after=(chain[1],), day=11)], signers["holder"])
    gone = Directory((agent(bob, Role.STEWARD),))
    without = stated(gone, bob, after=(chain[1],), day=11)
    back = stated(moved, bob, after=(without,), day=12)
    assert "another name" in invalid([*chain, without, back], signers["holder"])


def test_time_does_not_run_back(chain: list[Envelope], second: Directory, signers: dict[str, AgentSigner]) -> None:
    early = stated(second, signers["bob"], after=(chain[1],), day=9)
    assert "dated before" in invalid([*chain, early], signers["holder"])


def test_the_form_of_the_statement_is_exact(first: Directory, signers: dict[str, AgentSigner]) -> None:
    facts: Any = first.facts()
    alice, holder = facts["agents"]
    wrong: list[Any] = [
        {},
        {"agents": None},
        {"agents": 1},
        {"agents": [1]},
        {"agents": "text"},
        {"agents": [alice, holder], "note": 1},
        {"agents": [holder, alice]},
        {"agents": [alice | {"note": 1}, holder]},
        {"agents": [{key: alice[key] for key in ("name", "public", "roles")}, holder]},
        {"agents": [alice | {"roles": ["steward", "engineer"]}, holder]},
        {"agents": [alice | {"roles": ["engineer", "steward", "steward"]}, holder]},
        {"agents": [alice | {"roles": [["steward"]]}, holder]},
        {"agents": [alice | {"roles": None}, holder]},
        {"agents": [alice | {"name": 1}, holder]},
        {"agents": [alice | {"since": None}, holder]},
        {"agents": [alice | {"public": []}, holder]},
    ]
    for changed in wrong:
        subjects = (Artifact("agents", sha256_json(changed)),)
        invalid([stated(first, signers["holder"], facts=changed, subjects=subjects)], signers["holder"])
    other = (Artifact("agents", "0" * 64),)
    assert "subject" in invalid([stated(first, signers["holder"], subjects=other)], signers["holder"])


def test_an_envelope_is_read_anew_rather_than_believed(
    chain: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    richer = replace(chain[1].statement, facts=Directory((agent(signers["mallory"], Role.STEWARD),)).facts())
    assert "not the one in its bytes" in invalid([chain[0], replace(chain[1], statement=richer)], signers["holder"])
    broken = bytearray(chain[1].data)
    broken[200] ^= 1
    with pytest.raises(IntegrityError):
        Directory.from_envelopes([chain[0], replace(chain[1], data=bytes(broken))], signers["holder"].public)


# ---- branches --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fork(first: Directory, second: Directory, signers: dict[str, AgentSigner]) -> list[Envelope]:
    root = stated(first, signers["holder"])
    other = Directory((agent(signers["holder"], Role.STEWARD), agent(signers["carol"], Role.STEWARD)))
    left = stated(second, signers["alice"], after=(root,), day=10)
    return [root, left, stated(other, signers["alice"], after=(root,), day=12)]


def test_a_fork_is_refused_until_somebody_of_both_sides_ends_it(
    fork: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    invalid(fork, signers["holder"], code="agents-forked")
    for name in ("bob", "carol"):  # a steward of one side only
        end = stated(second, signers[name], after=(fork[1], fork[2]), day=13)
        assert "no steward" in invalid([*fork, end], signers["holder"])
    end = stated(second, signers["holder"], after=(fork[1], fork[2]), day=13)
    directory = Directory.from_envelopes([*fork, end], signers["holder"].public)
    assert directory.digest == end.digest
    assert len(directory.past) == 2


def test_many_forks_cost_little(first: Directory, signers: dict[str, AgentSigner]) -> None:
    """Sixty diamonds in a row have 2**60 paths; each directory is still looked at once."""
    tips = (stated(first, signers["holder"]),)
    envelopes = list(tips)
    for number in range(60):
        sides = tuple(
            stated(first, signers["holder"], after=tips, day=1, inputs=(Artifact(f"{number}{side}", "0" * 64),))
            for side in "ab"
        )
        tips = (stated(first, signers["holder"], after=sides),)
        envelopes += [*sides, *tips]
    directory = Directory.from_envelopes(envelopes, signers["holder"].public)
    assert len(directory.keys()) == 2
    assert directory.author(envelopes[0].statement).name == "holder"


def test_a_long_chain_needs_no_recursion(first: Directory, signers: dict[str, AgentSigner]) -> None:
    envelopes = [stated(first, signers["holder"])]
    for _ in range(1200):
        envelopes.append(stated(first, signers["alice"], after=(envelopes[-1],)))
    directory = Directory.from_envelopes(envelopes, signers["holder"].public)
    assert directory == replace(directory)
    assert len(repr(directory)) < 2000
    assert len(directory.keys()) == 2


# ---- who was allowed what, when --------------------------------------------------------------------------------


def work(signer: AgentSigner, time: str, *, stage: Stage = Stage.COMMIT) -> Statement:
    return Statement(stage=stage, subjects=(Artifact("x", "0" * 64),), agent=signer.name, keyid=signer.keyid, time=time)


BEFORE, START, DURING = "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"
CHANGE, AFTER = "2026-01-10T00:00:00Z", "2026-01-10T00:00:01Z"


@pytest.mark.parametrize(
    ("name", "time", "role", "expected"),
    [
        ("holder", BEFORE, Role.ENGINEER, ""),  # before the first directory the holder is alone
        ("alice", BEFORE, Role.ENGINEER, "agent-unknown"),
        ("holder", DURING, Role.ENGINEER, "role-missing"),
        ("alice", START, Role.ENGINEER, ""),
        ("alice", DURING, Role.STEWARD, ""),
        ("alice", CHANGE, Role.STEWARD, ""),  # both directories count in the second of the change
        ("alice", AFTER, Role.STEWARD, "role-missing"),
        ("alice", AFTER, Role.ENGINEER, ""),
        ("carol", DURING, Role.REVIEWER, "agent-unknown"),
        ("carol", CHANGE, Role.REVIEWER, ""),
        ("carol", "2030-01-01T00:00:00Z", Role.REVIEWER, ""),
        ("mallory", AFTER, Role.REVIEWER, "agent-unknown"),
    ],
)
def test_roles_are_those_of_the_time(
    name: str, time: str, role: Role, expected: str, chain: list[Envelope], signers: dict[str, AgentSigner]
) -> None:
    directory = Directory.from_envelopes(chain, signers["holder"].public)
    statement = work(signers[name], time)
    if not expected:
        assert directory.author(statement, roles=(role,)).name == name
        return
    with pytest.raises(NotAllowedError) as caught:
        directory.author(statement, roles=(role,))
    assert caught.value.code == expected


def test_a_name_counts_only_with_its_key(chain: list[Envelope], signers: dict[str, AgentSigner]) -> None:
    directory = Directory.from_envelopes(chain, signers["holder"].public)
    masked = replace(work(signers["alice"], AFTER), agent="carol")
    with pytest.raises(NotAllowedError, match="agent-unknown"):
        directory.author(masked)


def test_sides_of_a_fork_both_count_until_it_ends(
    fork: list[Envelope], second: Directory, signers: dict[str, AgentSigner]
) -> None:
    end = stated(second, signers["holder"], after=(fork[1], fork[2]), day=20)
    directory = Directory.from_envelopes([*fork, end], signers["holder"].public)
    carol = signers["carol"]
    fifteenth, last = "2026-01-15T00:00:00Z", "2026-01-21T00:00:00Z"
    assert directory.author(work(carol, fifteenth), roles=(Role.STEWARD,))
    assert directory.author(work(carol, fifteenth), roles=(Role.REVIEWER,))
    with pytest.raises(NotAllowedError, match="role-missing"):
        directory.author(work(carol, last), roles=(Role.STEWARD,))


def test_from_a_folder_and_one_key_to_everybody(
    chain: list[Envelope], tmp_path: Path, signers: dict[str, AgentSigner]
) -> None:
    """What a stranger does: the directory from unverified files, its keys to verify all, then who was allowed."""
    review = sign_statement(work(signers["carol"], AFTER, stage=Stage.REVIEW), signers["carol"])
    for envelope in (*chain, review):
        path = tmp_path / envelope.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(envelope.data)
    store = EvidenceStore(tmp_path / "evidence")
    directory = Directory.from_envelopes(store.unverified(), signers["holder"].public)
    assert store.faults(directory.keys()) == []
    authors = [check_author(envelope.statement, directory) for envelope in store.envelopes(directory.keys())]
    assert authors == [None, None, directory.agent("carol")]
