"""The words that protect a field, from the spec to the rows: refused where they make no sense, kept where they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from capital_world import curate, empty_capital, spec_value

from curator.capital import Capital
from curator.errors import SpecError
from curator.identifiers import canonical, valid
from curator.protection import token_key
from curator.pseudonyms import HmacKernel, KeyContext, SivKernel, TokenKernel
from curator.records import DatasetVersion
from curator.spec import parse_use_case
from curator.spec.protecting import engine_formula

WORLD = {"identifier": "quasi", "meaning": "x"}


def refusal(**fields: Any) -> str:
    value = spec_value()
    value["fields"] |= fields
    with pytest.raises(SpecError) as caught:
        parse_use_case(json.dumps(value))
    return str(caught.value)


def test_words_belong_to_their_protection() -> None:
    assert "`days` with `protect: keep`" in refusal(trip={"meaning": "x", "days": 3})
    assert "`method` with `protect: keep`" in refusal(trip={"meaning": "x", "method": "siv"})
    assert "`shift` without `days`" in refusal(born={**WORLD, "from": "birth_date", "protect": "shift"})
    assert "`round` without `to`" in refusal(trip={"meaning": "x", "protect": "round"})
    assert "`clamp` without a bound" in refusal(trip={"meaning": "x", "protect": "clamp"})
    assert "not above" in refusal(trip={"meaning": "x", "protect": "clamp", "least": 3, "most": 3})
    assert "with decimals" in refusal(trip={"meaning": "x", "protect": "clamp", "least": 0.5})
    assert "`shift` of a column of type integer" in refusal(trip={"meaning": "x", "protect": "shift", "days": 3})
    assert "`jitter` without `by`" in refusal(trip={"meaning": "x", "protect": "jitter", "metres": 3})
    assert "which is no column here" in refusal(
        born={**WORLD, "from": "birth_date", "protect": "shift", "days": 3, "by": ["nobody"]}
    )


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ({"from": "age", "protect": "keep"}, False),
        ({"from": "birth_date", "protect": "keep"}, False),
        ({"protect": "generalise", "value": "band(age, 10)"}, False),
        ({"protect": "generalise", "value": "case when age > 40 then 'old' else 'young' end"}, True),
        ({"from": "birth_date", "protect": "shift", "days": 3, "by": ["age"]}, False),
    ],
)
def test_a_distance_along_an_order_is_of_values_that_have_one(words: dict[str, Any], refused: bool) -> None:
    value = spec_value()
    value["fields"]["grade"] = {"meaning": "x", "identifier": "sensitive", **words}
    value["disclosure"] = {"k": 2, "t": {"column": "grade", "value": 0.5, "distance": "ordered"}}
    if not refused:
        assert parse_use_case(json.dumps(value)).disclosure
        return
    with pytest.raises(SpecError, match="`ordered` of a field of type text, whose order means nothing"):
        parse_use_case(json.dumps(value))
    value["disclosure"]["t"]["distance"] = "equal"
    assert parse_use_case(json.dumps(value)).disclosure


@pytest.mark.parametrize(
    ("words", "formula"),
    [
        (
            {"protect": "clamp", "least": 0, "most": 90},
            "case when age is not null then least(greatest(age, 0), 90) end",
        ),
        ({"protect": "clamp", "most": 90}, "case when age is not null then least(age, 90) end"),
        ({"protect": "round", "to": 5}, "band(age + 2.5, 5)"),
        ({"protect": "round", "to": 4}, "band(age + 2, 4)"),
    ],
)
def test_clamping_and_rounding_are_formulas(words: dict[str, Any], formula: str) -> None:
    from curator.spec import scope_of

    value = spec_value()
    value["fields"]["age"] = {**WORLD, **words}
    use_case = parse_use_case(json.dumps(value))
    assert engine_formula("age", use_case.fields["age"], scope=scope_of(use_case)) == formula


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> tuple[Capital, DatasetVersion]:
    """One version with every method and every word."""
    value = spec_value(disclosure={"k": 1, "suppress": 0.5})
    fields = value["fields"]
    fields["person"] |= {"method": "siv", "malformed": "unknown"}
    fields["vehicle_plate"] |= {"method": "hmac-sha256"}
    fields["driver_licence"] |= {"malformed": "token"}
    for name in ("age_band", "zone"):
        del fields[name]
    fields["age"] = {**WORLD, "protect": "clamp", "least": 18, "most": 60}
    fields["age_round"] = {**WORLD, "from": "age", "protect": "round", "to": 5}
    fields["true_age"] = {**WORLD, "from": "age"}
    fields["born"] = {**WORLD, "from": "birth_date", "protect": "shift", "days": 40}
    fields["true_born"] = {**WORLD, "from": "birth_date"}
    fields["happened"] = {**WORLD, "from": "occurred_at", "protect": "shift", "days": 40}
    fields["true_happened"] = {**WORLD, "from": "occurred_at"}
    value["model"] = None
    capital = empty_capital(tmp_path_factory.mktemp("protecting") / "capital")
    return capital, curate(capital, demo_base, spec=value)


def table(version: DatasetVersion) -> pa.Table:
    return pa.concat_tables([version.table(split) for split in version.splits])


def test_ages_are_clamped_and_rounded(protected: tuple[Capital, DatasetVersion]) -> None:
    rows = table(protected[1]).select(["age", "age_round", "true_age"]).to_pylist()
    assert rows
    assert any(row["true_age"] is None for row in rows)
    for row in rows:
        if row["true_age"] is None:
            assert (row["age"], row["age_round"]) == (None, None)
            continue
        assert row["age"] == min(max(row["true_age"], 18), 60)
        assert row["age_round"] == (row["true_age"] + 2.5) // 5 * 5


def test_all_dates_of_a_person_move_alike(protected: tuple[Capital, DatasetVersion]) -> None:
    moves: dict[bytes, set[int]] = {}
    for row in table(protected[1]).to_pylist():
        both = {(row["happened"] - row["true_happened"]).days}
        if row["born"]:
            both.add((row["born"] - row["true_born"]).days)
        assert all(abs(move) <= 40 for move in both)
        if row["person"]:
            moves.setdefault(row["person"], set()).update(both)
    assert all(len(found) == 1 for found in moves.values())
    assert len({next(iter(found)) for found in moves.values()}) > 60


def test_each_method_gives_its_tokens(protected: tuple[Capital, DatasetVersion], demo_base: Path) -> None:
    import pyarrow.parquet as parquet

    _, version = protected
    context = KeyContext(holder="Road safety observatory", purpose="road-accidents", recipient="internal", epoch="1")
    secret = bytes(range(64))
    rows = table(version)
    persons = parquet.read_table(demo_base / "persons.parquet")
    vehicles = parquet.read_table(demo_base / "vehicles.parquet")
    nir = persons["nir"].cast(pa.string()).combine_chunks()
    sound = canonical(nir.filter(valid(nir, "nir")), "nir")
    sealed = SivKernel(token_key(secret, context, method="siv", domain="nir"), padded=True)
    assert set(rows["person"].drop_null().to_pylist()) <= set(sealed.seal(sound).to_pylist())
    assert set(sealed.open(rows["person"]).drop_null().to_pylist()) <= {text.encode() for text in sound.to_pylist()}
    plate = vehicles["plate"].cast(pa.string()).combine_chunks()
    spelt, good = canonical(plate, "plate"), valid(plate, "plate")
    well = HmacKernel(token_key(secret, context, method="hmac-sha256", domain="plate"))
    apart = HmacKernel(token_key(secret, context, method="hmac-sha256", domain="malformed plate"))
    expected = {*well.tokens(spelt.filter(good)).to_pylist()}
    import pyarrow.compute as pc

    expected |= {*apart.tokens(spelt.filter(pc.invert(good))).to_pylist()}
    assert set(rows["vehicle_plate"].drop_null().to_pylist()) <= expected
    licence = TokenKernel(token_key(secret, context, method="cmac", domain="licence"))
    spelt = canonical(persons["licence_number"].cast(pa.string()), "licence")
    assert set(rows["driver_licence"].drop_null().to_pylist()) <= set(licence.tokens(spelt).to_pylist())


def test_the_evidence_and_the_card_count_identifiers(protected: tuple[Capital, DatasetVersion]) -> None:
    capital, version = protected
    facts = next(
        envelope.statement.facts for envelope in capital.evidence.unverified() if envelope.statement.stage == "protect"
    )
    counts: Any = facts["identifiers"]
    assert counts["person"]["method"] == "siv"
    assert counts["person"]["malformed"] <= counts["person"]["unknown"]
    assert counts["driver_licence"]["malformed"] is None
    assert counts["person"]["collision_at_most"] == "0"
    assert float(counts["vehicle_plate"]["collision_at_most"]) < 1e-30
    accepted = counts["person"]["tokens"] + counts["person"]["unknown"]
    assert accepted == sum(version.manifest.rows.values())
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert "Chance of a collision, at most" in card
    assert "one move for each person: intervals are exact, dates are not" in card
    assert "AES-SIV" in card
