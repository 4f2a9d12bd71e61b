"""The Croissant description: valid for mlcroissant, true to the files, readable, and silent on what nobody said."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rdflib
from dataset_folder import SPEC, Made, make
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.canonical import canonical_json, sha256_file
from curator.croissant import CONTEXT, CROISSANT, data_type, dataset_croissant
from curator.demo import generate
from curator.manifest import FileEntry
from curator.spec import load_use_case
from curator.spec.model import Channels, ChannelTerms, EntitySplits

NO_DATE = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'
ODRL = "http://www.w3.org/ns/odrl/2/"
RAI = "http://mlcommons.org/croissant/RAI/"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = tmp_path_factory.mktemp("base")
    generate(base, persons=2_000)
    return make(tmp_path_factory.mktemp("made"), base)


def read(source: Path | dict[str, Any]) -> Any:
    """The description as mlcroissant validates it: any error raises."""
    return mlcroissant.Dataset(jsonld=source if isinstance(source, dict) else str(source))


def described(made: Made, **changes: Any) -> dict[str, Any]:
    spec = made.use_case.model_copy(update=changes)
    return dataset_croissant(spec, files=made.written.files, schema=made.written.schema)


# ---- against mlcroissant ---------------------------------------------------------------------------------------------


def test_mlcroissant_finds_no_error_and_misses_only_the_date(made: Made) -> None:
    issues = read(made.folder / "croissant.json").metadata.ctx.issues
    assert not issues.errors
    assert [warning.split("] ", 1)[1] for warning in issues.warnings] == [NO_DATE]


def test_its_context_is_the_one_of_croissant_1_1(made: Made) -> None:
    standard = read(made.folder / "croissant.json").metadata.ctx
    from mlcroissant._src.core.rdf import make_context

    wanted = make_context(standard)
    assert {term: CONTEXT.get(term) for term in wanted} == wanted
    assert CONTEXT.keys() - wanted.keys() == {"odrl", "xsd"}


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_records_read_through_it_are_the_rows(made: Made, split: str) -> None:
    records = list(itertools.islice(read(made.folder / "croissant.json").records(split), 60))
    rows = pa.concat_tables([pq.read_table(made.folder / path) for path in made.manifest.shards(split)]).to_pylist()
    expected = [
        {f"{split}/{name}": cell.encode() if isinstance(cell, str) else cell for name, cell in row.items()}
        for row in rows
    ]
    assert records == expected[:60]
    assert len(records) == min(60, len(rows))


def test_every_record_set_counts_its_split(made: Made) -> None:
    dataset = read(made.folder / "croissant.json")
    assert {record_set.id for record_set in dataset.metadata.record_sets} == {"dataset-splits", *made.manifest.rows}
    assert sum(1 for _ in dataset.records("test")) == made.manifest.rows["test"]
    assert [record["dataset-splits/name"] for record in dataset.records("dataset-splits")] == [
        name.encode() if isinstance(name, bytes) else name for name in made.manifest.rows
    ]


def test_nulls_dates_and_decimals_are_read_back(tmp_path: Path, made: Made) -> None:
    day = datetime.date(2024, 2, 29)
    table = pa.table(
        {
            "sex": pa.array([1, None], pa.int8()),
            "severe": pa.array([None, True], pa.bool_()),
            "zone": pa.array(["é", None]),
            "day": pa.array([day, None], pa.date32()),
            "at": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3), None], pa.timestamp("us")),
            "share": pa.array([None, 0.5], pa.float64()),
            "cost": pa.array([1, None], pa.decimal128(5, 2)),
            "person": pa.array([b"\x00" * 15 + b"\xff", None], pa.binary(16)),
        }
    )
    path = "data/train/part-00000.parquet"
    (tmp_path / path).parent.mkdir(parents=True)
    pq.write_table(table, tmp_path / path)
    entry = FileEntry(
        path=path, sha256=sha256_file(tmp_path / path), size=(tmp_path / path).stat().st_size, split="train", rows=2
    )
    schema = [(column.name, str(column.type)) for column in table.schema]
    (tmp_path / "croissant.json").write_text(json.dumps(dataset_croissant(made.use_case, files=[entry], schema=schema)))
    first, second = read(tmp_path / "croissant.json").records("train")
    assert [first[f"train/{name}"] for name in ("sex", "severe", "share")] == [1, None, None]
    assert first["train/zone"] == "é".encode()
    assert first["train/day"].date() == day
    assert (first["train/at"].hour, first["train/at"].second) == (1, 3)
    assert first["train/cost"] == 1.0
    assert first["train/person"] == b"\x00" * 15 + b"\xff"
    assert [name for name, cell in second.items() if cell is not None] == ["train/severe", "train/share"]


@settings(max_examples=15, deadline=None)
@given(
    text=st.one_of(
        st.text(min_size=1, max_size=40),
        st.sampled_from(["@id", "@type", "cr:Field", "http://a.example/", "{}", "null", "\u2028", "😀", '"', "\x00"]),
    )
)
def test_any_text_of_a_spec_stays_a_text(made: Made, text: str) -> None:
    spec = made.use_case
    changed = described(
        made,
        title=text,
        description=text,
        owner=spec.owner.model_copy(update={"organisation": text, "contact": text}),
        purpose=spec.purpose.model_copy(update={"statement": text, "compatible_uses": (text,)}),
        fields={name: field.model_copy(update={"meaning": text, "unit": text}) for name, field in spec.fields.items()},
    )
    metadata = read(json.loads(json.dumps(changed))).metadata
    assert not metadata.ctx.issues.errors
    assert metadata.name == "road-accidents"
    assert len(metadata.record_sets) == 4


@pytest.mark.parametrize("path", sorted(SPEC.parent.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_spec_is_described_without_error(path: Path) -> None:
    spec = load_use_case(path)
    declared = spec.splits.shares if isinstance(spec.splits, EntitySplits) else spec.splits.until
    files = [
        FileEntry(path=f"data/{split}/part-00000.parquet", sha256="0" * 64, size=1, split=split, rows=1)
        for split in declared
    ]
    description = dataset_croissant(spec, files=files, schema=[(name, "string") for name in spec.kept()])
    assert not read(description).metadata.ctx.issues.errors


# ---- against the files -----------------------------------------------------------------------------------------------


def test_each_shard_is_listed_with_its_digest_and_size(made: Made) -> None:
    listed = {item["@id"]: item for item in described(made)["distribution"] if item["@type"] == "cr:FileObject"}
    assert set(listed) == {entry.path for entry in made.written.files}
    for path, item in listed.items():
        assert item["contentUrl"] == path
        assert item["sha256"] == sha256_file(made.folder / path)
        assert item["contentSize"] == f"{(made.folder / path).stat().st_size} B"


def test_each_file_set_matches_the_shards_of_its_split_and_no_other(made: Made) -> None:
    for item in described(made)["distribution"]:
        if item["@type"] == "cr:FileSet":
            split = item["@id"].removesuffix("-files")
            found = {
                path.relative_to(made.folder).as_posix() for glob in item["includes"] for path in made.folder.glob(glob)
            }
            assert found == set(made.manifest.shards(split))


def test_fields_are_those_of_the_schema_with_the_target_as_label(made: Made) -> None:
    for record_set in described(made)["recordSet"][1:]:
        names = [field["name"] for field in record_set["field"]]
        assert names == [name for name, _ in made.written.schema]
        labels = [field["name"] for field in record_set["field"] if "cr:Label" in field["dataType"]]
        assert labels == ["severe"]


@pytest.mark.parametrize(
    ("arrow", "word"),
    [
        (pa.bool_(), "sc:Boolean"), (pa.int8(), "sc:Integer"), (pa.uint64(), "sc:Integer"), (pa.float16(), "sc:Float"),
        (pa.float32(), "sc:Float"), (pa.float64(), "sc:Float"), (pa.decimal128(38, 9), "sc:Float"),
        (pa.date32(), "sc:Date"),
        (pa.timestamp("us"), "sc:DateTime"), (pa.timestamp("ns", "UTC"), "sc:DateTime"), (pa.string(), "sc:Text"),
        (pa.large_string(), "sc:Text"), (pa.binary(16), "sc:Text"), (pa.dictionary(pa.int32(), pa.string()), "sc:Text"),
    ],
)  # fmt: skip
def test_types_as_arrow_spells_them(arrow: pa.DataType, word: str) -> None:
    assert data_type(str(arrow)) == word


def test_a_split_without_rows_is_not_described(made: Made) -> None:
    files = [entry for entry in made.written.files if entry.split == "test"]
    described = dataset_croissant(made.use_case, files=files, schema=made.written.schema)
    assert [item["@id"] for item in described["recordSet"]] == ["dataset-splits", "test"]
    assert not read(described).metadata.ctx.issues.errors


def test_files_without_rows_or_split_are_left_out(made: Made) -> None:
    others = [
        FileEntry(path="data/test/empty.parquet", sha256="0" * 64, size=9, split="test"),
        FileEntry(path="README.md", sha256="0" * 64, size=9),
    ]
    files = [*made.written.files, *others]
    assert dataset_croissant(made.use_case, files=files, schema=made.written.schema) == described(made)


def test_no_file_gives_no_record_set(made: Made) -> None:
    empty = dataset_croissant(made.use_case, files=[], schema=made.written.schema)
    assert empty["distribution"] == empty["recordSet"] == []


def test_splits_of_other_names_have_no_assumed_meaning(made: Made) -> None:
    entry = made.written.files[0]
    files = [
        FileEntry(path=f"data/{split}/a.parquet", sha256=entry.sha256, size=1, split=split, rows=1)
        for split in ("old", "new")
    ]
    splits, *_ = dataset_croissant(made.use_case, files=files, schema=made.written.schema)["recordSet"]
    assert splits["data"] == [{"dataset-splits/name": "new"}, {"dataset-splits/name": "old"}]
    assert not read(
        dataset_croissant(made.use_case, files=files, schema=made.written.schema)
    ).metadata.ctx.issues.errors


# ---- law and terms, read as RDF --------------------------------------------------------------------------------------


def graph(description: dict[str, Any]) -> Any:
    return rdflib.Graph().parse(data=json.dumps(description), format="json-ld")


def test_open_channels_are_offers_with_a_closed_list_of_purposes(made: Made) -> None:
    facts, odrl = graph(described(made)), rdflib.Namespace(ODRL)
    offers = {}
    for offer in facts.subjects(rdflib.RDF.type, odrl.Offer):
        permission = facts.value(offer, odrl.permission)
        assert facts.value(permission, odrl.action) == odrl.use
        for constraint in facts.objects(permission, odrl.constraint):
            left, right = facts.value(constraint, odrl.leftOperand), list(facts.objects(constraint, odrl.rightOperand))
            offers[str(offer).rsplit(":", 1)[1], left] = {str(value) for value in right}
    assert offers == {
        ("research", odrl.purpose): {"road-safety-research"},
        ("research", odrl.elapsedTime): {"P1096D"},
        ("industry", odrl.purpose): {"driver-assistance", "insurance-prevention"},
        ("industry", odrl.elapsedTime): {"P366D"},
    }


def test_each_open_channel_names_its_licence_and_none_means_none(made: Made) -> None:
    terms = ChannelTerms(purposes=("statistics",), licence="etalab-2.0", max_days=10)
    opened = described(made, channels=Channels(open=terms))
    assert [work["name"] for work in opened["license"]] == ["etalab-2.0"]
    closed = described(made, channels=Channels())
    assert [work["name"] for work in closed["license"]] == ["No licence"]
    assert "usageInfo" not in closed
    assert not read(closed).metadata.ctx.issues.errors


def test_what_is_known_about_persons_is_said_in_the_words_of_rai(made: Made) -> None:
    metadata = read(made.folder / "croissant.json").metadata
    told = "\n".join(metadata.personal_sensitive_information)
    for name in (
        "person (keyed token)",
        "age_band (coarser)",
        "sex (as it was)",
        "phone (left out)",
        "sensitive: severe",
    ):
        assert name in told
    assert metadata.data_use_cases == [made.use_case.purpose.statement, *made.use_case.purpose.compatible_uses]
    assert any("role in (1, 2, 3)" in step for step in metadata.data_preprocessing_protocol)
    assert any("At least 3 persons are alike on age_band, sex, zone" in limit for limit in metadata.data_limitations)
    known = set(graph(described(made)).predicates())
    assert {str(word).removeprefix(RAI) for word in known if str(word).startswith(RAI)} == {
        "dataCollection", "dataUseCases", "dataPreprocessingProtocol", "dataLimitations",
        "personalSensitiveInformation", "dataReleaseMaintenancePlan",
    }  # fmt: skip


# ---- the same everywhere ---------------------------------------------------------------------------------------------


def test_it_is_deterministic_and_has_no_date_or_address(made: Made) -> None:
    one, two = described(made), dataset_croissant(
        made.use_case, files=reversed(made.written.files), schema=list(made.written.schema)
    )  # fmt: skip
    assert canonical_json(one) == canonical_json(two)
    assert json.loads(made.text("croissant.json")) == json.loads(canonical_json(one))
    assert "datePublished" not in one
    assert one["url"] == "README.md"
    assert one["conformsTo"][0] == CROISSANT
    assert str(made.folder) not in made.text("croissant.json")
