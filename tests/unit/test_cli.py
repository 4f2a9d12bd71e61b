"""Every command on one capital, in the order of the work: its text, its one JSON document, its exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_cli_parser import section

from curator.cli import main
from curator.demo import generate

ROOT = Path(__file__).resolve().parents[2]
DATASET, MODEL = "road-accidents@1.0.0", "injury-severity@1.0.0"
UNTIL = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
RELEASE = ("--channel", "industry", "--purpose", "driver-assistance", "--to", "acme")


@dataclass
class Run:
    """One run of `curator`."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a small base, the spec and a capital in which a dataset and a model were made, by commands."""
    folder = tmp_path_factory.mktemp("cli")
    generate(folder / "source", persons=4_000, truth_identifiers=False)
    shutil.copy(ROOT / "specs" / "road-accidents.yaml", folder / "spec.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("CURATOR_CAPITAL", "CURATOR_ROOT_KEY", "CURATOR_ROOT_KEY_FILE", "CURATOR_DEBUG"):
            patch.delenv(name, raising=False)
        patch.setenv("LC_ALL", "C.UTF-8")
        for words in (
            ["init", "--holder", "Observatoire de la sécurité routière"],
            ["curate", "spec.yaml", "--data", "source"],
            ["train", "spec.yaml"],
            ["agent", "add", "alice", "--role", "reviewer"],
        ):
            assert main(["--quiet", *words]) == 0
        yield folder


@pytest.fixture
def run(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    def command(*words: str) -> Run:
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        return Run(code, out, err)

    return command


def documented(command: str) -> set[str]:
    """Keys that the page names: those between backticks, not those in brackets (they are one level down)."""
    line = re.search(r"^JSON: (.*)\.$", section(command), re.MULTILINE)
    assert line
    return set(re.findall(r"`([a-z_]+)`", re.sub(r"\([^()]*\)", "", line[1])))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("doctor", []),
        ("spec check", ["spec.yaml"]),
        ("plan", ["spec.yaml"]),
        ("show", []),
        ("list", []),
        ("agent list", []),
        ("release status", []),
        ("trace", [MODEL]),
        ("verify", []),
        ("rejected", [DATASET]),
        ("explain", []),
        ("explain", ["too-rare"]),
        ("completion", ["bash"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_reading_command_prints_text_or_one_document(run: Any, command: str, words: list[str]) -> None:
    plain, as_json = run(*command.split(), *words), run(*command.split(), *words, "--json")
    assert (plain.code, as_json.code) == (0, 0)
    assert plain.out.strip() or command == "release status"
    assert plain.err == as_json.err == ""
    assert set(as_json.document) <= documented(command)
    assert "\x1b" not in plain.out + as_json.out


def test_show_tells_versions_and_the_capital(run: Any, place: Path) -> None:
    shown = run("show", "--json").document
    assert shown["holder"] == "Observatoire de la sécurité routière"
    assert (shown["datasets"], shown["models"]) == ([DATASET], [MODEL])
    assert shown["agents"]["alice"] == ["reviewer"]
    dataset, model = run("show", "road-accidents", "--json").document, run("show", MODEL, "--json").document
    assert set(dataset) == documented("curate") - {"stage", "extraction", "quality", "disclosure"}
    assert set(model) == documented("train")
    assert (dataset["kind"], model["kind"], model["trained_on"]) == ("dataset", "model", DATASET)
    assert (place / dataset["folder"] / "manifest.json").is_file()
    assert re.search(rf"^digest +{dataset['digest']}$", run("show", DATASET).out, re.MULTILINE)


def test_list_has_a_line_each(run: Any) -> None:
    lines = run("list").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["kind", "ref"], ["dataset", DATASET], ["model", MODEL]]
    assert re.search(r"train \d,\d{3}, validation \d+, test \d+", lines[1])


@pytest.mark.parametrize(
    ("stage", "filled"),
    [
        ("extract", {"extraction"}),
        ("check", {"extraction", "quality"}),
        ("protect", {"extraction", "quality", "disclosure"}),
    ],
)
def test_curate_until_a_stage_publishes_nothing(run: Any, place: Path, stage: str, filled: set[str]) -> None:
    before = sorted((place / "capital" / "evidence").rglob("*"))
    found = run("curate", "spec.yaml", "--data", "source", "--until", stage, "--json").document
    assert set(found) <= documented("curate")
    assert {name for name, value in found.items() if value and name != "stage"} == filled
    assert sorted((place / "capital" / "evidence").rglob("*")) == before


def test_curate_takes_one_file_of_a_source(run: Any, place: Path) -> None:
    copy = place / "elsewhere.parquet"
    shutil.copy(place / "source" / "persons.parquet", copy)
    done = run("curate", "spec.yaml", "--data", "source", "--source", f"persons={copy}", "--until", "extract", "--json")
    assert done.document["extraction"]["sources"]["persons"]["file"] == "elsewhere.parquet"
    refused = run("curate", "spec.yaml", "--source", "people=x", "--until", "extract")
    assert (refused.code, refused.err.split("]")[0]) == (11, "error[source-unknown")


def test_trace_knows_a_version_by_name_digest_or_file(run: Any) -> None:
    model = run("show", MODEL, "--json").document
    by_name = run("trace", MODEL, "--json").document["steps"]
    by_file = run("trace", f"{model['folder']}/model.onnx", "--json").document["steps"]
    by_digest = run("trace", model["digest"], "--json").document["steps"]
    assert by_name == by_file == by_digest
    stages = [step["stage"] for step in by_name]
    assert stages[-6:] == ["package", "commit", "protect", "check", "extract", "agents"]
    assert by_name == sorted(by_name, key=lambda step: step["time"], reverse=True)


def test_rejected_counts_close(run: Any) -> None:
    found = run("rejected", "road-accidents", "--json").document
    assert found["ref"] == DATASET
    assert found["rows"] - found["accepted"] == sum(found["rejected"].values()) > 0
    assert run("rejected", DATASET).out.splitlines()[1].split() == ["reason", "rows"]


def test_a_release_goes_from_request_to_recall(run: Any, place: Path) -> None:
    asked = run("release", "request", DATASET, MODEL, *RELEASE, "--until", UNTIL, "--json")
    assert (asked.code, asked.document["state"], set(asked.document)) == (0, "requested", documented("release request"))
    name = asked.document["id"]
    own = run("release", "review", name, "--approve", "--reason", "I asked.")
    assert (own.code, "role-missing" in own.err) == (14, True)
    early = run("release", "deliver", name, "--json")
    assert (early.code, early.document["error"]) == (14, "move-not-allowed")
    reviewed = run(
        "--as", "alice", "release", "review", name, "--approve", "--reason", "Within the agreement.", "--json"
    )
    assert reviewed.document["state"] == "approved"
    delivered = run("release", "deliver", name, "--out", "outbox", "--json")
    assert set(delivered.document) == documented("release deliver")
    assert run("show", name, "--json").document["state"] == "delivered"
    check_receiving(run, place, Path(delivered.document["package"]))
    assert (
        run("release", "recall", name, "--reason", "A source was withdrawn.", "--json").document["state"] == "recalled"
    )
    assert f"{name}  recalled" in run("release", "status").out
    assert run("release", "status", name, "--json").document["terms"]["until"] == UNTIL
    assert run("verify", "--json").document == {"sound": True, "findings": []}


def check_receiving(run: Any, place: Path, package: Path) -> None:
    """What a vendor does, in a folder that is no capital."""
    vendor = place / "vendor"
    vendor.mkdir()
    shutil.copy(package, vendor / "p.cur")
    shutil.copy(place / "capital" / "holder.pub", vendor)
    words = ["receive", str(vendor / "p.cur"), "--trust", str(vendor / "holder.pub")]
    checked = run(*words, "--json")
    assert (checked.code, set(checked.document)) == (0, documented("receive"))
    assert checked.document["versions"] == {"dataset": DATASET, "model": MODEL}
    assert run(*words, "--into", str(vendor / "opened")).out.startswith("verified")
    assert (vendor / "opened" / "model" / "model.onnx").is_file()
    assert run(*words, "--into", str(vendor / "opened")).code == 17
    data = bytearray((vendor / "p.cur").read_bytes())
    data[len(data) // 2] ^= 1
    (vendor / "p.cur").write_bytes(data)
    assert run(*words).code == 15


def test_an_agent_may_bring_their_own_key(run: Any, place: Path) -> None:
    pem = (place / "capital" / "holder.pub").read_bytes()
    (place / "same.pub").write_bytes(pem)
    refused = run("agent", "add", "copycat", "--role", "engineer", "--public", "same.pub")
    assert refused.code == 15  # one key, one name
    done = run("agent", "add", "bob", "--role", "custodian", "--role", "engineer", "--json")
    assert (done.document["roles"], set(done.document)) == (["custodian", "engineer"], documented("agent add"))
    assert "bob" in run("agent", "list").out


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["show", "nothing"], 2, "version-unknown"),
        (["explain", "no-such-code"], 2, "code-unknown"),
        (["trace", "nothing@1.0.0"], 2, "trace-unknown"),
        (["release", "status", "R-0000000000"], 2, "request-unknown"),
        (["spec", "check", "absent.yaml"], 10, "spec-missing"),
        (["curate", "spec.yaml", "--data", "nowhere", "--until", "extract"], 11, "source-missing"),
        (["--as", "nobody", "train", DATASET], 14, "agent-unknown"),
        (["--as", "alice", "train", DATASET], 14, "role-missing"),
        (["curate", "spec.yaml", "--data", "source"], 17, "version-exists"),
        (["init", "--holder", "Another"], 17, "workspace-exists"),
        (["--capital", "nowhere", "list"], 17, "workspace-absent"),
        (["receive", "absent.cur", "--trust", "capital/holder.pub"], 17, "package-absent"),
        (["receive", "absent.cur", "--trust", "absent.pub"], 18, "key-missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_refusal_has_its_exit_code_text_and_document(run: Any, words: list[str], code: int, error: str) -> None:
    plain, as_json = run(*words), run(*words, "--json")
    assert (plain.code, plain.out) == (code, "")
    assert plain.err.startswith(f"error[{error}]")
    assert f"curator explain {error}" in plain.err
    assert (as_json.code, as_json.err) == (code, "")
    assert as_json.document["error"] == error
    assert set(as_json.document) == {"error", "exit_code", "asked", "found", "expected", "todo", "faults"}


def test_verify_names_what_changed(run: Any, place: Path) -> None:
    card = Path(run("show", DATASET, "--json").document["folder"]) / "README.md"
    kept, mode = card.read_bytes(), card.stat().st_mode
    card.chmod(0o644)
    try:
        card.unlink()  # the file may be shared with DVC's cache: a new one, not new bytes in the old
        card.write_bytes(kept + b"\n")
        found = run("verify", "--json")
    finally:
        card.write_bytes(kept)
        card.chmod(mode)
    assert found.code == 15
    assert any("README.md" in finding for finding in found.document["findings"])
    assert run("verify").code == 0


def test_spec_faults_of_several_files_come_together(run: Any, place: Path) -> None:
    for name in ("one", "two"):
        (place / f"{name}.yaml").write_text(
            (ROOT / "specs" / "road-accidents.yaml").read_text().replace("regime: gdpr", "regime: x")
        )
    found = run("spec", "check", "spec.yaml", "one.yaml", "absent.yaml", "two.yaml", "--json")
    assert found.code == 10
    assert [fault["file"] for fault in found.document["faults"]] == ["one.yaml", "absent.yaml", "two.yaml"]


def test_spec_check_compiles_the_rules(run: Any, place: Path) -> None:
    """A rule that cannot run is told before any row is read, not by the first `curate`."""
    text = (ROOT / "specs" / "road-accidents.yaml").read_text()
    rule = "    - {type: expect_column_values_to_be_in_set, kwargs: {column: sex, value_set: [a]}}\n"
    (place / "rule.yaml").write_text(text.replace("  expectations:\n", "  expectations:\n" + rule))
    found = run("spec", "check", "rule.yaml", "--json")
    assert found.code == 10
    assert "quality.expectations[0]" in found.document["faults"][0]["file"]


def test_spec_new_writes_a_sound_spec_once(run: Any, place: Path) -> None:
    assert run("spec", "new", "fresh-case", "--json").document == {"file": "fresh-case.yaml"}
    assert run("spec", "check", "fresh-case.yaml", "--json").document["specs"][0]["ref"] == "fresh-case@1.0.0"
    assert run("plan", "fresh-case.yaml").code == 0
    assert run("spec", "new", "fresh-case").err.startswith("error[spec-exists]")
    assert run("spec", "new", "Fresh Case").err.startswith("error[spec-name-invalid]")
    assert not (place / "Fresh Case.yaml").exists()


def test_spec_schema_is_printed_or_written(run: Any, place: Path) -> None:
    printed = run("spec", "schema")
    assert printed.document["$schema"].endswith("2020-12/schema")
    assert run("spec", "schema", "--out", "schema.json", "--json").document == {"file": "schema.json"}
    assert json.loads((place / "schema.json").read_text()) == printed.document


def test_the_capital_is_found_from_a_folder_inside_it(run: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "capital" / "datasets")
    assert run("list").code == 0
    monkeypatch.chdir(place / "source")
    assert run("list").code == 17
    monkeypatch.setenv("CURATOR_CAPITAL", str(place / "capital"))
    assert run("list").code == 0


def test_doctor_goes_on_after_a_fault(run: Any, place: Path) -> None:
    key = place / "capital" / ".curator" / "keys" / "root.key"
    key.chmod(0o644)
    try:
        found = run("doctor", "--json")
    finally:
        key.chmod(0o600)
    assert found.code == 18
    faulty = [check["check"] for check in found.document["checks"] if not check["sound"]]
    assert faulty == ["root secret", "epoch of keys"]
    assert found.document["checks"][-1]["check"] == "epoch of keys"
    assert run("--capital", "nowhere", "doctor").code == 17


def test_explain_speaks_the_language_of_the_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Disclosure" in run("explain", "13").out
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert "Risque de divulgation" in run("explain", "13").out
    assert run("explain", "13", "--lang", "en", "--json").document["title"] == "Disclosure risk"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(run: Any, shell: str) -> None:
    script = run("completion", shell).out
    assert "release" in script
    assert "curate" in script
    assert re.search(
        {"bash": "_trust_COMPGEN=_shtab_compgen_files", "zsh": "--trust.*_files", "fish": "trust"}[shell], script
    )
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, env={"PATH": os.environ["PATH"]})
