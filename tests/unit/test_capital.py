"""The capital as a whole: what a refused call leaves behind is nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capital_world import copy_capital, curate, spec_value

from curator.capital import Capital
from curator.capital._refresh import Refreshed
from curator.errors import CuratorError
from curator.evidence import Envelope, peek_envelope
from curator.rowindex import Changes


@pytest.fixture
def capital(whole: Capital, tmp_path: Path) -> Capital:
    return copy_capital(whole, tmp_path / "capital")


def state(capital: Capital) -> tuple[Any, ...]:
    git = capital.workspace.git
    return git.resolve("HEAD"), capital.datasets(), capital.models(), len(capital.evidence.unverified())


def neighbours(capital: Capital) -> Any:
    """A fitted estimator that has an ONNX form nobody proved here."""
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import OneClassSVM

    table = capital.dataset("road-accidents").table("train", ["sex", "role"]).to_pandas()
    return make_pipeline(OneClassSVM()).fit(table.fillna(0).astype(float).head(50), np.zeros(50))


REFUSALS: dict[str, tuple[Any, str]] = {
    "a model that cannot travel": (
        lambda capital: capital.package(neighbours(capital), trained_on="road-accidents", name="near", target="severe"),
        "",
    ),
    "a model called as a dataset": (
        lambda capital: capital.package(object(), trained_on="road-accidents", name="road-accidents", target="severe"),
        "name-taken",
    ),
    "an unknown dataset": (lambda capital: capital.train("nowhere"), "version-unknown"),
    "an unknown version": (lambda capital: capital.train("road-accidents@9.9.9"), "version-unknown"),
    "a model's version twice": (lambda capital: capital.train("road-accidents", version="1.0.0"), ""),
    "a version that is no number": (lambda capital: capital.train("road-accidents", version="../x"), ""),
    "a model's name that is no name": (
        lambda capital: capital.package(object(), trained_on="road-accidents", name="Near Miss", target="severe"),
        "path-invalid",
    ),
    "an unknown role": (lambda capital: capital.add_agent("eve", roles=["king"]), "role-unknown"),
    "an agent with a path for a name": (lambda capital: capital.add_agent("../eve", roles=["engineer"]), ""),
    "an unknown request": (lambda capital: capital.deliver("R-0000000000"), ""),
    "a review by the requester": (
        lambda capital: capital.review(capital.requests()[0].id, approve=True, reason="x"), ""
    ),
    "a trace of nothing": (lambda capital: capital.trace("nowhere"), "trace-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_call_leaves_nothing(name: str, capital: Capital) -> None:
    call, code = REFUSALS[name]
    before = state(capital)
    with pytest.raises(CuratorError) as refused:
        call(capital)
    assert refused.value.code == (code or refused.value.code)
    assert state(capital) == before
    assert Capital.open(capital.workspace.root).verify() == ()
    assert [*(capital.workspace.private / "tmp").iterdir()] == []


def test_the_newest_version_is_by_number_not_by_letter(capital: Capital, demo_base: Path) -> None:
    curate(capital, demo_base, spec=spec_value(version="1.0.2"))
    curate(capital, demo_base, spec=spec_value(version="1.0.10"))
    assert capital.dataset("road-accidents").ref == "road-accidents@1.0.10"
    assert capital.trace("road-accidents")[0].made[0] == "road-accidents@1.0.10"


def test_a_dataset_and_a_model_may_not_share_a_name(capital: Capital, demo_base: Path) -> None:
    """One reference names one thing, whichever comes first."""
    with pytest.raises(CuratorError) as refused:
        curate(capital, demo_base, spec=spec_value(name="injury-severity", version="2.0.0"))
    assert refused.value.code == "name-taken"


def test_a_statement_is_parsed_once_however_often_the_evidence_is_asked(
    capital: Capital, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[bytes] = []

    def counted(data: bytes) -> Envelope:
        parsed.append(data)
        return peek_envelope(data)

    monkeypatch.setattr("curator.evidence._store.peek_envelope", counted)
    capital.directory(), capital.epochs(), capital.quality("road-accidents"), capital.requests()
    assert len(parsed) == len(set(parsed)) == len(capital.evidence.unverified())
    victim = next((capital.workspace.root / "evidence").glob("*/*.json"))
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes() + b" ")
    with pytest.raises(CuratorError, match="SHA-256"):
        capital.directory()


def test_what_a_session_prints_is_a_line_and_a_table_without_a_script(capital: Capital) -> None:
    capital.workspace.holder = "<script>Observatory</script>"
    data, model = capital.dataset("road-accidents"), capital.model(capital.models()[0])
    refreshed = Refreshed(version=data, previous=None, feed="full", changes=Changes(added=3, changed=0, vanished=0))
    split = next(iter(data.manifest.rows))
    assert repr(data).startswith(f"DatasetVersion({data.ref!r}, {split}={data.manifest.rows[split]}")
    assert repr(model) == f"ModelVersion({model.ref!r})"
    for shown in (capital, data, model, refreshed, *capital.requests()):
        assert len(repr(shown)) < 2000
        page = shown._repr_html_()
        assert page.startswith("<table>") or "<table" in page
        assert "<script>" not in page
    assert data.ref in capital._repr_html_()
