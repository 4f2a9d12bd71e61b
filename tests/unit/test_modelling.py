"""What `fit_baseline` and `package` do: the folder written, the link back, the figures, and what they refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import yaml
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from curator import modelling
from curator.edges.onnx_models import (
    Answers,
    baseline_pipeline,
    columns_of,
    convert,
    fit,
    frequent_categories,
    read_target,
    score,
    signature,
)
from curator.errors import CuratorError, ParityError, QualityError, SpecError, StorageError, UsageError
from curator.manifest import Manifest
from curator.spec import load_use_case
from curator.spec.model import Baseline, Channels, ChannelTerms, Disclosure, EntitySplits, UseCase

ROOT = Path(__file__).resolve().parents[2]
DATASET = SimpleNamespace(ref="roads@1.0.0", digest="cd" * 32)
BASELINE: dict[str, Any] = {
    "name": "severity", "task": "classification", "estimator": "logistic-regression", "target": "level",
    "features": ["age", "count", "flag", "place"], "text_features": ["text"],
}  # fmt: skip


def use_case(k: int = 5, **changes: Any) -> UseCase:
    """The road accidents' spec with another model."""
    spec = load_use_case(ROOT / "specs" / "road-accidents.yaml")
    model = Baseline.model_validate(BASELINE | changes, strict=False)
    splits = EntitySplits(by="entity", shares={"test": 0.2, "train": 0.7, "validation": 0.1})
    return spec.model_copy(update={"model": model, "disclosure": Disclosure(k=k), "splits": splits})


def rows(split: str) -> pa.Table:
    """900 train rows, 300 test rows, no validation row; a null in seven ages and some targets."""
    count = {"train": 900, "test": 300, "validation": 0}[split]
    draw = np.random.default_rng(len(split))
    age, number = draw.normal(40, 15, count), draw.integers(0, 9, count)
    place = [str(p) for p in draw.choice(["Élan", "paris", "Zoé"], count)]
    level = ["grave" if v else "léger" for v in age + 6 * number + draw.normal(0, 8, count) > 62]
    if split == "train":
        place[:3] = ["seul"] * 3
        level[:2] = [None, None]  # type: ignore[list-item]
    words = [" ".join(draw.choice(["feu", "forêt", "l'été", "ÇA", "Noël"], 3)) for _ in range(count)]
    return pa.table(
        {
            "age": pa.array([None if i % 7 == 0 else float(a) for i, a in enumerate(age)], pa.float64()),
            "count": pa.array(number.tolist(), pa.int32()),
            "flag": pa.array([bool(n % 2) for n in number], pa.bool_()),
            "place": pa.array(place, pa.string()),
            "text": pa.array(words, pa.string()),
            "level": pa.array(level, pa.string()),
            "cost": pa.array((age * 3 + number).tolist(), pa.float64()),
            "day": pa.array([0] * count, pa.date32()),
            "token": pa.array([b"0" * 16] * count, pa.binary(16)),
        }
    )


def packaged(model: Any, into: Path, *, spec: UseCase | None = None, **changes: Any) -> modelling.Packaged:
    given: dict[str, Any] = {"name": "severity", "version": "0.1.0", "code_version": "abc123"}
    spec = spec or use_case()
    return modelling.package(model, use_case=spec, tables=rows, trained_on=DATASET, into=into, **(given | changes))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("packaged") / "severity"
    packaged(modelling.fit_baseline(use_case(), rows), into)
    return into


def test_the_folder_holds_what_its_manifest_lists(folder: Path) -> None:
    manifest = Manifest.read(folder)
    assert manifest.differences(folder) == []
    assert [entry.path for entry in manifest.files] == ["README.md", "metrics.json", "model.onnx", "parity.json"]
    assert all(len(entry.md5) == 32 for entry in manifest.files)
    assert (manifest.kind, manifest.ref) == ("model", "severity@0.1.0")


def test_the_manifest_links_back_and_describes_the_call(folder: Path) -> None:
    about = Manifest.read(folder).about
    assert about["trained_on"] == {"ref": DATASET.ref, "digest": DATASET.digest}
    assert about["spec"] == {"ref": use_case().ref, "digest": use_case().digest}
    assert about["opsets"] == {"": 21, "ai.onnx.ml": 3}
    assert about["nulls"] == {"number": "NaN", "text": ""}
    assert set(about["libraries"]) == {"scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy"}
    numbers = [{"name": name, "type": "tensor(float)", "shape": [None, 1]} for name in ("age", "count", "flag")]
    texts = [{"name": name, "type": "tensor(string)", "shape": [None, 1]} for name in ("place", "text")]
    assert about["inputs"] == numbers + texts
    assert [port["name"] for port in about["outputs"]] == ["label", "probabilities"]


def test_a_trace_can_start_from_the_bare_file(folder: Path) -> None:
    notes = modelling.read_provenance(folder / "model.onnx")
    assert notes["curator.model"] == "severity@0.1.0"
    assert (notes["curator.dataset"], notes["curator.dataset.sha256"]) == (DATASET.ref, DATASET.digest)
    assert notes["curator.spec.sha256"] == use_case().digest
    assert notes["curator.code"] == "abc123"


def test_a_receiver_calls_it_with_named_tensors_and_nulls(folder: Path) -> None:
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    feeds = {name: np.array([[np.nan]], np.float32) for name in ("age", "count", "flag")}
    feeds |= {name: np.array([[""]], object) for name in ("place", "text")}
    label, probabilities = session.run(None, feeds)
    assert label.tolist()[0] in ("grave", "léger")
    assert probabilities.shape == (1, 2)
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-6)


def test_the_card_opens_with_front_matter_and_says_what_matters(folder: Path) -> None:
    _, front, body = (folder / "README.md").read_text().split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["library_name"] == "onnx"
    assert facts["datasets"] == ["roads"]
    assert facts["model-index"][0]["results"][0]["dataset"]["split"] == "train"
    for said in (
        DATASET.digest,
        use_case().digest,
        "NaN",
        "C.UTF-8",
        use_case().law.dpia,
        "2 rows of train have no target",
    ):
        assert said in body
    assert "léger" not in body
    assert "seul" not in body


def test_no_category_of_fewer_than_k_rows_is_in_the_file(folder: Path) -> None:
    model = (folder / "model.onnx").read_bytes()
    assert b"seul" not in model
    assert "Élan".encode() in model


def test_figures_are_those_of_the_onnx_file_beside_the_majority(folder: Path) -> None:
    import json

    metrics = json.loads((folder / "metrics.json").read_bytes())
    assert list(metrics["splits"]) == ["test", "train"]
    assert metrics["splits"]["train"]["rows"] == 898
    test = metrics["splits"]["test"]
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    table = rows("test")
    columns = columns_of(table, signature(table.schema, [port.name for port in session.get_inputs()]))
    labels = session.run(["label"], {name: values.reshape(-1, 1) for name, values in columns.items()})[0]
    truth = np.array(table.column("level").to_pylist(), object)
    assert test["model"]["accuracy"] == pytest.approx((labels == truth).mean(), abs=1e-6)
    assert test["model"]["accuracy"] > test["baseline"]["accuracy"] > 0.4
    assert test["baseline"]["balanced_accuracy"] == 0.5
    assert test["baseline"]["roc_auc"] == 0.5


def test_two_processes_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """The hash seed of the caller differs; only the child's decides the bytes."""
    code = (
        "import sys; from pathlib import Path; from tests.unit.test_modelling import *\n"
        "packaged(modelling.fit_baseline(use_case(), rows), Path(sys.argv[1]))"
    )
    env = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "other")], cwd=ROOT, env=env, check=True)
    assert Manifest.read(tmp_path / "other").digest == Manifest.read(folder).digest


def test_a_pipeline_of_ones_own_is_packaged_with_int_labels(tmp_path: Path) -> None:
    table = rows("train")
    frame = modelling.training_frame(table, ["age", "count"])
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame, table.column("flag").to_pylist())
    assert modelling.needed_columns(pipeline, target="flag") == ("age", "count", "flag")
    found = packaged(pipeline, tmp_path / "m", target="flag")
    assert found.facts["parity"]["label_disagreements"] == 0
    assert found.facts["metrics"]["test"]["model"]["accuracy"] > 0.4
    assert found.manifest.about["outputs"][0]["type"] == "tensor(int64)"
    assert found.manifest.digest == Manifest.read(tmp_path / "m").digest


def test_a_regression_is_measured_in_the_unit_of_its_target(tmp_path: Path) -> None:
    spec = use_case(task="regression", estimator="linear-regression", target="cost")
    found = packaged(modelling.fit_baseline(spec, rows), tmp_path / "m", spec=spec)
    figures = found.facts["metrics"]["test"]
    assert set(figures["model"]) == {"mae", "rmse", "r2"}
    assert figures["model"]["mae"] < figures["baseline"]["mae"]
    assert [port["name"] for port in found.manifest.about["outputs"]] == ["prediction"]


def test_only_the_needed_columns_of_the_train_split_are_asked_for() -> None:
    asked: list[str] = []

    def tables(split: str) -> pa.Table:
        asked.append(split)
        return rows(split).select(modelling.needed_columns(use_case().model))

    fitted = modelling.fit_baseline(use_case(), tables)
    assert asked == ["train"]
    assert modelling.needed_columns(fitted) == ("age", "count", "flag", "place", "text", "level")


def test_a_packaged_model_is_never_overwritten(folder: Path) -> None:
    before = Manifest.read(folder)
    with pytest.raises(StorageError) as caught:
        packaged(modelling.fit_baseline(use_case(), rows), folder)
    assert caught.value.code == "folder-in-use"
    assert before.differences(folder) == []


def test_nothing_is_written_when_the_proof_fails(tmp_path: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier

    table = rows("train")
    forest = RandomForestClassifier(10, random_state=0)
    forest.fit(modelling.training_frame(table, ["age", "count"]), table.column("flag").to_pylist())
    with pytest.raises(ParityError) as caught:
        packaged(forest, tmp_path / "m", target="flag")
    assert caught.value.code == "parity-failed"
    assert not (tmp_path / "m").exists()


def test_a_channel_that_lets_models_go_gives_its_licence(tmp_path: Path) -> None:
    terms = ChannelTerms(purposes=("research",), licence="etalab-2.0", max_days=30, models=True)
    spec = use_case().model_copy(update={"channels": Channels(open=terms)})
    packaged(modelling.fit_baseline(spec, rows), tmp_path / "m", spec=spec)
    card = (tmp_path / "m" / "README.md").read_text()
    assert "license_name: etalab-2.0" in card
    assert "| open | etalab-2.0 | research | 30 |" in card


def without(column: str) -> Callable[[str], pa.Table]:
    return lambda split: rows(split).drop_columns([column])


def one_class(split: str) -> pa.Table:
    table = rows(split)
    return table.set_column(table.schema.get_field_index("level"), "level", pa.array(["x"] * table.num_rows))


def infinite(split: str) -> pa.Table:
    table = rows(split)
    return table.set_column(0, "age", pa.array([1e300] * table.num_rows))


def labelled(split: str) -> pa.Table:
    return rows(split).append_column("label", rows(split).column("age"))


FAULTS: dict[str, tuple[dict[str, Any], Callable[[str], pa.Table], type[CuratorError], str]] = {
    "target absent": ({}, without("level"), SpecError, "target-absent"),
    "target a date": ({"target": "day"}, rows, SpecError, "target-type"),
    "target a float, by classes": ({"target": "cost"}, rows, SpecError, "target-type"),
    "target a text, by regression": (
        {"task": "regression", "estimator": "linear-regression"}, rows, SpecError, "target-type"),
    "feature absent": ({}, without("age"), SpecError, "feature-absent"),
    "feature named as an output": ({"features": ["label"]}, labelled, SpecError, "feature-name"),
    "feature a date": ({"features": ["day"]}, rows, SpecError, "feature-type"),
    "feature a token": ({"features": ["token"]}, rows, SpecError, "feature-type"),
    "words in a number": ({"text_features": ["age"]}, rows, SpecError, "feature-type"),
    "one class": ({}, one_class, QualityError, "target-single-class"),
    "no row": ({}, lambda split: rows(split).slice(0, 0), QualityError, "training-empty"),
    "beyond 32 bits": ({}, infinite, QualityError, "feature-not-finite"),
    "no frequent word": (
        {"text_features": ["text"], "k": 5000, "task": "regression", "estimator": "linear-regression",
         "target": "cost"}, rows, QualityError, "training-refused"),
    "no frequent label": ({"k": 5000}, rows, QualityError, "training-empty"),
    "unknown parameter": ({"parameters": {"depth": 3}}, rows, SpecError, "estimator-parameter"),
    "refused parameter": ({"parameters": {"C": -1.0}}, rows, SpecError, "estimator-parameter"),
    "task and estimator": ({"estimator": "linear-regression"}, rows, SpecError, "estimator-task"),
    "native categories": (
        {"estimator": "hist-gradient-boosting", "parameters": {"categorical_features": "place"}},
        rows, ParityError, "estimator-not-convertible"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "tables", "kind", "code"), FAULTS.values(), ids=FAULTS)
def test_what_training_refuses(
    changes: dict[str, Any], tables: Callable[[str], pa.Table], kind: type[CuratorError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        modelling.fit_baseline(use_case(**changes), tables)
    assert caught.value.code == code


def test_a_spec_without_model_cannot_be_trained() -> None:
    with pytest.raises(SpecError) as caught:
        modelling.fit_baseline(use_case().model_copy(update={"model": None}), rows)
    assert caught.value.code == "model-absent"


def test_what_a_call_forgets() -> None:
    table = rows("train")
    bare = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(UsageError, match="target-unknown"):
        packaged(bare, Path("unused"))
    with pytest.raises(UsageError, match="features-unknown"):
        packaged(bare, Path("unused"), target="flag")
    named = LogisticRegression().fit(modelling.training_frame(table, ["count"]), table.column("flag").to_pylist())
    with pytest.raises(UsageError, match="features-unknown"):
        packaged(named, Path("unused"), target="flag", features=["age"])


def test_labels_of_another_kind_than_the_target_are_refused() -> None:
    table = rows("train")
    pipeline = LogisticRegression().fit(modelling.training_frame(table, ["count"]), ["x", "y"] * 450)
    with pytest.raises(SpecError, match="target-type"):
        packaged(pipeline, Path("unused"), target="flag")


def test_nulls_as_a_receiver_sends_them() -> None:
    table = pa.table(
        {
            "n": pa.chunked_array(
                [pa.array([1, None], pa.int64()), pa.array([], pa.int64()), pa.array([3, 4], pa.int64())]
            ),
            "b": pa.array([True, None, False, True]),
            "d": pa.array([None, "1.5", "2.5", "3"]).cast(pa.decimal128(5, 2)),
            "t": pa.array(["é", None, "", "b"]).dictionary_encode(),
        }
    ).slice(1)
    columns = columns_of(table, signature(table.schema, ["n", "b", "d", "t"]))
    np.testing.assert_array_equal(columns["n"], np.array([np.nan, 3, 4], np.float32))
    np.testing.assert_array_equal(columns["b"], np.array([np.nan, 0, 1], np.float32))
    np.testing.assert_array_equal(columns["d"], np.array([1.5, 2.5, 3], np.float32))
    assert columns["t"].tolist() == ["", "", "b"]
    assert {values.dtype for name, values in columns.items() if name != "t"} == {np.dtype(np.float32)}


def test_rows_without_target_are_left_out_and_booleans_are_numbers() -> None:
    table = pa.table({"y": pa.array([True, None, False]), "x": [1, 2, 3]})
    kept, truth = read_target(table, "y", task="classification")
    assert kept.column("x").to_pylist() == [1, 3]
    assert truth.tolist() == [1, 0]


def test_frequent_categories_count_nulls_and_keep_one_at_least() -> None:
    table = pa.table({"c": pa.array(["b", "b", "a", "a", "z", None, None]), "d": pa.array(list("abcdefg"))})
    assert frequent_categories(table, ["c", "d"], rarest=2) == {"c": ("", "a", "b"), "d": ("",)}


def test_trees_are_neither_scaled_nor_given_weights() -> None:
    schema = rows("train").schema
    for estimator, scaled in (
        ("logistic-regression", True),
        ("random-forest", False),
        ("hist-gradient-boosting", False),
    ):
        steps = str(baseline_pipeline(use_case(estimator=estimator).model, schema, rarest=7))  # type: ignore[arg-type]
        assert ("StandardScaler" in steps) is scaled
        assert ("use_idf=False" in steps) is not scaled


def test_leaves_of_trees_hold_k_rows_at_least() -> None:
    model = use_case(estimator="random-forest").model
    assert model
    pipeline = baseline_pipeline(model, rows("train").schema, rarest=7)
    assert pipeline.named_steps["estimator"].min_samples_leaf == 7


def test_a_training_that_stops_early_is_told_in_its_notes() -> None:
    spec = use_case(parameters={"max_iter": 1})
    assert "converged" in modelling.fit_baseline(spec, rows).notes[0]


def test_scores_agree_with_scikit_learn() -> None:
    from sklearn import metrics

    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, 200)
    scores = draw.dirichlet([1, 1, 1], 200)
    classes = np.arange(3)
    found = score(
        truth, Answers(labels=scores.argmax(1), scores=scores), trained=truth, classes=classes, task="classification"
    ).model
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, scores.argmax(1)), abs=1e-6)
    assert found["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(truth, scores.argmax(1)), abs=1e-6
    )
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, scores), abs=1e-6)
    assert found["roc_auc"] is None
    values, guesses = draw.normal(size=50), draw.normal(size=(50, 1))
    regression = score(
        values, Answers(labels=np.empty(0), scores=guesses), trained=values, classes=np.empty(0), task="regression"
    ).model
    assert regression["r2"] == pytest.approx(metrics.r2_score(values, guesses[:, 0]), abs=1e-6)
    assert regression["rmse"] == pytest.approx(metrics.root_mean_squared_error(values, guesses[:, 0]), abs=1e-6)


def test_labels_that_training_never_saw_are_counted_as_wrong() -> None:
    truth = np.array(["a", "b", "new", "new"], object)
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    answers = Answers(labels=np.array(["a", "b", "a", "a"], object), scores=scores)
    classes = np.array(["a", "b"], object)
    found = score(truth, answers, trained=np.array(["a", "a", "b"], object), classes=classes, task="classification")
    assert found.unseen == 2
    assert found.model["accuracy"] == 0.5
    assert found.model["roc_auc"] == 1.0


def test_the_converting_child_sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_ROOT_KEY", "00" * 32)
    from curator.edges.onnx_models._convert import _environment

    assert not [name for name in _environment() if name.startswith("CURATOR")]
    assert _environment()["PYTHONHASHSEED"] == "0"


def test_a_step_that_cannot_travel_is_refused() -> None:
    from sklearn.preprocessing import FunctionTransformer

    table = rows("train")
    pipeline = make_pipeline(SimpleImputer(), FunctionTransformer(lambda x: x), LogisticRegression())
    model = fit(pipeline, table, features=["age"], target="level", task="classification")
    with pytest.raises(ParityError) as caught:
        convert(model)
    assert caught.value.code == "estimator-not-convertible"
