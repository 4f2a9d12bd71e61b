"""Re-keying: two recipients share no token and no order of rows, while each version is consistent in itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from capital_world import curate, empty_capital, spec_value

from curator.capital import Capital
from curator.cli import main
from curator.errors import CuratorError, IntegrityError, NotAllowedError, StorageError, UsageError
from curator.records import DatasetVersion

TOKENS = ("person", "driver_licence", "vehicle_plate")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> tuple[Capital, DatasetVersion]:
    value = spec_value()
    value["fields"]["person"] |= {"method": "siv"}
    value["fields"]["row"] = {"from": "person_id", "meaning": "To find a row again in this test."}
    capital = empty_capital(tmp_path_factory.mktemp("rekey") / "capital")
    return capital, curate(capital, demo_base, spec=value)


@pytest.fixture(scope="module")
def pair(world: tuple[Capital, DatasetVersion]) -> tuple[DatasetVersion, DatasetVersion]:
    capital, version = world
    return capital.rekey(version.ref, to="Institute"), capital.rekey(version.ref, to="Acme, Inc.")


def table(version: DatasetVersion) -> pa.Table:
    return pa.concat_tables([version.table(split) for split in version.splits])


def refused(code: str, kind: type[CuratorError], call: Any) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code


def test_no_token_is_shared(world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]) -> None:
    seen: list[set[bytes]] = []
    for version in (world[1], *pair):
        rows = table(version)
        seen.append({token for name in TOKENS for token in rows[name].drop_null().to_pylist()})
    assert all(seen)
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_each_is_consistent_in_itself(
    world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]
) -> None:
    source = {row["row"]: row for row in table(world[1]).to_pylist()}
    for version in pair:
        rows = table(version).to_pylist()
        assert {row["row"] for row in rows} == set(source)
        for name in TOKENS:
            there: dict[bytes | None, bytes | None] = {}
            back: dict[bytes | None, bytes | None] = {}
            for row in rows:
                old, new = source[row["row"]][name], row[name]
                assert there.setdefault(old, new) == new
                assert back.setdefault(new, old) == old
            assert there.get(None) is None
        others = [name for name in rows[0] if name not in TOKENS]
        assert all([row[name] for name in others] == [source[row["row"]][name] for name in others] for row in rows)


def test_splits_stay_and_the_order_of_rows_links_nothing(
    world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]
) -> None:
    versions = (world[1], *pair)
    for split in world[1].splits:
        orders = [version.table(split, ["row"])["row"].to_pylist() for version in versions]
        assert len({frozenset(order) for order in orders}) == 1
        ranks = [np.array([sorted(order).index(row) for row in order]) for order in orders]
        places = [np.argsort(rank) for rank in ranks]
        for one in range(3):
            for other in range(one):
                assert abs(np.corrcoef(places[one], places[other])[0, 1]) < 5 / len(places[0]) ** 0.5


def test_columns_that_joined_still_join(
    world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]
) -> None:
    for version in pair:
        facts = protect_facts(world[0], version)
        assert facts["fields"]["person"]["key_id"] != protect_facts(world[0], world[1])["fields"]["person"]["key_id"]
        assert facts["context"]["recipient"] in ("Institute", "Acme, Inc.")
        assert facts["rekeyed"]["from"] == world[1].ref


def protect_facts(capital: Capital, version: DatasetVersion) -> Any:
    from curator.capital._reveal import protection_of

    return protection_of(capital, version, directory=capital.directory())


def test_the_version_is_whole(
    world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]
) -> None:
    capital, version = world
    one, two = pair
    assert (one.ref, two.ref) == ("road-accidents-for-institute@1.0.0", "road-accidents-for-acme-inc@1.0.0")
    assert capital.verify() == ()
    assert capital.quality(one.ref)["accepted"] == capital.quality(version.ref)["accepted"]
    assert [step.stage for step in capital.trace(one.ref)][:3] == ["commit", "protect", "commit"]
    old, new = (json.loads((found.folder / "disclosure.json").read_text()) for found in (version, one))
    assert (old["k"], old["l"], old["rows"]) == (new["k"], new["l"], new["rows"])
    assert capital.use_case(one).fields["person"].method is None
    card = (one.folder / "README.md").read_text(encoding="utf-8")
    assert "recipient `Institute`" in card
    assert one.load("train").num_rows == version.manifest.rows["train"]


def test_it_is_reproducible(tmp_path: Path, world: tuple[Capital, DatasetVersion], demo_base: Path) -> None:
    capital, version = world
    again = capital.rekey(version.ref, to="Institute", name="again")
    once = capital.rekey(version.ref, to="Institute", name="once-more")
    rows = [sorted(table(found).to_pylist(), key=lambda row: row["row"]) for found in (again, once)]
    assert rows[0] == rows[1]


def test_what_makes_no_sense_is_refused(
    world: tuple[Capital, DatasetVersion], pair: tuple[DatasetVersion, DatasetVersion]
) -> None:
    capital, version = world
    refused("rekey-pointless", UsageError, lambda: capital.rekey(version.ref, to="internal"))
    refused("rekey-name", UsageError, lambda: capital.rekey(version.ref, to="研究所"))
    refused("version-exists", StorageError, lambda: capital.rekey(version.ref, to="Institute"))
    capital.add_agent("keeper", roles=["custodian"])
    keeper = Capital.open(capital.workspace.root, agent="keeper")
    refused("role-missing", NotAllowedError, lambda: keeper.rekey(version.ref, to="x"))
    token = next(iter(table(pair[0])["person"].drop_null().to_pylist())).hex()
    reveal = lambda: keeper.reveal(pair[0].ref, column="person", token=token, reason="order")  # noqa: E731
    refused("token-one-way", UsageError, reveal)


def test_a_changed_version_is_not_rekeyed(tmp_path: Path, demo_base: Path) -> None:
    capital = empty_capital(tmp_path / "capital")
    version = curate(capital, demo_base)
    shard = next((version.folder / "data").rglob("*.parquet"))
    shard.chmod(0o644)
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.unlink()
    shard.write_bytes(bytes(data))
    refused("version-changed", IntegrityError, lambda: capital.rekey(version.ref, to="x"))


def test_two_recipients_never_get_the_same_tokens(tmp_path: Path, demo_base: Path) -> None:
    """A version delivered to one recipient is refused to another, until it is re-keyed for them."""
    capital = empty_capital(tmp_path / "capital")
    version = curate(capital, demo_base)
    capital.add_agent("reviewer", roles=["reviewer"])
    deliver(capital, version.ref, to="Institute")
    deliver(capital, version.ref, to="Institute")
    terms = {"channel": "research", "purpose": "road-safety-research", "until": soon()}
    refused("recipient-shares-tokens", NotAllowedError, lambda: capital.request([version.ref], to="Acme", **terms))
    root = str(capital.workspace.root)
    assert main(["--capital", root, "--json", "rekey", version.ref, "--to", "Acme"]) == 0
    deliver(capital, "road-accidents-for-acme@1.0.0", to="Acme")
    assert capital.verify() == ()


def soon() -> Any:
    return datetime.now(UTC).date() + timedelta(days=30)


def deliver(capital: Capital, ref: str, *, to: str) -> Path:
    case = capital.request([ref], to=to, channel="research", purpose="road-safety-research", until=soon())
    Capital.open(capital.workspace.root, agent="reviewer").review(case.id, approve=True, reason="the limits hold")
    return capital.deliver(case.id)
