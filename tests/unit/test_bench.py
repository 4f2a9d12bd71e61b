"""The bench runs: every usual variant on a small base, with a report that holds what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import tables as others


def test_the_bench_reports_ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATOR_BENCH_BASE", str(tmp_path / "bases"))
    monkeypatch.setattr(bench, "HELP_ROUNDS", 1)  # a report is to be whole here, not exact
    monkeypatch.setattr(bench, "TOKENS", 2_000)
    report = tmp_path / "report.md"
    variants = ["limit", "engine", "keyed", "unchecked"]
    bench.main(["--rows", "2000", "--repeat", "1", "--variants", ",".join(variants), "--out", str(report)])
    text = report.read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert [row[0].removeprefix("| ") for row in rows] == variants
    assert rows[0][2] == rows[0][4] == "1.00"
    assert all(float(row[2]) > 0 and float(row[4]) > 0 for row in rows)
    assert re.search(r"unique_13: \d+ ns a value \(\d+x hmac_loop", text)
    assert re.search(r"`curator --help`: \d+ ms, [\d.]+x", text)
    assert "--rows 2000" in text
    assert (tmp_path / "bases" / "2000" / "accidents.parquet").exists()


def test_a_table_is_run_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = others.Table(about="sampling", arguments=("2000",))
    nowhere = others.Table(about="risk", packages=("no_such_package",), data=(tmp_path / "no.csv",))
    monkeypatch.setattr(others, "TABLES", {"sampling": quick, "risk": nowhere})
    text = "\n".join(others.tables(["sampling", "risk"]))
    assert "`sampling`, sampling:" in text
    assert "`risk`: skipped, package no_such_package, real data no.csv not there." in text


def test_every_table_has_its_program() -> None:
    assert all((others.ROOT / f"tests/bench/bench_{name}.py").exists() for name in others.TABLES)


def test_a_table_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["nothing"])
    assert "no table nothing" in capsys.readouterr().err
