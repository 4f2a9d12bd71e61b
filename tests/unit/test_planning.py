"""The plan: what it says is what is then done; it reads nothing, fits a page and hides no need."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from dataset_folder import SPEC, Change, Made, make, use_case
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import canonical_json
from curator.demo import generate
from curator.errors import SpecError
from curator.planning import ColumnPlan, Plan, plan
from curator.planning._layout import WIDTH, page, rows_as_lines
from curator.spec import load_use_case, scope_of
from curator.spec.model import Expectation, Quality


def planned(change: Change | None = None) -> Plan:
    spec, _ = use_case(change)
    return plan(spec, scope_of(spec))


def column(found: Plan, source: str, name: str) -> ColumnPlan:
    return next(
        column for item in found.sources if item.name == source for column in item.columns if column.name == name
    )  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    generate(folder, persons=2_000)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Made:
    return make(tmp_path_factory.mktemp("made"), base)


# ---- what is planned is what is done ---------------------------------------------------------------------------------


def test_fields_rules_splits_and_limits_are_those_of_the_run(made: Made) -> None:
    found = plan(made.use_case, scope_of(made.use_case))
    assert [field.name for field in found.fields] == [name for name, _ in made.written.schema]
    results = made.written.quality.results["results"]
    assert [rule.id for rule in found.rules] == [result["expectation_config"]["meta"]["rule"] for result in results]
    assert list(found.splits["shares"]) == list(made.manifest.rows)
    assert made.written.disclosure is not None
    assert found.quasi_identifiers == made.written.disclosure.quasi_identifiers
    assert found.spec == made.manifest.about["spec"]
    protection = made.protection["fields"]
    assert {field.name: field.protect for field in found.fields} == {
        name: told["protect"] for name, told in protection.items() if told["protect"] != "drop"
    }
    assert list(found.dropped) == [name for name, told in protection.items() if told["protect"] == "drop"]


def replaced(base: Path, folder: Path, columns: dict[str, Any]) -> Path:
    """A copy of the base in which some `source.column` hold other values of the same type."""
    folder.mkdir()
    for source in ("persons", "vehicles", "accidents"):
        table = pq.read_table(base / f"{source}.parquet")
        for name, change in columns.items():
            owner, _, own = name.partition(".")
            if owner == source:
                index = table.schema.get_field_index(own)
                table = table.set_column(index, table.schema.field(own), change(table[own]))
        pq.write_table(table, folder / f"{source}.parquet")
    return folder


def test_what_nothing_needs_changes_no_byte_when_it_changes(made: Made, base: Path, tmp_path: Path) -> None:
    found = plan(made.use_case, scope_of(made.use_case))
    assert found.needless == (
        "persons.last_name", "persons.first_names", "persons.phone", "persons.email", "vehicles.make", "accidents.com",
        "accidents.narrative",
    )  # fmt: skip

    def nothing(values: pa.ChunkedArray) -> pa.Array:
        return pa.nulls(len(values), values.type)

    changed = replaced(base, tmp_path / "base", dict.fromkeys(found.needless, nothing))
    again = make(tmp_path / "made", changed)
    assert again.manifest.digest == made.manifest.digest


@pytest.mark.parametrize(
    "name", ["persons.seat", "vehicles.first_registered", "accidents.light", "persons.licence_number"]
)
def test_what_a_field_needs_changes_that_field_alone(made: Made, base: Path, tmp_path: Path, name: str) -> None:
    found = plan(made.use_case, scope_of(made.use_case))
    source, _, own = name.partition(".")
    fields = {use.removeprefix("field ") for use in column(found, source, own).used_for if use.startswith("field ")}

    def rotated(values: pa.ChunkedArray) -> pa.Array:
        whole = values.combine_chunks()
        return pc.take(whole, pa.array([*range(1, len(whole)), 0]))

    again = make(tmp_path / "made", replaced(base, tmp_path / "base", {name: rotated}))
    ours, theirs = (
        pa.concat_tables([pq.read_table(one.folder / entry.path) for entry in one.written.files])
        for one in (made, again)
    )
    assert {field for field in ours.column_names if ours[field] != theirs[field]} == fields
    assert len(fields) == 1


def test_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, _ = use_case()
    scope = scope_of(spec)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert plan(spec, scope).render()


# ---- who needs which column ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "uses"),
    [
        ("persons", "person_id", ("row key",)),
        ("persons", "nir", ("entity", "field person", "rule e07-match-regex-nir")),
        ("persons", "num_acc", ("join vehicles", "join accidents")),
        ("vehicles", "num_acc", ("join vehicles",)),
        ("accidents", "num_acc", ("join accidents",)),
        ("persons", "role", ("filter", "field role")),
        (
            "persons",
            "birth_date",
            ("field age_band", "rule e05-between-age", "rule e06-between-age", "rule e11-mean-age"),
        ),
        ("persons", "severity", ("field severe", "rule e01-not-null-severity", "rule e02-in-set-severity")),
        ("persons", "phone", ()),
        ("accidents", "narrative", ()),
    ],
)  # fmt: skip
def test_uses_are_followed_through_derived_columns(source: str, name: str, uses: tuple[str, ...]) -> None:
    assert column(planned(), source, name).used_for == uses


def test_a_column_read_only_for_a_rule_is_named() -> None:
    def change(value: dict[str, Any]) -> None:
        value["quality"]["expectations"].append(
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "make"}, "on_failure": "warn"}
        )

    found = planned(change)
    assert found.only_for_rules == ("vehicles.make",)
    assert "vehicles.make" not in found.needless
    assert "READ ONLY FOR A RULE\n  vehicles.make\n" in found.render()


def test_time_splits_need_their_column_and_not_the_person() -> None:
    def change(value: dict[str, Any]) -> None:
        value["splits"] = {"by": "time", "column": "occurred_at", "until": {"train": "2018-12-31", "test": None}}
        value["extract"]["sample"] = {"fraction": 0.25, "by": ["num_acc"], "seed": 3}

    found = planned(change)
    assert "split" in column(found, "accidents", "occurred_at").used_for
    assert "entity" not in column(found, "persons", "nir").used_for
    assert "sample" in column(found, "persons", "num_acc").used_for
    assert "Splits are cut in time: one person may be in several of them." in found.notes
    assert "fraction: 0.25; by: num_acc; seed: 3" in found.render()


def test_a_renamed_column_is_shown_by_both_names() -> None:
    def change(value: dict[str, Any]) -> None:
        value["sources"]["persons"]["columns"]["phone"] = {"type": "text", "column": "Téléphone mobile"}

    found = planned(change)
    assert "persons.Téléphone mobile" in found.needless
    assert "phone (there: Téléphone mobile)" in found.render()


def test_reader_options_are_told_when_they_are_not_the_default() -> None:
    def change(value: dict[str, Any]) -> None:
        persons = value["sources"]["persons"]
        persons |= {
            "path": "persons.csv",
            "encoding": "latin-1",
            "separator": ";",
            "decimal": ",",
            "null_tokens": ["NR"],
        }
        persons["columns"]["birth_date"] = {"type": "date", "format": "%d/%m/%Y"}

    found = planned(change)
    assert found.sources[0].options == {
        "encoding": "latin-1", "separator": ";", "decimal": ",", "null_tokens": ["NR"],
        "formats": {"birth_date": "%d/%m/%Y"},
    }  # fmt: skip
    assert found.sources[1].options == {}
    shown = " ".join(found.render().split())
    assert "encoding: latin-1; separator: ';'; decimal: ','; null_tokens: NR; formats: birth_date: %d/%m/%Y" in shown


# ---- fields, rules, notes --------------------------------------------------------------------------------------------


def test_fields_tell_their_sources_protection_and_key_domain() -> None:
    def change(value: dict[str, Any]) -> None:
        value["fields"]["person"]["domain"] = "people"

    fields = {field.name: field for field in planned(change).fields}
    assert (fields["person"].form, fields["person"].domain) == ("nir", "people")
    assert (fields["vehicle_plate"].form, fields["vehicle_plate"].domain) == ("plate", "plate")
    assert fields["age_band"].made_from == ("accidents.occurred_at", "persons.birth_date")
    assert (fields["age_band"].value, fields["age_band"].domain) == ("band(age, 10)", None)
    assert (fields["role"].identifier, fields["sex"].identifier) == ("none", "quasi")


def test_failing_rows_have_their_fate_told() -> None:
    text = planned().render()
    assert "e01-not-null-severity  row set apart" in text
    assert "e12-row-count          run stops" in text
    assert "at most  20.0% of the rows, or the run stops" in text
    assert "encrypted, 30 days" in text


def test_a_rule_that_cannot_be_compiled_is_refused() -> None:
    spec, _ = use_case()
    wrong = Expectation(type="expect_column_values_to_be_between", kwargs={"column": "age", "min_value": "old"})
    changed = spec.model_copy(update={"quality": Quality(expectations=(wrong,))})
    with pytest.raises(SpecError) as refused:
        plan(changed, scope_of(changed))
    assert refused.value.code == "expectation-invalid"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda value: value["disclosure"].pop("l"),
            "without a limit on their diversity (`disclosure.l`, `entropy_l` or `t`): severe.",
        ),
        (lambda value: value["law"].update(ai_act="high"), "article 10 of the AI Act"),
        (
            lambda value: value["channels"].update(open={"purposes": ["statistics"], "licence": "x", "max_days": 9}),
            "anybody may receive",
        ),
    ],
)
def test_what_a_reader_should_weigh_is_noted(change: Change, note: str) -> None:
    assert not [told for told in planned().notes if note in told]
    assert [told for told in planned(change).notes if note in told]


def test_quasi_identifiers_kept_as_they_are_are_noted() -> None:
    assert planned().notes == ("Quasi-identifiers written as they are, not coarser: sex.",)


# ---- how it looks ----------------------------------------------------------------------------------------------------


def test_json_holds_everything_as_plain_values() -> None:
    found = planned()
    told = found.to_json()
    assert json.loads(canonical_json(told)) == told
    assert set(told) == set(vars(found))
    assert told["sources"][0]["columns"][0] == {
        "name": "person_id", "column": "person_id", "type": "integer", "used_for": ["row key"],
    }  # fmt: skip
    assert told["channels"]["open"] is None


def test_it_is_the_same_each_time_and_prints_as_it_renders() -> None:
    assert planned() == planned()
    assert str(planned()) == planned().render() == planned().render()


@pytest.mark.parametrize("path", sorted(SPEC.parent.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_spec_has_a_plan_that_fits(path: Path) -> None:
    spec = load_use_case(path)
    found = plan(spec, scope_of(spec))
    assert is_plain(found.render())
    assert all(field.made_from for field in found.fields)


WORDS = st.one_of(
    st.text(min_size=1, max_size=300),
    st.text(alphabet="ab \t\n\x1b\u202e\x00", min_size=1, max_size=200),
    st.just("x" * 2000),
)


def is_plain(text: str) -> bool:
    lines = text.split("\n")
    return all(len(line) <= WIDTH and line == line.rstrip() for line in lines) and not any(
        unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for line in lines for character in line
    )


@settings(max_examples=40, deadline=None)
@given(text=WORDS)
def test_no_text_of_a_spec_widens_the_page_or_moves_the_cursor(text: str) -> None:
    spec, _ = use_case()
    changed = spec.model_copy(
        update={
            "title": text,
            "purpose": spec.purpose.model_copy(update={"statement": text, "compatible_uses": (text, text)}),
            "law": spec.law.model_copy(update={"text": text, "dpia": text}),
            "owner": spec.owner.model_copy(update={"organisation": text, "contact": text}),
            "sources": {name: source.model_copy(update={"path": text[:500]}) for name, source in spec.sources.items()},
        }
    )
    assert is_plain(plan(changed, scope_of(changed)).render())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=150), min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_table_fits_and_loses_no_visible_character(rows: list[list[str]]) -> None:
    text = "\n".join(rows_as_lines(rows))
    assert is_plain(text)
    kept = sorted(character for character in text if not character.isspace())
    seen = sorted(c for row in rows for cell in row for c in cell if c.isprintable() and not c.isspace())
    assert kept == seen


def test_a_section_without_rows_is_left_out() -> None:
    assert page("Head", [("Empty", []), ("Full", [("a", "b"), ("long name", "c")])]) == (
        "Head\n\nFULL\n  a          b\n  long name  c\n"
    )
