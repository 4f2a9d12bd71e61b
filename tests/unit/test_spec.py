"""Specs: plain values with places, all faults at once, one meaning whatever the layout; nothing else ever escapes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from capital_world import ROOT, SPEC
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import sha256_json
from curator.errors import Fault, SpecError
from curator.spec import json_schema, load_use_case, parse_use_case
from curator.spec.personal import looks_personal
from curator.spec.reading import parse_document, read_document

SCALARS: dict[str, Any] = {
    "no": "no", "yes": "yes", "on": "on", "True": "True", "true": True, "false": False, "null": None, "~": None,
    "": None, "012": "012", "0x1F": "0x1F", "1_000": "1_000", "24:00": "24:00", "1.2.0": "1.2.0", "0": 0, "-0": 0,
    "7": 7, "-7": -7,
    "1.5": 1.5, "1e3": 1000.0, ".5": ".5", "1.": "1.", ".inf": ".inf", ".nan": ".nan", "2020-01-01": "2020-01-01",
    "9007199254740991": 2**53 - 1, "'9007199254740992'": "9007199254740992", "'7'": "7", '"true"': "true",
    "1e999": "1e999", "1e300": 1e300,
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_follow_the_core_schema_without_surprise(text: str) -> None:
    """As YAML 1.2.2, 10.3.2, less octal, hexadecimal, infinities and a bare point."""
    found = parse_document(f"key: {text}\n", file="f").value["key"]
    assert found == SCALARS[text]
    assert type(found) is type(SCALARS[text])


@pytest.mark.parametrize("text", ["9007199254740992", "-9007199254740992", "1" + "0" * 20, "9" * 5_000])
def test_a_number_that_could_change_on_its_way_is_refused(text: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_document(f"a:\n- 1\n- {text}\n", file="f")
    assert refused.value.code == "spec-number-too-large"
    assert (refused.value.faults[0].line, refused.value.faults[0].column) == (3, 3)


def value() -> dict[str, Any]:
    return copy.deepcopy(read_document(SPEC).value)


def test_one_meaning_whatever_the_layout() -> None:
    wanted = load_use_case(SPEC).digest
    assert parse_use_case(json.dumps(value())).digest == wanted
    assert (
        parse_use_case(json.dumps(value(), sort_keys=True, indent=8)).digest
        != parse_use_case(json.dumps({**value(), "title": "x"})).digest
    )
    assert parse_use_case("# a comment\n" + SPEC.read_text(encoding="utf-8")).digest == wanted


def test_defaults_written_out_change_nothing() -> None:
    assert parse_use_case(json.dumps(load_use_case(SPEC).to_json())).digest == load_use_case(SPEC).digest


FIXED = """
curator: 1
name: fixed
version: 1.0.0
title: A spec that never changes
owner: {organisation: Observatory, contact: data@observatory.example}
purpose: {statement: hold digests to their word}
law: {regime: gdpr, basis: public-task, text: none, dpia: none, ai_act: minimal, retention_days: 30}
sources: {people: {path: people.csv, columns: {id: integer, age: integer}}}
extract: {from: people, row_key: [id], entity: [id]}
fields:
  id: {meaning: who, identifier: direct, protect: token, form: raw}
  age: {meaning: years, identifier: quasi}
disclosure: {k: 5}
splits: {by: entity, shares: {train: 0.8, test: 0.2}}
"""


def test_a_digest_stands_for_good() -> None:
    """Versions are released and followed by the digest of their spec: a word learnt later must not change it."""
    assert parse_use_case(FIXED).digest == "8bd32b75b6a8dedb9baa5c56fc0bb4cbd839fcac10f0b5e9738ca96547882265"


@pytest.mark.parametrize("spec", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_what_is_hashed_tells_the_whole_spec(spec: Path) -> None:
    use_case = load_use_case(spec)
    hashed = use_case.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert sha256_json(hashed) == use_case.digest
    assert parse_use_case(json.dumps(hashed)) == use_case


@pytest.mark.parametrize("spec", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_spec_is_sound(spec: Path) -> None:
    assert load_use_case(spec).name == spec.stem


def test_the_schema_is_one_and_takes_the_shipped_spec() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(value(), json_schema(), cls=jsonschema.Draft202012Validator)


def broken(text: str) -> SpecError:
    with pytest.raises(SpecError) as refused:
        parse_use_case(text)
    return refused.value


def test_all_faults_come_at_once_in_their_order() -> None:
    text = SPEC.read_text(encoding="utf-8")
    text = text.replace("k: 5", "k: -1").replace("regime: gdpr", "regime: gdrp").replace("seed: 7", "sed: 7")
    found = broken(text)
    assert [fault.found for fault in found.faults] == ["'gdrp'", "-1", "the key `sed`"]
    for fault in found.faults:
        line = text.splitlines()[fault.line - 1]
        assert any(word in line for word in ("gdrp", "-1", "sed")), line
    assert "`gdpr`" in found.faults[0].expected
    assert "`seed`" in found.faults[2].expected


def test_a_formula_at_fault_is_told_once_and_not_again_wherever_its_column_is_used() -> None:
    spec = value()
    spec["extract"]["derive"] |= {"first": "lower(nowhere)", "second": "first || 'x'"}
    spec["fields"]["seen"] = {"from": "first", "meaning": "It follows.", "identifier": "none"}
    spec["fields"]["told"] = {"from": "third", "meaning": "It does not.", "identifier": "none"}
    assert [fault.found for fault in broken(json.dumps(spec)).faults] == [
        "the name nowhere, at character 7",
        "`third`, which is no column here",
    ]


@pytest.mark.parametrize(
    ("derived", "told"),
    [
        ({"a": "a + 1"}, ["the name a, at character 1"]),
        ({"a": "b + 1", "b": "a + 1"}, ["the name b, at character 1"]),
        ({"a": "b + 1", "b": "lower(nowhere)"}, ["the name b, at character 1", "the name nowhere, at character 7"]),
    ],
    ids=["itself", "each other", "a later one"],
)
def test_formulas_that_name_each_other_are_never_taken_for_sound(derived: dict[str, str], told: list[str]) -> None:
    spec = value()
    spec["extract"]["derive"] |= derived
    assert [fault.found for fault in broken(json.dumps(spec)).faults] == told


def test_a_comma_that_ends_a_text_in_braces_is_told_as_one() -> None:
    text = SPEC.read_text(encoding="utf-8")
    found = broken(text.replace("{meaning: Light conditions (BAAC).}", "{meaning: Light, by day and night.}"))
    assert [(fault.found, fault.expected) for fault in found.faults] == [
        ("the key `by day and night.`", "quotes around the whole text before it: in `{...}` a comma ends a text")
    ]


def faults(text: str) -> tuple[Fault, ...]:
    """What is wrong; every refusal names one place at least, and what is accepted has a digest."""
    try:
        assert parse_use_case(text).digest
    except SpecError as refused:
        return refused.faults or (Fault(file="", found="", expected=""),)
    return ()


def places(item: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(item, dict):
        for key, child in item.items():
            found += places(child, (*path, key))
    elif isinstance(item, list):
        for index, child in enumerate(item):
            found += places(child, (*path, index))
    return found


JUNK = [None, True, -1, 0, 10**18, 1.5, 1e300, "", "x", "é", [], {}, [[]], {"x": {}}, ["x", "x"], {"type": "integer"}]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(places(value())), st.sampled_from(JUNK))
def test_junk_anywhere_is_refused_with_its_place_or_is_sound(path: tuple[Any, ...], junk: Any) -> None:
    changed = value()
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = junk
    for fault in faults(json.dumps(changed)):
        assert fault.found
        assert fault.expected
        assert not fault.expected.endswith("one of ")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(places(value())))
def test_a_part_left_out_is_named_or_not_needed(path: tuple[Any, ...]) -> None:
    changed = value()
    here: Any = changed
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    faults(json.dumps(changed))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    faults(text)


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("abc:-#'\"\n ", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
))  # fmt: skip
def test_plain_values_come_back(item: Any) -> None:
    """What PyYAML writes of texts, numbers, lists and mappings is read as written."""
    document = parse_document(yaml.safe_dump({"key": item}, default_style=None, allow_unicode=True), file="f")
    assert document.value == {"key": item}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nir", "direct"), ("Nom_de_Famille", "direct"), ("prénom", "direct"), ("dateNaissance", "quasi"),
        ("CODE_POSTAL", None), ("codePostal", "quasi"), ("phone_2", "direct"), ("email", "direct"), ("weather", None),
        ("age_band", "quasi"), ("severity", None), ("plaqueImmat", "direct"), ("usage", None), ("manager", None),
    ],
)  # fmt: skip
def test_names_that_look_personal(name: str, kind: str | None) -> None:
    if name == "CODE_POSTAL":
        assert looks_personal(name) in (None, "quasi")
    else:
        assert looks_personal(name) == kind
