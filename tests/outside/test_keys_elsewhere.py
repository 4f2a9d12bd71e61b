"""A capital whose secrets come from a secret manager: made with them, used with them, and none of them written down."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from outside_world import spec_of

from curator.capital import Capital, RunOptions
from curator.errors import SecretError

ROOT, EPOCH = "5a" * 32, "c3" * 32


@pytest.mark.parametrize("by_file", [False, True])
def test_a_capital_is_founded_on_the_secrets_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_file: bool
) -> None:
    if by_file:
        held = tmp_path / "held.key"
        held.touch(mode=0o600)
        held.write_text(ROOT)
        monkeypatch.setenv("CURATOR_ROOT_KEY_FILE", str(held))
    else:
        monkeypatch.setenv("CURATOR_ROOT_KEY", ROOT)
    monkeypatch.setenv("CURATOR_EPOCH_KEY_1", EPOCH)
    capital = Capital.create(tmp_path / "capital", holder="Agency")
    (tmp_path / "table.csv").write_text("id,who,x\n1,a,5\n2,b,6\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(json.dumps(spec_of({"x": "integer"})))
    assert capital.curate(spec, RunOptions(data=tmp_path)).ref == "outside@1.0.0"
    written = [path for path in (tmp_path / "capital").rglob("*") if path.is_file()]
    assert not [path for path in written if ROOT.encode() in path.read_bytes() or EPOCH.encode() in path.read_bytes()]
    assert not (tmp_path / "capital" / ".curator" / "keys" / "root.key").exists()


@pytest.mark.parametrize("value", ["", "short", "zz" * 32])
def test_a_secret_that_cannot_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CURATOR_ROOT_KEY", value)
    with pytest.raises(SecretError):
        Capital.create(tmp_path / "capital", holder="Agency")
    assert os.listdir(tmp_path) == []


def test_a_key_to_trust_that_is_not_there_sends_nobody_to_a_private_folder(tmp_path: Path) -> None:
    from curator import open_package

    with pytest.raises(SecretError) as caught:
        open_package(tmp_path / "any.cur", trust=tmp_path / "holder.pub")
    assert (caught.value.code, "private" in str(caught.value)) == ("key-missing", False)
    assert "holder.pub" in caught.value.todo
