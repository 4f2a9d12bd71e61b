"""Mistake: a key or a part of its context is missing, and something falls back to a default instead of stopping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from capital_world import curate, published, spec_value
from mistakes.red import goes_red

from curator.capital import Capital, _keys
from curator.edges.keys import FileKeys
from curator.errors import CuratorError, SecretError
from curator.pseudonyms import KeyContext, derive_key
from curator.pseudonyms import _keys as derivation

PARTS = ("holder", "purpose", "recipient", "epoch")
WHOLE: dict[str, Any] = dict.fromkeys(PARTS, "x")


def derived(part: str, value: Any) -> None:
    named = {**WHOLE, "usage": "token", "domain": "person", part: value}
    with pytest.raises(SecretError, match="key-context-missing"):
        key_of(**named)


def key_of(*, usage: str, domain: str, **context: Any) -> bytes:
    return derive_key(bytes(32), KeyContext(**context), usage=usage, domain=domain)


CASES = [(part, value) for part in (*PARTS, "usage", "domain") for value in ("", " ", None, 1)]


@pytest.mark.parametrize(("part", "value"), CASES)
def test_a_missing_part_is_an_error(part: str, value: Any) -> None:
    derived(part, value)


@pytest.mark.parametrize("part", [*PARTS, "usage", "domain"])
def test_it_goes_red_with_a_default(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(derivation, "_require_text", lambda name, value: value or "default")
    goes_red(lambda: derived(part, ""))


def run(folder: Path, base: Path, loss: str) -> None:
    """Take a secret away; nothing may be made, and nothing may be left."""
    capital = Capital.create(folder / "capital", holder="Observatory")
    keys = capital.workspace.private / "keys"
    before = published(capital.workspace.root)
    {"root": keys / "root.key", "epoch": keys / "epochs" / "1.key"}[loss].unlink()
    with pytest.raises(SecretError, match="key-missing"):
        curate(capital, base)
    assert published(capital.workspace.root) == before
    assert not list((capital.workspace.private / "tmp").iterdir())


@pytest.mark.parametrize("loss", ["root", "epoch"])
def test_a_lost_secret_stops_the_run_and_leaves_nothing(tmp_path: Path, demo_base: Path, loss: str) -> None:
    run(tmp_path, demo_base, loss)


def test_it_goes_red_when_a_lost_epoch_falls_back_to_the_root(
    tmp_path: Path, demo_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileKeys, "epoch_root", lambda self, name: self.root())
    monkeypatch.setattr(_keys, "key_id", lambda key: _AnyId())  # the second lock: the id in the evidence
    goes_red(lambda: run(tmp_path, demo_base, "epoch"))


class _AnyId(str):
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


@pytest.mark.parametrize("word", ["epoch", "recipient"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_word_of_a_run_is_an_error(tmp_path: Path, demo_base: Path, word: str, value: str) -> None:
    capital = Capital.create(tmp_path / "capital", holder="Observatory")
    with pytest.raises(CuratorError) as caught:
        curate(capital, demo_base, spec=spec_value(), **{word: value})
    assert caught.value.exit_code == SecretError.exit_code
    assert capital.datasets() == ()
