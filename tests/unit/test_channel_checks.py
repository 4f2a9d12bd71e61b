"""What a spec may promise of people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from capital_world import spec_value

from curator.errors import SpecError
from curator.spec import parse_use_case


def refused(value: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as fault:
        parse_use_case(json.dumps(value))
    return str(fault.value)


def with_channel(**changes: Any) -> dict[str, Any]:
    value = spec_value()
    value["channels"] = {"research": {**value["channels"]["research"], **changes}}
    return value


def test_a_receiver_knows_written_fields_that_are_no_tokens() -> None:
    assert parse_use_case(json.dumps(with_channel(knows=["sex", "hour"]))).channels.research is not None
    assert "a token, which nobody knows beforehand" in refused(with_channel(knows=["person"]))
    assert "`phone`, which is not written" in refused(with_channel(knows=["phone"]))


def test_anonymous_beside_a_token_is_refused() -> None:
    assert "no token among the fields" in refused(with_channel(claim="anonymous"))


@pytest.mark.parametrize("word", ["anonymous", "Anonymised", "anonyme", "données anonymisées"])
@pytest.mark.parametrize("place", ["title", "description", "licence"])
def test_the_word_is_refused_where_nothing_holds_it(word: str, place: str) -> None:
    value = (
        with_channel(licence=f"For {word} data") if place == "licence" else {**spec_value(), place: f"Some {word} rows"}
    )
    assert "`pseudonymised`, or a channel with `claim: anonymous`" in refused(value)


def test_the_word_is_allowed_where_the_gate_holds_it() -> None:
    value = with_channel(claim="anonymous")
    value["fields"] = {name: field for name, field in value["fields"].items() if field.get("protect") != "token"}
    for name in ("nir", "licence_number", "plate"):
        value["fields"][name] = {"meaning": "Who.", "identifier": "direct", "protect": "drop"}
    value["title"] = "Anonymous rows"
    assert parse_use_case(json.dumps(value)).title == "Anonymous rows"
