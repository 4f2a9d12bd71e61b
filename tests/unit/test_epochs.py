"""Epochs of keys and reveal: rotated, destroyed for ever, opened only by a custodian, and all of it in the evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from capital_world import SECRET, curate, empty_capital, spec_value, write_spec

from curator.capital import Capital, RunOptions
from curator.cli import main
from curator.edges.keys import FileKeys
from curator.epochs import read_epochs
from curator.errors import CuratorError, NotAllowedError, SecretError, UsageError
from curator.identifiers import canonical
from curator.records import DatasetVersion


def small(version: str = "1.0.0", **person: Any) -> dict[str, Any]:
    value = spec_value(version=version, disclosure={"k": 1, "suppress": 0.5})
    value["fields"]["person"] |= person
    return value


def made(tmp: Path) -> Capital:
    """A capital as `curator init` makes it, with its keeper."""
    capital = Capital.create(tmp / "capital", holder="Observatory")
    capital.add_agent("keeper", roles=["custodian"])
    return capital


def tokens(version: DatasetVersion, column: str = "person") -> set[bytes]:
    found = {token for split in version.splits for token in version.table(split, [column]).column(column).to_pylist()}
    return found - {None}


def refused(code: str, kind: type[CuratorError], call: Any) -> CuratorError:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    return caught.value


# ---- epochs ----------------------------------------------------------------------------------------------------------


def test_a_new_capital_has_one_epoch_with_a_secret_of_its_own(tmp_path: Path) -> None:
    capital = made(tmp_path)
    (epoch,) = capital.epochs()
    assert (epoch.name, epoch.state, epoch.own_secret) == ("1", "current", True)
    path = capital.workspace.private / "keys" / "epochs" / "1.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert epoch.key_id not in path.read_text()
    assert capital.verify() == ()


def test_a_capital_of_a_given_root_keeps_the_tokens_of_that_root(tmp_path: Path, demo_base: Path) -> None:
    """Versions of earlier curators, and of a workspace made again from its root, keep their keys."""
    one, two = empty_capital(tmp_path / "one"), empty_capital(tmp_path / "two")
    assert [(epoch.name, epoch.state, epoch.own_secret) for epoch in one.epochs()] == [("1", "current", False)]
    assert tokens(curate(one, demo_base)) == tokens(curate(two, demo_base))
    one.add_agent("keeper", roles=["custodian"])
    one.rotate_keys()
    keeper = Capital.open(one.workspace.root, agent="keeper")
    refused("epoch-in-use", UsageError, lambda: keeper.destroy_keys("1", reason="over"))
    again = curate(one, demo_base, spec=spec_value(version="1.0.1"), epoch="1")
    assert tokens(again) == tokens(one.dataset("road-accidents@1.0.0"))


def test_rotation_changes_every_token_and_the_old_epoch_can_still_be_used(tmp_path: Path, demo_base: Path) -> None:
    capital = made(tmp_path)
    first = curate(capital, demo_base, spec=small())
    epoch = capital.rotate_keys()
    assert (epoch.name, epoch.current) == ("2", True)
    second = curate(capital, demo_base, spec=small("1.1.0"))
    third = curate(capital, demo_base, spec=small("1.2.0"), epoch="1")
    assert not tokens(first) & tokens(second)
    assert tokens(first) == tokens(third)
    assert [(found.name, found.state) for found in capital.epochs()] == [("1", "past"), ("2", "current")]
    assert capital.rotate_keys("2027-spring").name == "2027-spring"
    refused("epoch-name", UsageError, lambda: capital.rotate_keys("2"))
    refused("epoch-name", UsageError, lambda: capital.rotate_keys("../1"))
    refused("epoch-unknown", SecretError, lambda: curate(capital, demo_base, spec=small("1.3.0"), epoch="9"))
    assert capital.verify() == ()


def test_a_destroyed_epoch_is_gone_for_ever(tmp_path: Path, demo_base: Path) -> None:
    capital = made(tmp_path)
    version = curate(capital, demo_base, spec=small(method="siv"))
    token = sorted(tokens(version))[0].hex()
    keeper = Capital.open(capital.workspace.root, agent="keeper")
    refused("epoch-in-use", UsageError, lambda: keeper.destroy_keys("1", reason="retention is over"))
    capital.rotate_keys()
    refused("role-missing", NotAllowedError, lambda: capital.destroy_keys("1", reason="retention is over"))
    refused("reason-missing", UsageError, lambda: keeper.destroy_keys("1", reason=" \n"))
    path = capital.workspace.private / "keys" / "epochs" / "1.key"
    copy = path.read_bytes()
    epoch = keeper.destroy_keys("1", reason="retention is over")
    assert (epoch.state, path.exists()) == ("destroyed", False)
    refused("epoch-destroyed", SecretError, lambda: curate(capital, demo_base, spec=small("1.1.0"), epoch="1"))
    call = lambda: keeper.reveal(version.ref, column="person", token=token, reason="order 1")  # noqa: E731
    refused("epoch-destroyed", SecretError, call)
    refused("epoch-destroyed", SecretError, lambda: keeper.destroy_keys("1", reason="again"))
    # What a crash, or a restored backup, left behind is not used but destroyed.
    path.write_bytes(copy)
    path.chmod(0o600)
    assert [found.state for found in Capital.open(capital.workspace.root).epochs()] == ["destroyed", "current"]
    assert not path.exists()
    statement = [env.statement for env in capital.evidence.unverified() if env.statement.stage == "keys"][-1]
    assert (statement.agent, statement.facts["change"], statement.facts["epoch"]) == ("keeper", "destroy", "1")
    assert capital.verify() == ()


def test_neither_the_root_nor_the_epoch_secret_alone_gives_a_key(tmp_path: Path) -> None:
    private = tmp_path
    keys = FileKeys(private, {"CURATOR_ROOT_KEY": SECRET.hex()})
    keys.create_epoch("1")
    root = keys.epoch_root("1")
    assert len(root) == 32
    assert FileKeys(private, {"CURATOR_ROOT_KEY": bytes(32).hex()}).epoch_root("1") != root
    keys.create_epoch("2")
    assert keys.epoch_root("2") != root
    secret = (private / "keys" / "epochs" / "1.key").read_text().strip()
    elsewhere = FileKeys(private / "none", {"CURATOR_ROOT_KEY": SECRET.hex(), "CURATOR_EPOCH_KEY_1": secret})
    assert elsewhere.epoch_root("1") == root
    refused("key-held-elsewhere", SecretError, lambda: elsewhere.destroy_epoch("1"))
    refused("key-exists", SecretError, lambda: keys.create_epoch("1"))
    refused("key-malformed", SecretError, lambda: keys.epoch_root("../x"))
    for bad in ("", "00", "zz" * 32, "00" * 33):
        broken = FileKeys(private, {"CURATOR_ROOT_KEY": SECRET.hex(), "CURATOR_EPOCH_KEY_1": bad})
        refused("key-malformed", SecretError, lambda broken=broken: broken.epoch_root("1"))  # type: ignore[misc]
    (private / "keys" / "epochs" / "1.key").chmod(0o644)
    refused("key-readable-by-others", SecretError, lambda: keys.epoch_root("1"))


def test_a_lost_or_exchanged_secret_is_an_error_and_never_a_default(tmp_path: Path, demo_base: Path) -> None:
    capital = made(tmp_path)
    path = capital.workspace.private / "keys" / "epochs" / "1.key"
    path.rename(path.with_suffix(".away"))
    refused("key-missing", SecretError, lambda: curate(capital, demo_base, spec=small()))
    path.write_text("ab" * 32)
    path.chmod(0o600)
    refused("key-another", SecretError, lambda: curate(capital, demo_base, spec=small()))
    assert capital.datasets() == ()
    assert not list((capital.workspace.root / "datasets").glob("*/*"))


def test_a_change_signed_without_the_role_does_not_count(tmp_path: Path) -> None:
    capital = made(tmp_path)
    capital.rotate_keys()
    directory = capital.directory()
    told = [env for env in capital.evidence.unverified() if env.statement.stage == "keys"]
    assert len(read_epochs(told, directory=directory)) == 2
    from dataclasses import replace

    stranger = replace(told[1], statement=replace(told[1].statement, agent="nobody"))
    assert [epoch.name for epoch in read_epochs([told[0], stranger], directory=directory)] == ["1"]


# ---- reveal ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> tuple[Capital, DatasetVersion]:
    capital = made(tmp_path_factory.mktemp("sealed"))
    capital.add_agent("both", roles=["custodian", "engineer"])
    return capital, curate(capital, demo_base, spec=small(method="siv"))


def keeper_of(capital: Capital, name: str = "keeper") -> Capital:
    return Capital.open(capital.workspace.root, agent=name)


def test_the_custodian_reveals_with_a_reason_that_stays(
    sealed: tuple[Capital, DatasetVersion], demo_base: Path
) -> None:
    capital, version = sealed
    token = sorted(tokens(version))[3].hex()
    found = keeper_of(capital).reveal(version.ref, column="person", token=token, reason="Order 12 of the court")
    people = canonical(parquet.read_table(demo_base / "persons.parquet")["nir"].cast("string"), "nir").to_pylist()
    assert found.value in people
    assert found.value not in repr(found)
    statement = capital.evidence.read(found.statement).statement
    assert (statement.stage, statement.agent) == ("reveal", "keeper")
    assert statement.facts["reason"] == "Order 12 of the court"
    written = b"".join(path.read_bytes() for path in (capital.workspace.root / "evidence").rglob("*.json"))
    assert found.value.encode() not in written
    assert token.encode() not in written
    assert capital.verify() == ()


def test_nobody_else_reveals(sealed: tuple[Capital, DatasetVersion], capsys: pytest.CaptureFixture[str]) -> None:
    capital, version = sealed
    token = sorted(tokens(version))[0].hex()
    before = len(capital.evidence.unverified())
    for agent, code in (("holder", "role-missing"), ("both", "roles-together")):
        call = lambda agent=agent: keeper_of(capital, agent).reveal(  # noqa: E731
            version.ref, column="person", token=token, reason="because"
        )
        refused(code, NotAllowedError, call)
        words = ["--capital", str(capital.workspace.root), "--as", agent, "reveal", version.ref]
        assert main([*words, "--column", "person", "--token", token, "--reason", "because"]) == 14
    assert len(capital.evidence.unverified()) == before
    assert "error[" in capsys.readouterr().err


def test_what_cannot_be_revealed_is_refused(sealed: tuple[Capital, DatasetVersion], demo_base: Path) -> None:
    capital, version = sealed
    keeper = keeper_of(capital)
    token = sorted(tokens(version))[0].hex()
    plate = sorted(tokens(version, "vehicle_plate"))[0].hex()

    def reveal(column: str = "person", token: str = token, reason: str = "because") -> Any:
        return lambda: keeper.reveal(version.ref, column=column, token=token, reason=reason)

    refused("token-one-way", UsageError, reveal(column="vehicle_plate", token=plate))
    refused("token-one-way", UsageError, reveal(column="nobody"))
    refused("token-one-way", UsageError, reveal(column="role"))
    refused("token-malformed", UsageError, reveal(token="0x12"))
    refused("token-malformed", UsageError, reveal(token=token[:-1]))
    refused("token-absent", UsageError, reveal(token="00" * 32))
    refused("reason-missing", UsageError, reveal(reason=""))
    refused("reason-missing", UsageError, reveal(reason="x" * 501))
    value = keeper.reveal(version.ref, column="person", token=token, reason="because").value
    error = refused("reason-names-person", UsageError, reveal(reason=f"about {value[:1]} {value[1:3]}-{value[3:]} !"))
    assert value not in str(error)


def test_the_commands(tmp_path: Path, demo_base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capital = made(tmp_path)
    root = str(capital.workspace.root)
    spec = write_spec(tmp_path, small(method="siv"))
    version = capital.curate(spec, RunOptions(data=demo_base))
    assert main(["--capital", root, "keys", "rotate"]) == 0
    capsys.readouterr()
    assert main(["--capital", root, "--json", "keys", "list"]) == 0
    listed = json.loads(capsys.readouterr().out)["epochs"]
    assert [(epoch["name"], epoch["state"], epoch["own_secret"]) for epoch in listed] == [
        ("1", "past", True),
        ("2", "current", True),
    ]
    token = sorted(tokens(version))[0].hex()
    words = ["--capital", root, "--as", "keeper", "--json", "--quiet"]
    capsys.readouterr()
    assert main([*words, "reveal", version.ref, "--column", "person", "--token", token, "--reason", "order"]) == 0
    assert json.loads(capsys.readouterr().out)["column"] == "person"
    assert main([*words, "keys", "destroy", "1", "--reason", "over"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "destroyed"
    assert main([*words, "reveal", version.ref, "--column", "person", "--token", token, "--reason", "order"]) == 18
    assert main(["--capital", root, "--as", "keeper", "keys", "list"]) == 0
