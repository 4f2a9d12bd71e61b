"""The card: read by `datasets` without a network, true to the run, and deaf to whatever a spec's texts hold."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from dataset_folder import Made, make, use_case
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from curator.cards import dataset_card, size_category
from curator.cards._french import AI_ACT as AI_ACT_FR
from curator.cards._french import BASES as BASES_FR
from curator.cards._french import REGIMES as REGIMES_FR
from curator.cards._markdown import bullets, code, plain, prose, table
from curator.cards._sections import AI_ACT, BASES, REGIMES
from curator.demo import generate
from curator.errors import SpecError
from curator.samples import DisclosureReport
from curator.spec.model import AiActClass, LegalBasis, Regime

HOSTILE = st.one_of(
    st.text(min_size=1, max_size=60),
    st.text(alphabet="|`<>[]()*_#-+=~\\&!:/@.1a \n\t$'\"{}%", min_size=1, max_size=40),
    st.sampled_from(
        [
            "---", "a\n---\nb: c", "# head", "<script>alert(1)</script>", "![x](http://e.example/p.png)",
            "| a | b |", "[x](javascript:alert(1))", "www.evil.example", "HTTPS://evil.example", "a@b.example",
            "1. one", "- one", "```", "` `` `", "\u202egnp.exe", "null", "yes", "!!python/object:os.system", "{a: b}",
            "&amp;", "a\\", "====", "12)", "\ufeffx", "\x00\x1b[31m", "é — “x”", "😀 \ud7ff", "*a* **b** ~~c~~",
            "&#60;b&#62;",
            "*", "\u2028", "%TAG",
        ]
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    generate(folder, persons=2_000)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Made:
    return make(tmp_path_factory.mktemp("made"), base)


def front_of(card: str) -> dict[str, Any]:
    """The front matter as the Hugging Face libraries cut it out: between the first two lines of three dashes."""
    lines = card.splitlines()
    assert lines[0] == "---"
    front = yaml.safe_load("\n".join(lines[1 : lines.index("---", 1)]))
    assert isinstance(front, dict)
    return front


def section(card: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n\n(.*?)(?=^## |\Z)", card, re.S | re.M)
    assert found is not None, title
    return found[1]


def tokens(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def shown(token: Token) -> str:
    """The text that a reader sees of an inline token; anything but text and code fails."""
    kinds = {child.type for child in token.children or []}
    assert kinds <= {"text", "text_special", "code_inline"}, kinds
    return "".join(child.content for child in token.children or []).replace("\u2060", "")


# ---- the front matter and `datasets` ---------------------------------------------------------------------------------


def test_datasets_loads_the_folder_without_a_network(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import load_dataset

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    loaded = load_dataset(str(made.folder), cache_dir=str(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == made.manifest.rows
    for split in made.manifest.rows:
        ours = pa.concat_tables([pq.read_table(made.folder / shard) for shard in made.manifest.shards(split)])
        assert loaded[split].data.table.combine_chunks().to_pylist() == ours.to_pylist()
    assert list(loaded["train"].features) == list(made.use_case.kept())


def test_the_front_matter_is_a_dataset_card_of_hugging_face(made: Made) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard(made.text("README.md"))
    assert card.data.license == "other"
    assert card.data.size_categories == ["1K<n<10K"]
    assert card.data.task_categories == ["tabular-classification"]
    assert "dataset_info" not in front_of(made.text("README.md"))


def test_only_splits_with_rows_are_offered(made: Made) -> None:
    files = tuple(entry for entry in made.written.files if entry.split != "validation")
    card = dataset_card(made.use_case, written=replace(made.written, files=files), protection=made.protection)
    offered = front_of(card)["configs"][0]["data_files"]
    assert [entry["split"] for entry in offered] == ["train", "test"]
    assert "| `validation` | 10.0% | 0 |" in card
    assert "No row fell into `validation`." in card


def test_without_any_row_there_is_no_config(made: Made) -> None:
    card = dataset_card(made.use_case, written=replace(made.written, files=()), protection=made.protection)
    assert "configs" not in front_of(card)


@pytest.mark.parametrize(
    "splits",
    [
        {"by": "entity", "shares": {"all": 1.0}},
        {"by": "time", "column": "occurred_at", "until": {"train": "2018-12-31", "all": None}},
    ],
)
def test_a_split_that_datasets_cannot_name_is_no_spec(splits: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as refused:
        use_case(lambda value: value.update(splits=splits))
    assert [fault.found for fault in refused.value.faults] == ["a split named `all`"]


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12 - 1, "100B<n<1T"), (10**12, "n>1T")],
)
def test_size_categories_are_those_of_the_hub(rows: int, name: str) -> None:
    assert size_category(rows) == name


# ---- texts that anybody may have written -----------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
def test_a_text_stays_text_in_a_paragraph_a_list_and_a_cell(text: str) -> None:
    expected = plain(text)
    for markdown, blocks in (
        (prose(text), ["paragraph_open", "inline", "paragraph_close"]),
        (bullets([f"Name: {prose(text)}"]), None),
        (table(["Head", "Other#"], [[prose(text), "1"]]), None),
    ):
        parsed = tokens(markdown)
        if blocks is not None:
            assert [token.type for token in parsed] == (blocks if expected else [])
        inline = [shown(token) for token in parsed if token.type == "inline"]
        wanted = {None: ["Head", "Other", expected, "1"]}.get(blocks) if len(inline) == 4 else None
        assert inline == (wanted or ([f"Name: {expected}".strip()] if blocks is None else [expected] * bool(expected)))


@settings(max_examples=150, deadline=None)
@given(HOSTILE)
def test_code_shows_its_text_and_nothing_else(text: str) -> None:
    expected = plain(text)

    assert [shown(token) for token in tokens("a " + code(text)) if token.type == "inline"] == [f"a {expected}".strip()]
    cells = [shown(token) for token in tokens(table(["H"], [[code(text, cell=True)]])) if token.type == "inline"]
    assert cells == ["H", expected]
    assert bool(code(text)) == bool(expected)


@pytest.mark.parametrize(
    "text", ["http://a.example", "HTTPS://a.example", "www.a.example", "Www.a.example", "a@b.example"]
)
def test_no_address_becomes_a_link_where_links_are_guessed(text: str) -> None:
    assert not re.search(r"://|www\.|@", prose(text), re.IGNORECASE)
    assert [shown(token) for token in tokens(prose(text)) if token.type == "inline"] == [text]


@settings(max_examples=40, deadline=None)
@given(title=HOSTILE, other=HOSTILE)
def test_no_text_of_a_spec_changes_the_front_matter_or_adds_markup(made: Made, title: str, other: str) -> None:
    spec = made.use_case
    changed = spec.model_copy(
        update={
            "title": title,
            "description": other,
            "owner": spec.owner.model_copy(update={"organisation": other, "contact": title}),
            "purpose": spec.purpose.model_copy(update={"statement": title, "compatible_uses": (other,)}),
            "law": spec.law.model_copy(update={"text": other, "dpia": title}),
            "fields": {
                name: field.model_copy(update={"meaning": other, "unit": title, "because": title})
                for name, field in spec.fields.items()
            },
        }
    )
    card = dataset_card(changed, written=made.written, protection=made.protection)
    front, honest = front_of(card), front_of(made.text("README.md"))
    assert front.pop("pretty_name") == plain(title)
    honest.pop("pretty_name")
    assert front == honest
    parsed = tokens(card.split("\n---\n", 1)[1])
    assert not {"html_block", "html_inline", "hr", "blockquote_open"} & {token.type for token in parsed}
    heads = [token.type for token in parsed if token.type == "heading_open"]
    assert len(heads) == made.text("README.md").count("\n## ") + 1
    for token in parsed:
        if token.type == "inline":
            shown(token)


# ---- what it says ----------------------------------------------------------------------------------------------------


def test_every_written_field_has_its_row_and_dropped_ones_are_named(made: Made) -> None:
    fields = section(made.text("README.md"), "Fields")
    for name, field in made.use_case.fields.items():
        assert (f"| `{name}` |" in fields) == (field.protect != "drop")
    assert "Declared and left out: `last_name`, `first_names`, `phone`, `email`, `narrative`." in fields
    assert "| `age_band` | `int64` | year |" in fields
    assert "| quasi-identifier | coarser: `band(age, 10)` |" in fields
    assert "| direct | keyed token of the `nir` form |" in fields


def test_counts_are_those_of_the_run(made: Made) -> None:
    card, quality, disclosure = made.text("README.md"), made.written.quality, made.written.disclosure
    assert disclosure is not None
    assert f"{quality.rows:,} rows extracted, {quality.accepted:,} accepted" in card
    for split, rows in made.manifest.rows.items():
        assert f"`{split}` | " in card
        assert f" | {rows:,} |" in card
    for rule, failing in quality.failing.items():
        assert re.search(rf"^\| `{rule}` \|.*\| {failing:,} \| (yes|no) \|", card, re.M)
    for reason, rows in quality.rejected.items():
        assert f"| `{reason}` | {rows:,} |" in card
    risk = section(card, "Who could be found")
    smallest = f"the smallest of {disclosure.k_persons:,} people, {disclosure.k:,} rows"
    assert f"{disclosure.classes:,} classes, {smallest}" in risk
    assert f"{disclosure.suppressed:,} rows were left out" in risk
    binned = re.findall(r"^\| [\d ]+(?:to \d+|or more)? ?\| ([\d,]+) \|", risk, re.M)
    assert sum(int(rows.replace(",", "")) for rows in binned) == disclosure.rows == made.written.rows


def test_the_french_summary_says_the_same(made: Made) -> None:
    summary = section(made.text("README.md"), "En bref (français)")
    disclosure = made.written.disclosure
    assert disclosure is not None
    assert f"au moins {disclosure.k_persons} personnes semblables sur `age_band`, `sex`, `zone`" in summary
    assert f"{made.written.rows:,}".replace(",", "\u202f") in summary
    assert "règlement général sur la protection des données" in summary


def test_every_word_of_law_is_said_in_both_languages() -> None:
    for words, kind in ((REGIMES, Regime), (REGIMES_FR, Regime), (BASES, LegalBasis), (BASES_FR, LegalBasis)):
        assert set(words) == set(kind)
    assert set(AI_ACT) == set(AI_ACT_FR) == set(AiActClass)


def test_a_police_regime_is_called_by_its_directive(made: Made) -> None:
    law = made.use_case.law.model_copy(update={"regime": Regime.police, "basis": LegalBasis.law_enforcement})
    card = dataset_card(made.use_case.model_copy(update={"law": law}), written=made.written, protection=made.protection)
    assert "Directive (EU) 2016/680" in section(card, "Law")
    assert "Directive 2016/680 art. 3(5)" in section(card, "Limits")
    assert "RGPD" not in section(card, "En bref (français)")


def test_tokens_are_explained_with_their_key_ids(made: Made) -> None:
    text = section(made.text("README.md"), "Tokens")
    for name in ("person", "driver_licence", "vehicle_plate"):
        assert f"| `{made.protection['fields'][name]['key_id']}` |" in text
    assert "recipient `internal`, epoch `1`" in text


def test_without_tokens_limits_or_splits_by_person_it_says_so(tmp_path: Path, base: Path) -> None:
    def change(value: dict[str, Any]) -> None:
        value["fields"] = {
            name: field for name, field in value["fields"].items() if field.get("protect") not in ("token", "drop")
        }
        for name in ("age_band", "sex", "zone", "severe"):
            value["fields"].pop(name)
        value["fields"]["built_up"]["identifier"] = "none"
        value.pop("disclosure")
        value.pop("model")
        value["splits"] = {"by": "time", "column": "occurred_at", "until": {"train": "2018-12-31", "test": None}}
        value["extract"]["sample"] = {"fraction": 0.5, "by": ["num_acc"]}

    card = make(tmp_path, base, change=change, order="engine").text("README.md")
    assert "\n## Tokens\n" not in card
    assert "was not measured" in section(card, "Who could be found")
    splits = section(card, "Splits")
    assert "| `train` | until 2018-12-31 |" in splits
    assert "| `test` | the rest |" in splits
    assert "Rows are in the engine's order" in splits
    assert "a sample of 50.00% by hash" in section(card, "Limits")


def test_the_same_arguments_give_the_same_text(made: Made) -> None:
    again = dataset_card(made.use_case, written=made.written, protection=made.protection)
    assert again == made.text("README.md")
    assert again.endswith("\n")


# ---- what nothing beside the shards may hold -------------------------------------------------------------------------


def test_no_identifier_of_the_base_is_in_any_paper(made: Made, base: Path) -> None:
    known = pq.read_table(base / "truth" / "identifiers.parquet", columns=["kind", "value"]).to_pylist()
    values = {row["value"] for row in known if row["kind"] not in ("surname", "first_name") and len(row["value"]) >= 8}
    assert len(values) > 1_000
    papers = [path for path in made.folder.iterdir() if path.is_file()]
    assert {path.name for path in papers} >= {"README.md", "croissant.json", "quality.json", "disclosure.json"}
    for path in papers:
        text = path.read_text(encoding="utf-8")
        assert not [value for value in values if value in text], path.name


def test_a_figure_that_is_the_value_of_some_row_is_in_no_paper(tmp_path: Path, base: Path) -> None:
    oldest = min(pq.read_table(base / "persons.parquet", columns=["birth_date"])["birth_date"].drop_null().to_pylist())

    def change(value: dict[str, Any]) -> None:
        value["quality"]["expectations"] = [
            {"type": f"expect_column_{figure}_to_be_between", "on_failure": "warn",
             "kwargs": {"column": "birth_date", "min_value": "1800-01-01"}}
            for figure in ("min", "max")
        ]  # fmt: skip
        value["extract"].pop("where")

    made = make(tmp_path, base, change=change)
    assert not any("observed_value" in result["result"] for result in json.loads(made.text("quality.json"))["results"])
    assert all(oldest.isoformat() not in path.read_text() for path in made.folder.iterdir() if path.is_file())


# ---- the examples on the card run ------------------------------------------------------------------------------------


def example(made: Made, title: str) -> str:
    found = re.search(r"```python\n(.*?)```", section(made.text("README.md"), title), re.S)
    assert found is not None
    return found[1].replace("PATH/OF/THIS/FOLDER", str(made.folder))


def test_the_example_of_verification_accepts_the_folder_and_refuses_a_change(tmp_path: Path, base: Path) -> None:
    made = make(tmp_path, base)
    run = [sys.executable, "-c", example(made, "How to verify it")]
    good = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert good.returncode == 0
    assert good.stdout == f"identity: {made.manifest.digest}\n"
    shard = made.folder / made.written.files[0].path
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    bad = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert bad.returncode != 0
    assert made.written.files[0].path in bad.stderr


def test_the_example_of_loading_runs(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    names: dict[str, Any] = {}
    exec(example(made, "How to load it"), names)
    assert set(names["rows"]) == set(made.manifest.rows)


# ---- small cases -----------------------------------------------------------------------------------------------------


def test_no_angle_of_a_text_is_left_to_be_html() -> None:
    assert prose("a < b > c & d <b>") == "a &lt; b &gt; c &amp; d &lt;b&gt;"


def test_the_sizes_of_classes_are_told_without_gap_or_overlap(made: Made) -> None:
    sizes = {"1": 1, "2": 2, "4": 3, "9": 4, "more": 10}
    found = DisclosureReport(rows=20, quasi_identifiers=("sex",), classes=9, k=1, l=None, suppressed=0, sizes=sizes)
    card = dataset_card(
        made.use_case, written=replace(made.written, disclosure=found), protection=made.protection
    )  # fmt: skip
    assert section(card, "Who could be found").split("\n\n", 1)[1].splitlines()[2:] == [
        "| 1 | 1 | 5.00% |",
        "| 2 | 2 | 10.00% |",
        "| 3 to 4 | 3 | 15.00% |",
        "| 5 to 9 | 4 | 20.00% |",
        "| 10 or more | 10 | 50.00% |",
        "",
    ]
