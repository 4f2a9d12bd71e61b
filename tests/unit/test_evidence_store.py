"""The store of evidence: what follows what, what is missing, and that every fault is named."""

from __future__ import annotations

import itertools
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from curator.edges.keys import AgentSigner, create_agent_key, load_signer
from curator.errors import IntegrityError
from curator.evidence import Artifact, Envelope, EvidenceStore, Stage, Statement, sign_statement


def digest(name: str) -> str:
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()


@dataclass
class Bench:
    """A folder of evidence and a hand that writes into it."""

    folder: Path
    signer: AgentSigner
    seconds: int = 0
    written: dict[str, Envelope] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, bytes]:
        return {self.signer.keyid: self.signer.public}

    @property
    def store(self) -> EvidenceStore:
        return EvidenceStore(self.folder)

    def add(
        self,
        stage: Stage,
        made: str,
        *,
        used: tuple[str, ...] = (),
        after: tuple[str, ...] = (),
        clock: int | None = None,
    ) -> str:
        self.seconds += 1
        moment = self.seconds if clock is None else clock
        statement = Statement(
            stage=stage,
            subjects=(Artifact(made, digest(made)),),
            inputs=tuple(Artifact(name, digest(name)) for name in used),
            previous=after,
            agent=self.signer.name,
            keyid=self.signer.keyid,
            time=f"2026-01-{1 + moment // 86400:02}T{moment // 3600 % 24:02}:{moment // 60 % 60:02}:{moment % 60:02}Z",
        )
        envelope = sign_statement(statement, self.signer)
        self.put(envelope.path.removeprefix("evidence/"), envelope.data)
        self.written[envelope.digest] = envelope
        return envelope.digest

    def put(self, relative: str, data: bytes) -> Path:
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / f"{name}.json"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> AgentSigner:
    private = tmp_path_factory.mktemp("private")
    create_agent_key(private, "alice")
    return load_signer(private, "alice", environ={})


@pytest.fixture
def bench(tmp_path: Path, signer: AgentSigner) -> Bench:
    return Bench(tmp_path / "evidence", signer)


@pytest.fixture
def lineage(bench: Bench) -> dict[str, str]:
    """Two datasets, a model made from the first, and what is said about them."""
    names: dict[str, str] = {}
    names["init"] = bench.add(Stage.INIT, "workspace")
    for number in ("1", "2"):
        names[f"extract{number}"] = bench.add(
            Stage.EXTRACT, f"sample{number}", used=(f"source{number}",), after=(names["init"],)
        )
        names[f"commit{number}"] = bench.add(Stage.COMMIT, f"data{number}", used=(f"sample{number}",))
    names["train"] = bench.add(Stage.TRAIN, "model", used=("data1",))
    names["request"] = bench.add(Stage.REQUEST, "data1", used=("data1",), after=(names["commit1"],))
    names["recall"] = bench.add(Stage.RECALL, "data1", after=(names["request"],))
    return names


def test_an_absent_folder_is_an_empty_store(bench: Bench) -> None:
    store = bench.store
    assert store.unverified() == ()
    assert list(store.envelopes({})) == []
    assert store.heads() == ()
    assert store.faults({}) == []


def test_statements_come_ancestors_first(bench: Bench, lineage: dict[str, str]) -> None:
    order = [envelope.digest for envelope in bench.store.envelopes(bench.keys)]
    assert sorted(order) == sorted(lineage.values())
    for envelope in bench.written.values():
        assert all(order.index(envelope.digest) > order.index(previous) for previous in envelope.statement.previous)


def test_order_follows_links_rather_than_clocks(bench: Bench) -> None:
    late = bench.add(Stage.INIT, "first", clock=50)
    early = bench.add(Stage.EXTRACT, "second", after=(late,), clock=10)
    between = bench.add(Stage.INIT, "third", clock=40)
    assert [envelope.digest for envelope in bench.store.unverified()] == [between, late, early]


def test_heads_are_followed_by_nothing(bench: Bench, lineage: dict[str, str]) -> None:
    free = {"extract1", "extract2", "commit2", "train", "recall"}
    assert bench.store.heads() == tuple(sorted(lineage[name] for name in free))


def test_about_finds_every_statement_with_that_subject(bench: Bench, lineage: dict[str, str]) -> None:
    found = bench.store.about(digest("data1"), keys=bench.keys)
    assert [envelope.digest for envelope in found] == [lineage[name] for name in ("commit1", "request", "recall")]
    assert bench.store.about(digest("nothing")) == ()


def test_closure_walks_both_kinds_of_link_back_to_the_source(bench: Bench, lineage: dict[str, str]) -> None:
    found = {envelope.digest for envelope in bench.store.closure([lineage["train"]], keys=bench.keys)}
    assert found == {lineage[name] for name in ("train", "commit1", "extract1", "init")}


def test_closure_leads_to_what_was_said_about_a_thing_only_by_name(bench: Bench, lineage: dict[str, str]) -> None:
    found = {envelope.digest for envelope in bench.store.closure([lineage["recall"]])}
    assert found == {lineage[name] for name in ("recall", "request", "commit1", "extract1", "init")}


def test_closure_of_several_is_their_union(bench: Bench, lineage: dict[str, str]) -> None:
    store = bench.store
    both = store.closure([lineage["commit1"], lineage["commit2"], lineage["commit1"]])
    single = set(store.closure([lineage["commit1"]])) | set(store.closure([lineage["commit2"]]))
    assert len(both) == len(single)
    assert {envelope.digest for envelope in both} == {envelope.digest for envelope in single}


def test_a_keyed_and_a_plain_digest_are_never_the_same_thing(bench: Bench, signer: AgentSigner) -> None:
    made = bench.add(Stage.EXTRACT, "sample")
    statement = Statement(
        stage=Stage.COMMIT,
        subjects=(Artifact("data", digest("data")),),
        inputs=(Artifact("sample", digest("sample"), "curatorHmacSha256"),),
        agent=signer.name,
        keyid=signer.keyid,
        time="2026-01-01T00:00:00Z",
    )
    envelope = sign_statement(statement, signer)
    bench.put(envelope.path.removeprefix("evidence/"), envelope.data)
    assert made not in {found.digest for found in bench.store.closure([envelope.digest])}


def test_inputs_that_lead_round_in_a_circle_end(bench: Bench) -> None:
    first = bench.add(Stage.EXTRACT, "egg", used=("hen",))
    second = bench.add(Stage.EXTRACT, "hen", used=("egg",))
    assert {envelope.digest for envelope in bench.store.closure([first])} == {first, second}


def test_a_missing_statement_is_an_error(bench: Bench, lineage: dict[str, str]) -> None:
    store = bench.store
    bench.path(lineage["init"]).unlink()
    for ask in (lambda: store.read(lineage["init"]), lambda: store.closure([lineage["train"]])):
        with pytest.raises(IntegrityError) as caught:
            ask()
        assert caught.value.code == "evidence-missing"
    for name in ("", "../../etc/passwd", "A" * 64, lineage["init"] + "\n"):
        with pytest.raises(IntegrityError, match="evidence-missing"):
            store.read(name)


def test_reading_by_digest_checks_the_bytes(bench: Bench, lineage: dict[str, str]) -> None:
    store = bench.store
    assert store.read(lineage["train"]) == bench.written[lineage["train"]]
    bench.path(lineage["train"]).write_bytes(bench.written[lineage["init"]].data)
    with pytest.raises(IntegrityError, match="evidence-changed"):
        store.read(lineage["train"])
    with pytest.raises(IntegrityError, match="evidence-changed"):
        store.heads()


def test_an_open_store_sees_what_is_added_and_removed(bench: Bench) -> None:
    store = bench.store
    first = bench.add(Stage.INIT, "workspace")
    assert store.heads() == (first,)
    second = bench.add(Stage.EXTRACT, "sample", after=(first,))
    assert store.heads() == (second,)
    bench.path(second).unlink()
    assert store.heads() == (first,)


def test_unknown_signers_are_refused_by_name_of_the_file(bench: Bench, lineage: dict[str, str]) -> None:
    store = bench.store
    asks = (lambda: list(store.envelopes({})), lambda: store.about(digest("model"), keys={}))
    for ask in (*asks, lambda: store.closure([lineage["train"]], keys={})):
        with pytest.raises(IntegrityError) as caught:
            ask()
        assert caught.value.code == "signer-unknown"
        assert "evidence/" in caught.value.asked


# ---- faults ----------------------------------------------------------------------------------------------------


def test_a_sound_store_has_no_fault(bench: Bench, lineage: dict[str, str]) -> None:
    assert bench.store.faults(bench.keys) == []


def test_each_kind_of_fault_is_one_sentence_naming_the_file(
    bench: Bench, lineage: dict[str, str], tmp_path: Path
) -> None:
    store = bench.store
    store.heads()  # what was read before the harm was done does not hide it
    expected = {}
    bench.path(lineage["train"]).write_bytes(b"")
    expected[lineage["train"]] = "an empty file"
    bench.path(lineage["recall"]).write_bytes(b"garbage")
    expected[lineage["recall"]] = "a name that is not the SHA-256 of the bytes"
    bench.path(lineage["commit2"]).unlink()
    bench.path(lineage["commit2"]).symlink_to(bench.path(lineage["init"]))
    expected[lineage["commit2"]] = "a link or another thing that is not a regular file"
    bench.path(lineage["commit1"]).unlink()
    expected[lineage["request"]] = f"follows the statement {lineage['commit1']}, which is absent"
    other = load_stranger(tmp_path)
    stranger = Bench(bench.folder, other).add(Stage.INIT, "stranger")
    expected[stranger] = "none of the agents' keys"
    garbage = digest("garbage")
    bench.put(f"{garbage[:2]}/{garbage}.json", b"garbage")
    expected[garbage] = "bytes that are not JSON"
    strays = [".DS_Store", f"aa/{'b' * 64}.json", f"aa/{'a' * 64}.json.tmp", "README", f"{'a' * 64}.json"]
    for stray in strays:
        bench.put(stray, b"{}")
        expected[stray] = "a file that is no statement"
    (bench.folder / "zz").symlink_to(bench.folder.parent)
    expected["evidence/zz:"] = "a file that is no statement"
    faults = store.faults(bench.keys)
    assert len(faults) == len(expected), faults
    for name, sentence in expected.items():
        assert [fault for fault in faults if name in fault.split(": ")[0] + ":" and sentence in fault], (name, faults)


def load_stranger(tmp_path: Path) -> AgentSigner:
    create_agent_key(tmp_path / "elsewhere", "mallory")
    return load_signer(tmp_path / "elsewhere", "mallory", environ={})


def test_a_changed_signature_under_its_own_digest_is_found(bench: Bench, signer: AgentSigner, tmp_path: Path) -> None:
    class Forger:
        name, keyid, public = signer.name, signer.keyid, signer.public
        sign = load_stranger(tmp_path).sign

    bench.signer = Forger()  # type: ignore[assignment]
    forged = bench.add(Stage.INIT, "workspace")
    (fault,) = bench.store.faults({signer.keyid: signer.public})
    assert forged in fault
    assert "did not sign" in fault


def test_one_flipped_bit_in_any_file_is_found_and_the_file_named(bench: Bench, lineage: dict[str, str]) -> None:
    dice = random.Random(7)
    store = bench.store
    for _ in range(100):
        name = dice.choice(sorted(lineage.values()))
        path = bench.path(name)
        good = path.read_bytes()
        bad = bytearray(good)
        bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        faults = store.faults(bench.keys)
        assert len(faults) == 1
        assert name in faults[0]
        path.write_bytes(good)
    assert store.faults(bench.keys) == []


def test_a_fifo_does_not_block(bench: Bench, lineage: dict[str, str]) -> None:
    bench.path(lineage["train"]).unlink()
    os.mkfifo(bench.path(lineage["train"]))
    (fault,) = bench.store.faults(bench.keys)
    assert lineage["train"] in fault


@contextmanager
def counted(found: list[int]) -> Iterator[None]:
    """Add how many functions were called, Python's and C's."""
    calls = itertools.count()
    before = sys.getprofile()
    sys.setprofile(lambda _frame, event, _what: next(calls) if event in ("call", "c_call") else None)
    try:
        yield
    finally:
        sys.setprofile(before)
        found.append(next(calls))


def test_cost_is_linear_in_the_number_of_statements(bench: Bench) -> None:
    """A long chain of statements each using what the one before made: the worst shape for a careless walk.

    Calls are counted, not seconds: they are the same on a busy machine.
    """
    calls = []
    after: tuple[str, ...] = ()
    for size in (200, 1000):
        for number in range(len(bench.written), size):
            after = (bench.add(Stage.EXTRACT, f"s{number}", used=(f"s{number - 1}",), after=after),)
        store = bench.store
        with counted(calls):
            assert len(store.closure(after, keys=bench.keys)) == size
            assert store.faults(bench.keys) == []
    assert calls[1] < 7 * calls[0]  # 5 times the statements; a quadratic walk would cost 25 times
