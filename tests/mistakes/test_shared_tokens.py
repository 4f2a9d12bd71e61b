"""Mistake: two recipients, purposes or periods get the same token for the same person, and join their copies."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capital_world import curate, empty_capital, few_guesses, spec_value
from mistakes.red import goes_red

from curator import protection
from curator.capital import Capital, _rekey
from curator.pseudonyms import KeyContext, derive_key
from curator.records import DatasetVersion

TOKENS = ("person", "driver_licence", "vehicle_plate")
NOBODY = KeyContext(holder="h", purpose="p", recipient="r", epoch="e")


def tokens(version: DatasetVersion) -> set[bytes]:
    found: set[bytes] = set()
    for split in version.splits:
        table = version.table(split, TOKENS)
        for name in TOKENS:
            found |= set(table[name].drop_null().to_pylist())
    return found


def spec(name: str = "road-accidents", version: str = "1.0.0") -> dict[str, Any]:
    value = spec_value(name=name, version=version)
    value["fields"]["row"] = {"from": "person_id", "meaning": "To find a row again in this test."}
    return value


def release(folder: Path, base: Path) -> None:
    """Five releases of one base: nothing in common but the rows."""
    capital = empty_capital(folder / "capital")
    versions = [
        curate(capital, base, spec=spec(), recipient="acme"),
        curate(capital, base, spec=spec(version="1.1.0"), recipient="institute"),
        curate(capital, base, spec=spec("placement"), recipient="acme"),
    ]
    capital.rotate_keys()
    versions.append(curate(capital, base, spec=spec(version="1.2.0"), recipient="acme"))
    versions.append(capital.rekey("road-accidents@1.0.0", to="institute"))
    found = [tokens(version) for version in versions]
    assert all(found)
    assert [len(one & other) for one, other in combinations(found, 2)] == [0] * 10


def test_no_token_is_in_two_releases(tmp_path: Path, demo_base: Path) -> None:
    release(tmp_path, demo_base)


@pytest.mark.parametrize("part", ["recipient", "purpose", "epoch"])
def test_it_goes_red_when_a_key_forgets_its_context(
    tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def forgetful(root: bytes, context: KeyContext, *, usage: str, domain: str) -> bytes:
        known = {**vars(context), part: "same"}
        secret = bytes(32) if part == "epoch" else root
        return derive_key(secret, KeyContext(**known), usage=usage, domain=domain)

    monkeypatch.setattr(protection, "derive_key", forgetful)
    goes_red(lambda: release(tmp_path, demo_base))


def rekeyed(folder: Path, base: Path) -> None:
    """Two copies of one version: no token, and no place of a row, links them."""
    capital = empty_capital(folder / "capital")
    source = curate(capital, base, spec=spec())
    one, two = (capital.rekey(source.ref, to=name) for name in ("acme", "institute"))
    assert not tokens(one) & tokens(two)
    assert len(tokens(one)) == len(tokens(two)) == len(tokens(source))
    places = [np.argsort(version.table("train", ["row"])["row"].to_pylist()) for version in (source, one, two)]
    for first, second in combinations(places, 2):
        assert abs(np.corrcoef(first, second)[0, 1]) < 5 / len(first) ** 0.5, "the order of rows links two copies"


def test_rekeyed_copies_cannot_be_joined(tmp_path: Path, demo_base: Path) -> None:
    rekeyed(tmp_path, demo_base)


@pytest.mark.parametrize("usage", ["rekey", "rekey-order"])
def test_it_goes_red_when_recipients_share_a_key(
    tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch, usage: str
) -> None:
    def shared(root: bytes, context: KeyContext, **rest: Any) -> bytes:
        if rest["usage"] != usage:
            return derive_key(root, context, **rest)
        return derive_key(root, NOBODY, usage=usage, domain="same")

    monkeypatch.setattr(_rekey, "derive_key", shared)
    goes_red(lambda: rekeyed(tmp_path, demo_base))


def joined_releases(folder: Path, base: Path) -> None:
    """A version delivered to one is refused to another."""
    from datetime import UTC, datetime, timedelta

    from curator.errors import NotAllowedError

    capital = empty_capital(folder / "capital")
    version = curate(capital, base, spec=spec_value())
    capital.add_agent("reviewer", roles=["reviewer"])
    terms: Any = {
        "channel": "research",
        "purpose": "road-safety-research",
        "until": datetime.now(UTC).date() + timedelta(days=9),
    }
    case = capital.request([version.ref], to="acme", **terms)
    Capital.open(capital.workspace.root, agent="reviewer").review(case.id, approve=True, reason="fine")
    with few_guesses():
        capital.deliver(case.id)
    with pytest.raises(NotAllowedError, match="recipient-shares-tokens"):
        capital.request([version.ref], to="institute", **terms)


def test_delivered_tokens_go_to_nobody_else(tmp_path: Path, demo_base: Path) -> None:
    joined_releases(tmp_path, demo_base)


def test_it_goes_red_without_the_refusal(tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curator.capital import _releases

    monkeypatch.setattr(_releases, "refuse_shared_tokens", lambda *args, **more: None)
    goes_red(lambda: joined_releases(tmp_path, demo_base))
