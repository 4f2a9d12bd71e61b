"""Verify names every file that changed, is missing or was added; trace leads from any file alone to the sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from capital_world import copy_capital, curate, published, spec_value

from curator.agents import Role
from curator.audit import Finding
from curator.canonical import sha256_file
from curator.capital import Capital
from curator.capital._parts import now
from curator.edges.keys import create_agent_key, load_signer, public_pem
from curator.edges.workspace import _publication
from curator.errors import CuratorError, NotAllowedError, UsageError
from curator.evidence import Stage, format_time, sign_statement
from curator.policy import STAGE_ROLES


@pytest.fixture(scope="module")
def copy(whole: Capital, tmp_path_factory: pytest.TempPathFactory) -> Capital:
    """One copy that every test of this module leaves as it found it."""
    return copy_capital(whole, tmp_path_factory.mktemp("verify") / "capital")


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"?"


def replaced(path: Path, data: bytes | None) -> Callable[[], None]:
    """Put other bytes in the file's place (none: remove it), as a new file; the call returned undoes it."""
    aside = path.parents[len(path.parents) - 2].parent / "tmp" / f"aside-{os.getpid()}"
    aside.parent.mkdir(exist_ok=True)
    path.rename(aside)
    if data is not None:
        path.write_bytes(data)
        shutil.copystat(aside, path)  # same size, same time: no index may be fooled by that

    def undo() -> None:
        path.unlink(missing_ok=True)
        aside.rename(path)

    return undo


def names(capital: Capital, path: Path, change: Callable[[Path], Callable[[], None]]) -> str | None:
    """None when verify names the changed file, else what it says instead."""
    name = path.relative_to(capital.workspace.root).as_posix()
    undo = change(path)
    try:
        found = [str(finding) for finding in Capital.open(capital.workspace.root).verify()]
    except CuratorError as refused:
        found = [str(refused)]
    finally:
        undo()
    if any(_says(text, name) for text in found):
        return None
    return "; ".join(found) or "nothing"


def test_a_whole_capital_has_no_fault(copy: Capital) -> None:
    assert copy.verify() == ()


def _says(text: str, name: str) -> bool:
    """A sentence names a file by its path, or a cache object by what it is a copy of."""
    if name.startswith(".dvc/cache/"):
        return "cache object of " in text
    parts = name.split("/")
    return name in text or ("/".join(parts[:3]) in text and "/".join(parts[3:]) in text and len(parts) > 3)


SWEEP = [pytest.param(change, marks=pytest.mark.sweep) for change in ("empty", "append")]


@pytest.mark.parametrize("change", ["flip", "remove", *SWEEP])
def test_every_file_is_named_when_it_changes(change: str, copy: Capital) -> None:
    def do(path: Path) -> Callable[[], None]:
        old = path.read_bytes()
        new = {"flip": flipped(old), "empty": b"", "remove": None, "append": old + b"\n"}[change]
        return replaced(path, new)

    files = published(copy.workspace.root)
    if change == "remove":  # a package is made to go away; everything else must be there
        files = [path for path in files if path.suffix != ".cur"]
    assert len(files) > 45
    missed = {path.relative_to(copy.workspace.root).as_posix(): names(copy, path, do) for path in files}
    assert {name: said for name, said in missed.items() if said} == {}
    assert copy.verify() == ()


PLACES = ["datasets/road-accidents/1.0.0/data/train", "datasets/road-accidents/1.0.0", "models/injury-severity/1.0.0",
          "evidence", "evidence/00", "releases"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["part-00009.parquet", "a.json", ".hidden"])
def test_an_added_file_is_named(place: str, name: str, copy: Capital) -> None:
    path = copy.workspace.root / place / name
    path.parent.mkdir(exist_ok=True)
    folder_mode = path.parent.stat().st_mode
    path.parent.chmod(0o755)
    path.write_bytes(b"added")
    said = [str(finding) for finding in copy.verify()]
    path.unlink()
    path.parent.chmod(folder_mode)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    assert [text for text in said if name in text], said


@pytest.mark.parametrize(
    "place", ["datasets/road-accidents/1.0.1", "models/injury-severity/9.0.0", "datasets/other/1.0.0"]
)
def test_an_added_version_is_named(place: str, copy: Capital) -> None:
    folder = copy.workspace.root / place
    shutil.copytree(copy.workspace.root / "datasets/road-accidents/1.0.0", folder)
    said = [str(finding) for finding in copy.verify()]
    shutil.rmtree(folder)
    if place.startswith("datasets/other"):
        folder.parent.rmdir()
    assert [text for text in said if place in text], said


def test_a_byte_changed_in_place_is_named(copy: Capital) -> None:
    """The cache holds hard links: a write in place, times set back, changes both at once; neither vouches then."""
    path = next((copy.workspace.root / "datasets/road-accidents/1.0.0/data/train").glob("*.parquet"))
    old, times = path.read_bytes(), path.stat()
    path.chmod(0o644)
    path.write_bytes(flipped(old))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    said = [str(finding) for finding in copy.verify()]
    path.write_bytes(old)
    path.chmod(times.st_mode & 0o777)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert any("changed: data/train/part-00000.parquet" in text for text in said), said


def test_every_object_and_reference_of_git_counts(copy: Capital) -> None:
    git = copy.workspace.root / ".git"
    files = [path for part in ("objects", "refs") for path in (git / part).rglob("*") if path.is_file()]
    files += [git / "HEAD"]
    assert len(files) > 60
    missed = {}
    for path in files:
        undo = replaced(path, flipped(path.read_bytes()))
        try:
            found: object = Capital.open(copy.workspace.root).verify()
        except CuratorError as refused:
            found = refused
        finally:
            undo()
        if not found:
            missed[path.relative_to(git).as_posix()] = found
    assert missed == {}
    assert copy.verify() == ()


# ---- trace ----------------------------------------------------------------------------------------------------

SOURCES = {f"source {table}: {table}.parquet" for table in ("persons", "vehicles", "accidents")}


@pytest.mark.parametrize("by", ["path", "digest", "copy elsewhere"])
@pytest.mark.parametrize("file", ["models/injury-severity/1.0.0/model.onnx", "models/injury-severity/1.0.0/README.md",
                                  "datasets/road-accidents/1.0.0/data/test/part-00000.parquet",
                                  "datasets/road-accidents/1.0.0/manifest.json"])  # fmt: skip
def test_a_file_alone_leads_to_the_sources(file: str, by: str, whole: Capital, tmp_path: Path) -> None:
    path = whole.workspace.root / file
    what: Path | str = sha256_file(path) if by == "digest" else path
    if by == "copy elsewhere":
        what = Path(shutil.copyfile(path, tmp_path / "found-on-a-disk"))
    steps = whole.trace(what)
    assert steps[0].stage == ("package" if file.startswith("models") else "commit")
    assert {name for step in steps for name in step.used} >= SOURCES
    assert [step.stage for step in steps][-5:] == ["commit", "protect", "check", "extract", "agents"]


def test_a_package_alone_leads_to_the_sources(whole: Capital) -> None:
    package = next((whole.workspace.root / "releases").glob("*.cur"))
    stages = [step.stage for step in whole.trace(package)]
    assert stages[0] == "deliver"
    assert {"review", "request", "package", "commit", "extract"} <= set(stages)


def test_a_changed_file_has_no_lineage(whole: Capital, tmp_path: Path) -> None:
    model = whole.workspace.root / "models/injury-severity/1.0.0/model.onnx"
    (tmp_path / "model.onnx").write_bytes(flipped(model.read_bytes()))
    with pytest.raises(UsageError) as refused:
        whole.trace(tmp_path / "model.onnx")
    assert refused.value.code == "trace-unknown"


def test_the_lineage_of_a_version_is_its_own(whole: Capital, demo_base: Path, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    again = curate(capital, demo_base, spec=spec_value(version="1.0.1"))
    steps = capital.trace(again.ref)
    assert [step.stage for step in steps] == ["commit", "protect", "check", "extract", "agents", "agents"]
    assert not [step for step in steps if "road-accidents@1.0.0" in str(step)]
    assert capital.verify() == ()


# ---- what an insider can sign, commit or link ------------------------------------------------------------------


def insiders_copy(whole: Capital, tmp_path: Path) -> Capital:
    return copy_capital(whole, tmp_path / "capital")


def git(capital: Capital, *arguments: str) -> None:
    who = ("-c", "user.name=insider", "-c", "user.email=insider@observatory.example")
    subprocess.run(["git", *who, *arguments], cwd=capital.workspace.root, check=True, capture_output=True)


def sign_in(capital: Capital, stage: Stage, *, agent: str, **changes: object) -> str:
    """A statement like one of that stage (or the newest), signed by another agent, committed; returns its path."""
    envelopes = capital.evidence.unverified()
    like = next((each.statement for each in envelopes if each.statement.stage is stage), envelopes[-1].statement)
    signer = load_signer(capital.workspace.private, agent, environ={})
    values = {"stage": stage, "agent": signer.name, "keyid": signer.keyid, "time": format_time(now()), **changes}
    envelope = sign_statement(replace(like, **values), signer)
    path = capital.workspace.root / envelope.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(envelope.data)
    git(capital, "add", "--", envelope.path)
    git(capital, "commit", "--quiet", "--message", "Add a statement")
    return envelope.path


NEEDS = {stage: roles for stage, roles in STAGE_ROLES.items() if set(roles) != set(Role)}


@pytest.mark.parametrize("stage", NEEDS)
def test_a_statement_by_somebody_without_the_role_is_named(stage: Stage, whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    agents = {"reviewer": {Role.REVIEWER}, "holder": {Role.STEWARD, Role.ENGINEER, Role.DELIVERER}}
    agent = next(name for name, roles in agents.items() if not roles.intersection(NEEDS[stage]))
    path = sign_in(capital, stage, agent=agent)
    assert [text for text in map(str, capital.verify()) if path in text and "who was not" in text]


def test_a_lineage_signed_by_somebody_without_the_role_is_refused(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    sign_in(capital, Stage.EXTRACT, agent="reviewer")
    with pytest.raises(NotAllowedError) as refused:
        capital.trace("road-accidents@1.0.0")
    assert refused.value.code == "role-missing"


def test_a_review_of_ones_own_request_is_named(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    capital.add_agent("both", roles=["engineer", "reviewer"])
    asked = sign_in(capital, Stage.REQUEST, agent="both", previous=(capital.directory().digest,))
    request = Path(asked).stem
    facts = {"decision": "approve", "reason": "my own", "request": request}
    judged = sign_in(capital, Stage.REVIEW, agent="both", previous=(request,), facts=facts)
    assert [text for text in map(str, capital.verify()) if judged in text and "who made the request" in text]


def test_a_delivery_that_nobody_reviewed_is_named(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    asked = sign_in(capital, Stage.REQUEST, agent="holder", previous=(capital.directory().digest,))
    like = next(each.statement for each in capital.evidence.unverified() if each.statement.stage is Stage.DELIVER)
    facts = {**like.facts, "request": Path(asked).stem}
    sent = sign_in(capital, Stage.DELIVER, agent="holder", previous=(Path(asked).stem,), facts=facts)
    assert [text for text in map(str, capital.verify()) if sent in text]


@pytest.mark.parametrize("what", ["committed", "staged", "removed again"])
def test_a_secret_in_git_is_named(what: str, whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    git(capital, "add", "--force", ".curator/keys/root.key")
    if what != "staged":
        git(capital, "commit", "--quiet", "--message", "Save all")
    if what == "removed again":
        git(capital, "rm", "--quiet", "--cached", ".curator/keys/root.key")
        git(capital, "commit", "--quiet", "--message", "Undo")
    assert [text for text in map(str, capital.verify()) if text.startswith(".curator/keys/root.key: a private file")]


def test_rows_in_git_are_named(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    git(capital, "add", "--force", "datasets/road-accidents/1.0.0/data/test")
    assert any("data that Git holds" in str(finding) for finding in capital.verify())


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_a_committed_spec_that_did_not_make_the_version_is_named(change: str, whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    name = "specs/road-accidents@1.0.0.yaml"
    path = capital.workspace.root / name
    path.write_bytes(path.read_bytes() + b"\n# another\n") if change == "edited" else path.unlink()
    git(capital, "commit", "--quiet", "--all", "--message", "Change the spec")
    assert [text for text in map(str, capital.verify()) if text.startswith(name)]


LINKED = ["datasets/road-accidents/1.0.0/manifest.json", "models/injury-severity/1.0.0/manifest.json",
          "datasets/road-accidents/1.0.0/data/train", "datasets/road-accidents/1.0.0"]  # fmt: skip


@pytest.mark.parametrize("name", LINKED)
def test_a_link_in_place_of_a_file_or_folder_is_named(name: str, whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    path, aside = capital.workspace.root / name, tmp_path / "aside"
    path.parent.chmod(0o755)
    path.chmod(path.stat().st_mode | 0o200)
    path.rename(aside)
    path.symlink_to(aside)
    said = [str(finding) for finding in capital.verify()]
    assert [text for text in said if path.name in text], said


def test_a_capital_that_cannot_be_written_to_is_verified_all_the_same(
    whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a read-only medium, which root may not write to either; nothing is made beside it."""
    capital = insiders_copy(whole, tmp_path)
    place, true = capital.workspace.private / "tmp", os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != place and true(path, mode))
    monkeypatch.setattr(type(capital.workspace), "scratch", None)
    assert capital.verify() == ()


@pytest.mark.parametrize("name", ["two\nlines", "space and \u00e9", "two\n\ntwo\n\ntwo", "-dash", "'quote\""])
def test_a_capital_stands_in_a_folder_of_any_name(name: str, whole: Capital, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / name)
    assert capital.verify() == ()
    capital.add_agent("another", roles=["auditor"])
    assert capital.trace("injury-severity@1.0.0")
    assert Capital.open(tmp_path / name).verify() == ()


# ---- rejected rows, and the note of their last day -------------------------------------------------------------


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"{}", b'{"until":"tomorrow"}', b'{"until":1}', b"\xff\xfe"])
def test_a_damaged_note_of_rejected_rows_leaves_the_capital_usable(
    note: bytes, whole: Capital, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    capital = insiders_copy(whole, tmp_path)
    kept = capital.workspace.private / "holder/rejected/road-accidents/1.0.0"
    (kept / "facts.json").write_bytes(note)
    assert Capital.open(capital.workspace.root).verify() == ()
    assert (kept / "rows.arrow.sealed").is_file()
    assert "rejected rows of road-accidents@1.0.0" in caplog.text


def test_rejected_rows_go_after_their_last_day(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    kept = capital.workspace.private / "holder/rejected/road-accidents/1.0.0"
    (kept / "facts.json").write_bytes(b'{"until":"2000-01-01"}')
    Capital.open(capital.workspace.root)
    assert not kept.exists()


# ---- a clock that is wrong --------------------------------------------------------------------------------------


def clock(monkeypatch: pytest.MonkeyPatch, **ahead: float) -> datetime:
    """Set the clock that statements are dated by; returns its time."""
    moment = now() + timedelta(**ahead)
    monkeypatch.setattr("curator.capital._parts.now", lambda: moment)
    return moment


@pytest.mark.parametrize("act", ["agent", "curate", "train", "request", "keys"])
def test_nothing_is_signed_by_a_clock_that_was_set_back(
    act: str, whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_base: Path
) -> None:
    """A change of agents dated before the one it follows would leave a capital that nobody can use again."""
    capital = insiders_copy(whole, tmp_path)
    clock(monkeypatch, days=-400)
    acts: dict[str, Callable[[], object]] = {
        "agent": lambda: capital.add_agent("another", roles=["auditor"]),
        "curate": lambda: curate(capital, demo_base, spec=spec_value(version="1.0.1")),
        "train": lambda: capital.train("road-accidents@1.0.0", version="2.0.0"),
        "request": lambda: capital.request(
            ["road-accidents@1.0.0"], to="I", channel="research", purpose="road-safety-research",
            until=now().date(),
        ),
        "keys": capital.rotate_keys,
    }  # fmt: skip
    with pytest.raises(UsageError, match="clock-behind"):
        acts[act]()
    assert Capital.open(capital.workspace.root).verify() == ()


def test_a_clock_a_little_behind_takes_the_time_of_what_it_follows(
    whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capital = insiders_copy(whole, tmp_path)
    capital.add_agent("one", roles=["auditor"])
    newest = max(envelope.statement.time for envelope in capital.evidence.unverified())
    monkeypatch.setattr("curator.capital._parts.now", lambda: datetime.fromisoformat(newest) - timedelta(minutes=50))
    assert capital.add_agent("two", roles=["auditor"]).since == newest
    assert Capital.open(capital.workspace.root).verify() == ()


def test_a_statement_dated_before_what_it_follows_is_named(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    model = next(each for each in capital.evidence.unverified() if each.statement.stage is Stage.PACKAGE)
    moment = datetime.fromisoformat(model.statement.time) - timedelta(days=1)
    path = sign_in(capital, Stage.PACKAGE, agent="holder", time=format_time(moment))
    assert f"{path}: dated before a statement that it follows" in map(str, capital.verify())


def test_another_holders_key_is_named(whole: Capital, tmp_path: Path) -> None:
    capital = insiders_copy(whole, tmp_path)
    public = create_agent_key(tmp_path / "other", "holder")
    (capital.workspace.root / "holder.pub").write_bytes(public_pem(public))
    git(capital, "commit", "--quiet", "--all", "--message", "Another key")
    found = [str(finding) for finding in capital.verify()]
    assert [text.partition(":")[0] for text in found] == ["holder.pub", "holder.pub"]


def test_what_is_being_published_is_no_fault(whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files stand in their place a moment before the branch names them; whoever verifies then looks again after it."""
    capital = insiders_copy(whole, tmp_path)
    placed, looked, true = threading.Event(), threading.Event(), _publication._switch

    def switch(*arguments: object) -> None:
        placed.set()
        looked.wait(60)
        true(*arguments)  # type: ignore[arg-type]

    def faults() -> tuple[Finding, ...]:
        if not seen:
            placed.wait(60)
        seen.append(Capital._faults(capital))
        looked.set()
        return seen[-1]

    seen: list[tuple[Finding, ...]] = []
    monkeypatch.setattr(_publication, "_switch", switch)
    monkeypatch.setattr(capital, "_faults", faults)
    other = Capital.open(capital.workspace.root)
    publishing = threading.Thread(target=lambda: other.add_agent("another", roles=["auditor"]))
    publishing.start()
    assert capital.verify() == ()
    publishing.join()
    assert [bool(found) for found in seen] == [True, False]
