"""A risk report told to a person: the same in both languages, self-contained, and without a value of any row."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from capital_world import copy_capital

from curator.capital import RunOptions
from curator.cli import main
from curator.risk import RiskReport, Roles, compare_copies, exposure, measure, page, table_columns, tell, text, whose
from curator.risk._words import WORDS, listed, number, percent, percent_in_words

if TYPE_CHECKING:
    from curator.capital import Capital

VALUES = ["Zéphyrine", "Quetzalcóatl", "Xanthippe"]


@pytest.fixture(scope="module")
def report() -> RiskReport:
    rows = pa.table({
        "name": [VALUES[n % 3] for n in range(40)], "age": [n // 8 for n in range(40)],
        "who": [n // 2 for n in range(40)],
        "ill": [n % 8 == 0 for n in range(40)], "minute": [7_000_000 + n for n in range(40)],
    })  # fmt: skip
    columns = table_columns(rows, rows.column_names)
    found = measure([columns["name"], columns["age"]], sensitive=[columns["ill"]], entity=columns["who"])
    shown = exposure([columns[name] for name in ("name", "age", "minute")], declared=["name", "age"],
                     left_out=["who"], persons=whose(columns["who"]))  # fmt: skip
    return RiskReport(measures=found, exposure=shown)


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["en"].keys() == WORDS["fr"].keys()
    for key, english in WORDS["en"].items():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", WORDS["fr"][key])), key


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_stands_alone_and_shows_no_value(report: RiskReport, language: str) -> None:
    telling = tell("x<y>@1.0.0", report, before=report.measures, language=language)  # type: ignore[arg-type]
    html, screen = page(telling), text(telling)
    assert "<script" not in html
    assert not re.search(r"(src|href)=|url\(|@import|https?://", html)
    assert "x<y>" not in html
    assert "x&lt;y&gt;" in html
    assert html.count("<svg") == sum(len(section.bars) for section in telling.sections)
    for shown in (html, screen):
        assert not any(value in shown for value in VALUES)
        assert "7000" not in shown.replace("\u202f", "").replace(",", "")
        assert "minute" in shown
    assert max(map(len, screen.splitlines())) <= 100
    checker = _Balanced()
    checker.feed(html)
    assert not checker.open


def test_lone_people_are_counted_and_named_by_their_columns_only(report: RiskReport) -> None:
    telling = tell("x@1.0.0", report)
    assert "20 people" in telling.lead[0]
    assert "name and age" in " ".join(telling.lead)
    assert {section.name for section in telling.sections} >= {"groups", "attackers", "diversity", "combinations"}


def test_numbers_are_written_as_the_language_does() -> None:
    assert (number(1_234_567, "en"), number(1_234_567, "fr")) == ("1,234,567", "1\u202f234\u202f567")
    assert (percent(0.0004, "en"), percent(0.9999, "fr")) == ("<0.1%", ">99,9\u202f%")
    assert (percent(0.0, "en"), percent(0.074, "fr"), percent(1.0, "en")) == ("0%", "7,4\u202f%", "100%")
    assert (percent(0.05, "en"), percent(0.9967, "en"), percent(0.994, "en")) == ("5%", "99.7%", "99%")
    assert percent_in_words(0.0004, "en") == "less than 0.1%"
    assert percent_in_words(0.9999, "fr") == "plus de 99,9\u202f%"
    assert listed(["a", "b", "c"], "fr") == "a, b et c"


def test_the_command_tells_a_version_and_its_package(
    whole: Capital, demo_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = whole.workspace.root, tmp_path / "risk.html"
    ref = whole.datasets()[0]
    assert main(["--capital", str(root), "--json", "risk", ref, "--data", str(demo_base), "--html", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measures"]["k"] >= 5
    assert found["measures"]["persons"] < found["measures"]["rows"]
    assert found["before"]["k"] == 1
    assert found["exposure"]["left_out"] == ["person", "driver_licence", "vehicle_plate"]
    assert "<svg" in out.read_text(encoding="utf-8")
    package = next((root / "releases").glob("*.cur"))
    assert main(["--capital", str(root), "--quiet", "risk", str(package), "--lang", "fr"]) == 0
    assert "Qui pourrait être retrouvé" in capsys.readouterr().out


def test_the_sources_are_measured_once_and_told_without_them_afterwards(
    whole: Capital, demo_base: Path, tmp_path: Path
) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    ref = capital.datasets()[0]
    kept = capital.workspace.private / "holder" / "risk" / f"{ref}.json"
    kept.unlink(missing_ok=True)
    assert capital.risk(ref).before is None
    measured = capital.risk(ref, sources=RunOptions(data=demo_base)).before
    assert measured is not None
    assert kept.stat().st_mode & 0o777 == 0o600
    assert capital.risk(ref).before == measured
    assert set(json.loads(kept.read_text(encoding="utf-8"))["before"]) == set(measured.facts())
    told = json.loads(kept.read_text(encoding="utf-8"))
    kept.write_text(json.dumps({**told, "version": "0" * 64}), encoding="utf-8")
    assert capital.risk(ref).before is None  # the figures of another version are not shown


def test_copies_for_two_recipients_are_linked_by_what_both_have(whole: Capital, tmp_path: Path) -> None:
    capital = copy_capital(whole, tmp_path / "capital")
    ref = capital.datasets()[0]
    assert capital.risk(ref).copies == ()
    copy = capital.rekey(ref, to="Second institute")
    answer = capital.risk(ref)
    [found] = answer.copies
    assert (found.other, found.tokens) == (copy.ref, 0)
    assert found.by_quasi == 0.0  # nobody is alone with their quasi-identifiers
    assert found.by_all > 0.5  # but rows are, with everything else: no key helps against that
    assert capital.risk(copy.ref).copies[0].other == ref
    for language, said in (("en", "No pseudonym is in both"), ("fr", "Aucun pseudonyme n'est dans les deux")):
        telling = tell(ref, answer.report, copies=answer.copies, language=language)  # type: ignore[arg-type]
        assert said in text(telling).replace("\n  ", " ")
        assert 'id="copies"' in page(telling)


def test_shared_tokens_are_counted(tmp_path: Path) -> None:
    tokens = pa.array([bytes([n]) * 16 for n in range(40)], pa.binary(16))
    rows = pa.table({"who": tokens, "age": [n // 2 for n in range(40)], "hour": list(range(40))})
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    parquet.write_table(rows, one)
    parquet.write_table(rows.slice(10).append_column("more", pa.array([0] * 30)), two)
    found = compare_copies("b@1.0.0", [one], others=[two], roles=Roles(quasi=("age",), tokens=("who",)))
    assert (found.rows, found.tokens, found.columns) == (40, 30, ("age", "hour"))
    assert (found.by_quasi, found.by_all) == (0.0, 0.75)


def test_a_model_has_no_rows(whole: Capital, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--capital", str(whole.workspace.root), "risk", whole.models()[0]]) == 2
    assert "risk-no-dataset" in capsys.readouterr().err


class _Balanced(HTMLParser):
    """Every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
