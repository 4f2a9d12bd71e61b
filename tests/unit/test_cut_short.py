"""Commands that were cut short, and two at once: the same command again succeeds, and no two contradict each other."""

from __future__ import annotations

import importlib
import os
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from capital_world import copy_capital

from curator import release
from curator.capital import Capital
from curator.edges.keys import FileKeys, has_root, own_key
from curator.edges.keys._files import read_secret, write_secret
from curator.edges.workspace import Workspace
from curator.errors import NotAllowedError, SecretError, StorageError


def cut(monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool = False) -> None:
    """Make a function the moment at which a process ends: before it does anything, or after it did its work."""
    place, _, attribute = name.rpartition(".")
    try:
        owner: Any = importlib.import_module(place)
    except ModuleNotFoundError:
        place, _, holder = place.rpartition(".")
        owner = getattr(importlib.import_module(place), holder)
    true = getattr(owner, attribute)

    def struck(*args: Any, **kwargs: Any) -> None:
        if after:
            true(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, attribute, struck)


FOUNDING = ["curator.edges.workspace._layout.start_repository", "curator.edges.workspace._layout._commit_files",
            "curator.capital._founding.create_root", "curator.capital._founding.own_key",
            "curator.capital._founding.begin_epoch", "curator.edges.workspace.Workspace.publish"]  # fmt: skip


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", FOUNDING)
def test_a_founding_cut_short_is_completed_by_the_same_call(moment: str, after: bool, tmp_path: Path) -> None:
    root = tmp_path / "capital"
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, moment, after=after)
        with pytest.raises(KeyboardInterrupt):
            Capital.create(root, holder="H")
    if moment.endswith("publish") and after:
        assert Capital.open(root).verify() == ()
        return
    capital = Capital.create(root, holder="H")
    assert capital.verify() == ()
    assert [epoch.name for epoch in capital.epochs()] == ["1"]
    assert capital.current_epoch().key_id
    with pytest.raises(StorageError, match="workspace-exists"):
        Capital.create(root, holder="H")


def test_another_holder_does_not_complete_it(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "capital", holder="H")
    with pytest.raises(StorageError, match="workspace-exists"):
        Capital.create(tmp_path / "capital", holder="Somebody else")


def test_another_root_secret_does_not_complete_it(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "curator.capital._founding.create_root", after=True)
        with pytest.raises(KeyboardInterrupt):
            Capital.create(tmp_path / "capital", holder="H", root_secret=bytes(32))
    with pytest.raises(SecretError, match="key-exists"):
        Capital.create(tmp_path / "capital", holder="H", root_secret=bytes(range(32)))
    assert Capital.create(tmp_path / "capital", holder="H", root_secret=bytes(32)).root_key() == bytes(32)


def test_locks_of_a_killed_git_init_do_not_stay_in_the_way(tmp_path: Path) -> None:
    root = tmp_path / "capital"
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "curator.edges.workspace._layout.start_repository", after=True)
        with pytest.raises(KeyboardInterrupt):
            Capital.create(root, holder="H")
    (root / ".git/config.lock").touch()
    assert Capital.create(root, holder="H").verify() == ()


def test_a_repository_that_was_there_before_is_never_removed(tmp_path: Path) -> None:
    root = tmp_path / "capital"
    Workspace.create(root, holder="H")  # any repository: its own files are what counts
    for name in ("curator.yaml", ".dvc/config", ".dvc/.gitignore"):
        (root / name).unlink()
    (root / ".dvc").rmdir()
    (root / ".git/refs/heads/main").rename(root / "aside")
    (root / ".git/description").write_text("mine")
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "curator.edges.workspace._layout.start_repository")
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                Capital.create(root, holder="H")
    assert (root / ".git/description").read_text() == "mine"


def test_an_agent_whose_listing_was_cut_short_can_be_added(whole: Capital, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    drawn = own_key(capital.workspace.private, "bob")
    assert capital.add_agent("bob", roles=["reviewer"]).public == drawn.hex()
    assert capital.verify() == ()


@pytest.mark.parametrize("left", ["whole", "half destroyed"])
def test_a_rotation_cut_short_does_not_stop_the_next_one(left: str, whole: Capital, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    name = capital.rotate_keys().name
    following = str(int(name) + 1)
    keys = FileKeys(capital.workspace.private, {})
    keys.create_epoch(following)
    secret = capital.workspace.private / f"keys/epochs/{following}.key"
    if left == "half destroyed":
        secret.write_bytes(bytes(65))
    assert capital.rotate_keys().name == following
    assert capital.current_epoch().name == following
    assert capital.verify() == ()


def test_two_agents_added_at_once_do_not_fork_the_directory(
    whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    founding = importlib.import_module("curator.capital._founding")
    true, others = founding._sign, []

    def sign(*args: Any, **kwargs: Any) -> Any:
        if not others:
            adding = Capital.open(capital.workspace.root)
            others.append(threading.Thread(target=adding.add_agent, args=("second",), kwargs={"roles": ["auditor"]}))
            others[0].start()
            others[0].join(
                timeout=0.5
            )  # it waits for the lock; without one it would be done, and both would follow one list
        return true(*args, **kwargs)

    monkeypatch.setattr(founding, "_sign", sign)
    capital.add_agent("first", roles=["auditor"])
    others[0].join(timeout=60)
    assert {"first", "second"} <= {agent.name for agent in capital.directory().agents}
    assert capital.verify() == ()


def test_a_request_delivered_meanwhile_is_not_delivered_twice(
    whole: Capital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    known = capital.requests()[0].terms
    asked = capital.request(
        ["road-accidents@1.0.0"],
        to=known["recipient"],
        channel=known["channel"],
        purpose=known["purpose"],
        until=date.fromisoformat(known["until"]) - timedelta(days=1),  # a request of its own
    )
    Capital.open(capital.workspace.root, agent="reviewer").review(asked.id, approve=True, reason="fine")
    true, inner = release.deliver, []

    def deliver(*args: Any, **kwargs: Any) -> Any:
        made = true(*args, **kwargs)
        if not inner:
            inner.append(None)
            inner.append(Capital.open(capital.workspace.root).deliver(asked.id, into=tmp_path / "first"))
        return made

    monkeypatch.setattr(release, "deliver", deliver)
    with pytest.raises(NotAllowedError, match="move-not-allowed"):
        capital.deliver(asked.id, into=tmp_path / "second")
    assert [*(tmp_path / "second").iterdir()] == []
    assert len([*(tmp_path / "first").iterdir()]) == 1
    assert capital.verify() == ()


# ---- secrets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nameless", [True, False])
def test_a_secret_cut_short_leaves_nothing(nameless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not nameless:
        monkeypatch.setattr("curator.edges.keys._files._link_nameless", lambda path, data: False)
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, "os.fsync")
        with pytest.raises(KeyboardInterrupt):
            write_secret(tmp_path / "keys/a.key", b"secret", what="a key")
    assert [*(tmp_path / "keys").iterdir()] == []
    write_secret(tmp_path / "keys/a.key", b"secret", what="a key")
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["a.key"]
    assert read_secret(tmp_path / "keys/a.key", what="a key") == b"secret"
    assert (tmp_path / "keys/a.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SecretError, match="key-exists"):
        write_secret(tmp_path / "keys/a.key", b"other", what="a key")


def test_a_secret_has_no_name_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, true = [], os.fsync

    def look(handle: int) -> None:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        true(handle)

    monkeypatch.setattr("os.fsync", look)
    write_secret(tmp_path / "a.key", b"secret", what="a key")
    if len(seen[0]):
        pytest.skip("this filesystem has no nameless files")
    assert seen == [[], ["a.key"]]
    assert not has_root(tmp_path)
