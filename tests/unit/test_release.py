"""Release: who may ask, review, deliver and recall, for which bytes, until when."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from package_world import SPEC, START, UNTIL, Key, World

from curator import release
from curator.canonical import sha256_bytes, sha256_file
from curator.errors import CuratorError, IntegrityError, SpecError, StorageError, UsageError
from curator.evidence import Envelope, Stage
from curator.lifecycle import Request, Terms, bytes_digest
from curator.package_file import PackageReader
from curator.policy import State
from curator.spec.model import UseCase


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def code(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(CuratorError) as raised:
        call()
    return raised.value.code, raised.value.exit_code


# ---- asking ---------------------------------------------------------------------------------------------------


def test_a_request_binds_the_exact_bytes(world: World) -> None:
    asked = Request.read(world.request(models=True))
    assert [(item.name, item.digest) for item in asked.artifacts] == [
        ("road-accidents@1.0.0", sha256_file(world.folder / "dataset/manifest.json")),
        ("road-severity@1.0.0", sha256_file(world.folder / "model/manifest.json")),
    ]
    assert asked.id == "R-" + asked.digest[:10]
    assert asked.requester == "ada"
    assert asked.terms == Terms(
        channel="research", purpose="road-safety", recipient="Université d'Été", until=UNTIL, licence="Agreement 12"
    )


REFUSED_REQUESTS: dict[str, tuple[dict[str, Any], str, int]] = {
    "a closed channel": ({"channel": "industry"}, "channel-not-allowed", 14),
    "an unknown channel": ({"channel": "friends"}, "channel-not-allowed", 14),
    "a private attribute as channel": ({"channel": "terms"}, "channel-not-allowed", 14),
    "another purpose": ({"purpose": "advertising"}, "channel-not-allowed", 14),
    "a last day that is past": ({"until": date(2026, 1, 4)}, "request-expired", 14),
    "a last day too far": ({"until": START.date() + timedelta(days=401)}, "release-too-long", 14),
    "no recipient": ({"recipient": " "}, "release-statement", 15),
    "no version": ({"manifests": []}, "release-subjects", 2),
}


@pytest.mark.parametrize("name", REFUSED_REQUESTS)
def test_a_request_is_refused_by_default(name: str, world: World) -> None:
    changes, *expected = REFUSED_REQUESTS[name]
    assert code(lambda: world.request(**changes)) == tuple(expected)


@pytest.mark.parametrize("days", [0, 400])
def test_first_and_last_possible_day(days: int, world: World) -> None:
    asked = world.request(until=START.date() + timedelta(days=days))
    assert Request.read(asked).terms.until == START.date() + timedelta(days=days)


@pytest.mark.parametrize("agent", ["bob", "dan", "holder"])
def test_only_engineers_ask(agent: str, world: World) -> None:
    assert code(lambda: world.request(signer=world.keys[agent])) == ("role-missing", 14)


def test_a_stranger_cannot_ask(world: World) -> None:
    assert code(lambda: world.request(signer=Key.of("mallory"))) == ("agent-unknown", 14)


def test_models_leave_only_where_the_spec_lets_them(world: World) -> None:
    asked = {"channel": "open", "purpose": "any"}
    assert world.request(**asked)
    assert code(lambda: world.request(models=True, **asked)) == ("channel-not-allowed", 14)
    assert code(lambda: world.request(manifests=[world.model], **asked)) == ("channel-not-allowed", 14)


def test_two_datasets_need_two_requests(world: World) -> None:
    assert code(lambda: world.request(manifests=[world.dataset, world.dataset])) == ("release-subjects", 2)


def test_police_data_needs_a_legal_text(tmp_path: Path) -> None:
    spec = copy.deepcopy(SPEC)
    spec["law"] |= {"regime": "police-directive", "basis": "law-enforcement"}
    (tmp_path / "a").mkdir()
    world = World(tmp_path / "a", spec=spec)
    assert code(world.request) == ("channel-not-allowed", 14)
    spec["channels"]["research"]["legal_text"] = "Code de la sécurité intérieure, art. L. 1"
    (tmp_path / "b").mkdir()
    assert World(tmp_path / "b", spec=spec).request()


def test_a_version_of_another_spec_is_refused(world: World) -> None:
    other = replace(world.dataset, about={"spec": sha256_bytes(b"other")})
    with pytest.raises(SpecError) as raised:
        world.request(manifests=[other])
    assert raised.value.code == "release-spec"


# ---- reviewing ------------------------------------------------------------------------------------------------


def test_nobody_reviews_their_own_request(world: World) -> None:
    asked = world.request(signer=world.keys["eve"])
    for decision in ("approve", "refuse"):
        assert code(lambda decision=decision: world.review(asked, signer=world.keys["eve"], decision=decision)) == (
            "own-request",
            14,
        )
    assert world.review(asked)


@pytest.mark.parametrize("agent", ["ada", "dan", "holder"])
def test_only_reviewers_review(agent: str, world: World) -> None:
    assert code(lambda: world.review(world.request(), signer=world.keys[agent])) == ("role-missing", 14)


def test_other_bytes_void_the_request(world: World) -> None:
    asked = world.request()
    changed = replace(world.dataset, version="1.0.1")
    assert code(lambda: world.review(asked, manifests=[changed])) == ("request-void", 14)
    assert code(lambda: world.review(asked, manifests=[world.dataset, world.model])) == ("request-void", 14)


def test_an_old_request_cannot_be_approved_but_can_be_refused(world: World) -> None:
    asked = world.request(until=START.date())
    world.now += timedelta(days=1)
    assert code(lambda: world.review(asked)) == ("request-expired", 14)
    assert world.review(asked, decision="refuse")


@pytest.mark.parametrize("changes", [{"decision": "perhaps"}, {"reason": " "}])
def test_a_decision_and_a_reason_are_needed(changes: dict[str, str], world: World) -> None:
    with pytest.raises(UsageError) as raised:
        world.review(world.request(), **changes)
    assert raised.value.code == "review-decision"


def test_a_request_is_judged_once(world: World) -> None:
    asked = world.request()
    world.review(asked)
    assert code(lambda: world.review(asked, signer=world.keys["eve"])) == ("move-not-allowed", 14)


def test_the_spec_is_the_one_that_the_request_names(world: World) -> None:
    asked = world.request()
    other = UseCase.model_validate_json(world.use_case.model_dump_json(by_alias=True).replace("Road acc", "Other acc"))
    assert code(lambda: world.review(asked, use_case=other)) == ("release-spec", 10)


# ---- delivering -----------------------------------------------------------------------------------------------


def test_states_follow_from_statements_alone(world: World) -> None:
    def state(envelope: Envelope) -> State:
        return release.status(world.evidence, envelope.digest, directory=world.directory)

    asked, refused = world.request(), world.request(recipient="Other")
    assert state(asked) is State.REQUESTED
    world.review(asked)
    world.review(refused, decision="refuse")
    assert (state(asked), state(refused)) == (State.APPROVED, State.REFUSED)
    delivery = world.deliver(asked)
    assert state(asked) is State.DELIVERED
    recall = {"evidence": world.evidence, "directory": world.directory}
    world.keep(
        release.recall(delivery.envelope, reason="error found", signer=world.keys["dan"], now=world.tick(), **recall)
    )
    assert (state(asked), state(refused)) == (State.RECALLED, State.REFUSED)
    assert code(
        lambda: release.recall(delivery.envelope, reason="x", signer=world.keys["dan"], now=world.tick(), **recall)
    ) == ("move-not-allowed", 14)


@pytest.mark.parametrize("prepare", ["unreviewed", "refused", "delivered"])
def test_only_an_approved_request_is_delivered(prepare: str, world: World) -> None:
    asked = world.request()
    if prepare != "unreviewed":
        world.review(asked, decision="refuse" if prepare == "refused" else "approve")
    if prepare == "delivered":
        world.deliver(asked)
    destination = world.folder / "again.cur"
    assert code(lambda: world.deliver(asked, destination=destination)) == ("move-not-allowed", 14)
    assert not destination.exists()


def test_a_review_that_does_not_count_changes_nothing(world: World) -> None:
    """Statements written around this verb, straight into the evidence, approve nothing."""
    asked = world.request(signer=world.keys["eve"])
    subjects = asked.statement.subjects
    facts = {"decision": "approve", "reason": "x", "request": asked.digest}
    parts: dict[str, Any] = {"subjects": subjects, "previous": (asked.digest,), "facts": facts}
    world.keep(world.sign(Stage.REVIEW, "eve", **parts))  # the requester
    world.keep(world.sign(Stage.REVIEW, "ada", **parts))  # no reviewer
    world.keep(world.sign(Stage.REVIEW, "bob", **{**parts, "facts": {**facts, "request": "0" * 64}}))
    world.keep(world.sign(Stage.DELIVER, "ada", **{**parts, "facts": {}}))  # no deliverer
    assert release.status(world.evidence, asked.digest, directory=world.directory) is State.REQUESTED
    assert code(lambda: world.deliver(asked)) == ("move-not-allowed", 14)


@pytest.mark.parametrize("agent", ["ada", "bob", "holder"])
def test_only_deliverers_deliver(agent: str, world: World) -> None:
    asked = world.request()
    world.review(asked)
    assert code(lambda: world.deliver(asked, signer=world.keys[agent])) == ("role-missing", 14)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a changed byte": lambda folder: (folder / "README.md").write_bytes(b"x" * (folder / "README.md").stat().st_size),
    "a longer file": lambda folder: (folder / "README.md").write_bytes((folder / "README.md").read_bytes() + b"x"),
    "a missing file": lambda folder: (folder / "README.md").unlink(),
    "a missing shard": lambda folder: (folder / "data/train/part-00000.parquet").unlink(),
    "a link": lambda folder: (folder / "data/train").rename(folder / "x") and (folder / "data/train").symlink_to("/"),
    "a missing manifest": lambda folder: (folder / "manifest.json").unlink(),
    "an empty manifest": lambda folder: (folder / "manifest.json").write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_leaves_is_what_was_reviewed(damage: str, world: World) -> None:
    asked = world.request()
    world.review(asked)
    DAMAGES[damage](world.folder / "dataset")
    before = sorted(world.folder.iterdir())
    assert code(lambda: world.deliver(asked)) == ("request-void", 14)
    assert sorted(world.folder.iterdir()) == before


def test_a_republished_version_under_the_same_name_is_not_what_was_reviewed(world: World) -> None:
    asked = world.request()
    world.review(asked)
    changed = replace(world.dataset, about={**world.dataset.about, "note": "x"})
    (world.folder / "dataset/manifest.json").write_bytes(changed.to_bytes())
    assert code(lambda: world.deliver(asked)) == ("request-void", 14)


def test_the_right_folders_are_needed(world: World) -> None:
    asked = world.request(models=True)
    world.review(asked)
    dataset, model = world.folder / "dataset", world.folder / "model"
    assert code(lambda: world.deliver(asked, folders={"dataset": dataset})) == ("request-void", 14)
    assert code(lambda: world.deliver(asked, folders={"dataset": model, "model": dataset})) == ("request-void", 14)


def test_a_delivery_after_the_last_day_is_refused(world: World) -> None:
    asked = world.request(until=START.date())
    world.review(asked)
    world.now += timedelta(days=1)
    assert code(lambda: world.deliver(asked)) == ("request-expired", 14)


def test_a_delivery_says_what_it_is(world: World) -> None:
    asked = world.request()
    review = world.review(asked)
    delivery = world.deliver(asked)
    assert delivery.path == world.folder / "road-accidents-1.0.0.cur"
    assert delivery.sha256 == sha256_file(delivery.path)
    with PackageReader(delivery.path) as reader:
        assert reader.envelope == delivery.envelope.data
    assert {asked.digest, review.digest} <= set(delivery.envelope.statement.previous)
    assert delivery.request.digest == asked.digest


def test_the_same_delivery_gives_the_same_bytes(world: World) -> None:
    asked = world.request()
    world.review(asked)
    now = world.tick()
    one, two = (
        release.deliver(
            asked,
            folders={"dataset": world.folder / "dataset"},
            destination=world.folder / name,
            use_case=world.use_case,
            evidence=world.evidence,
            signer=world.keys["dan"],
            directory=world.directory,
            now=now,
        )
        for name in ("one.cur", "two.cur")
    )
    assert one.sha256 == two.sha256


def test_a_package_is_not_overwritten(world: World) -> None:
    asked = world.request()
    world.review(asked)
    (world.folder / "road-accidents-1.0.0.cur").write_bytes(b"")
    with pytest.raises(StorageError) as raised:
        world.deliver(asked)
    assert raised.value.code == "package-exists"


def test_missing_evidence_stops_a_delivery(world: World) -> None:
    asked = world.request()
    review = world.review(asked)
    (commit,) = [item for item in world.evidence.unverified() if item.statement.stage is Stage.EXTRACT]
    (world.folder / commit.path).unlink()
    with pytest.raises(IntegrityError) as raised:
        world.deliver(asked)
    assert raised.value.code == "evidence-missing"
    assert review


def test_a_request_is_found_by_its_short_name(world: World) -> None:
    asked = world.request()
    for name in (f"R-{asked.digest[:10]}", asked.digest):
        assert release.find_request(world.evidence, name, directory=world.directory).digest == asked.digest
    with pytest.raises(UsageError):
        release.find_request(world.evidence, "R-0000000000", directory=world.directory)


def test_bytes_digest_tells_names_and_order_apart(world: World) -> None:
    one, two = Request.read(world.request(models=True)).artifacts
    assert bytes_digest([one, two]) == bytes_digest([two, one])
    assert len({bytes_digest(found) for found in ([one], [two], [one, two], [])}) == 4
