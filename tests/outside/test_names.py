"""Names of columns in other languages, and names that a formula would read as something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from outside_world import curated, kept, spec_of

from curator.errors import SpecError
from curator.expressions import KEYWORDS
from curator.spec.personal import looks_personal


@pytest.mark.parametrize(
    "name",
    [
        "DNI/NIE",
        "Nombre y apellidos",
        "Straße",
        "Führerschein",
        "kenteken",
        "Codice Fiscale",
        "NI number",
        "nazwisko",
        "Fødselsnummer",
        "soyadı",
        "Фамилия",
        "Имя_клиента",
        "επώνυμο",
        "رقم الهاتف",
        "氏 名",
        "お名前",
        "车牌号",
    ],
)
def test_a_name_of_a_direct_identifier_in_another_language(name: str) -> None:
    assert looks_personal(name) == "direct"


@pytest.mark.parametrize(
    "name",
    [
        "Fecha de nacimiento",
        "Código Postal",
        "Geburtsdatum",
        "PLZ",
        "geslacht",
        "idade",
        "Ημερομηνία γέννησης",
        "Дата рождения",
        "年齢",
        "płeć",
        "kod pocztowy",
    ],
)
def test_a_name_of_a_quasi_identifier_in_another_language(name: str) -> None:
    assert looks_personal(name) == "quasi"


@pytest.mark.parametrize(
    "name", ["fecha", "provincia", "wetter", "strassentyp", "importe", "nieve", "город", "θερμοκρασία", "番号"]
)
def test_a_name_that_tells_of_nobody(name: str) -> None:
    assert looks_personal(name) is None


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_a_column_cannot_have_the_name_of_a_word(tmp_path: Path, word: str) -> None:
    with pytest.raises(SpecError) as caught:
        curated(tmp_path, spec_of({word: "integer"}))
    fault = caught.value.faults[0]
    assert fault.found == f"`{word}`, a word of the expression language"
    assert f"`column: {word}` keeps the source's own" in fault.expected


def test_words_of_sql_are_plain_names(tmp_path: Path) -> None:
    names = ["order", "group", "select", "table", "t", "sample"]
    (tmp_path / "table.csv").write_text(f"id,who,{','.join(names)},from\n1,a,1,2,3,4,5,6,7\n")
    columns = {**dict.fromkeys(names, "integer"), "origin": {"type": "integer", "column": "from"}}
    spec = spec_of(columns, extract={"derive": {"total": " + ".join(columns)}, "where": "order < 9 and select = 3"})
    spec["fields"]["total"] = kept()
    assert curated(tmp_path, spec)["total"].to_pylist() == [28]
