"""Mistake: masking a text leaves variants of a name, shifts its places by Unicode, or shows the secret elsewhere."""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path

import pytest
from mistakes.mistakes_world import delivered, made, plain_spec, rewritten, with_column, with_fields
from mistakes.red import goes_red

from curator import text as room
from curator.errors import DisclosureError
from curator.text import Finder, Kind, Masker, Span, _echoes, _finder, _masker, hidden

# One person under many spellings; every mention of each row must be gone.
PEOPLE = (
    (
        "Entendu DURAND Jean, né le 12/03/1985.\n",
        "M. Durand", "J.D.", "J. Durand", "Durand J.", "jean.durand@orange.fr", "jdurand@free.fr", "Durnad", "Duránd",
        "Duran\u0302d", "D U R A N D", "DU-\nRAND", "durand", "login durand75",
    ),
    (
        "Mme Anne-Sophie LE GOFF-QUÉMÉNEUR a été entendue.\n",
        "Mme Le Goff", "Quéméneur", "A. Le Goff", "QUEMENEUR", "Queme\u0301neur", "Le Goff\u2011Quéméneur",
        "a.legoff@exemple.fr",
        "LE GOFF QUEMENEUR",
    ),
    (
        "Le nommé N\u2019DIAYE Ousmane circulait en moto.\n",
        "N'Diaye", "N\u2019Diaye", "Ousmane", "O. N'Diaye", "Diaye", "O.N.", "ousmane.ndiaye@exemple.fr",
    ),
)  # fmt: skip
ROWS = [(head, variant) for head, *variants in PEOPLE for variant in variants]


def gone(head: str, variant: str, *, form: str | None = None) -> None:
    text = f"{head}Plus tard, {variant} a maintenu sa version, puis {variant} est parti.\n"
    text = unicodedata.normalize(form, text) if form else text  # type: ignore[arg-type]
    wanted = unicodedata.normalize(form, variant) if form else variant  # type: ignore[arg-type]
    found = Finder().find(text)
    place = text.find(wanted, len(head))
    assert place > 0
    while place >= 0:
        start = place + len(re.match(r"(?:login |M\. |Mme )?", wanted)[0])  # type: ignore[index]
        mention = Span(start, place + len(wanted.removesuffix("75")), Kind.person)
        assert hidden(text, mention, found=found), f"{variant!r} is left"
        place = text.find(wanted, place + 1)


@pytest.mark.parametrize("form", [None, "NFC", "NFD"])
@pytest.mark.parametrize(("head", "variant"), ROWS)
def test_no_variant_of_a_name_is_left(head: str, variant: str, form: str | None) -> None:
    gone(head, variant, form=form)


def test_it_goes_red_without_the_echoes_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_finder, "find_echoes", lambda *args, **names: ())
    goes_red(lambda: [gone(head, variant) for head, variant in ROWS])


def test_it_goes_red_without_slips_of_the_pen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_echoes, "one_slip", lambda word, name: False)
    goes_red(lambda: gone(PEOPLE[0][0], "Durnad"))


def places_hold() -> None:
    """What is replaced is the name, the whole name and nothing else, whatever marks stand before it."""
    for before in ("e\u0301" * 9, "\u200b\u00ad" * 5, "œ\ufb01\U0001f46e", "été\u2028", "\ufeff"):
        text = f"{before} Mme He\u0301le\u0300ne Quéméneur part."
        [masked] = Masker().texts([text])
        assert masked == f"{before} Mme PERSONNE_1 part."


def test_places_do_not_shift_with_unicode() -> None:
    places_hold()


def test_it_goes_red_when_places_are_those_of_the_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_finder.View, "place", lambda self, start, end: (start, end))
    goes_red(places_hold)


SECRETS = ("Quatrebarbes", "06 12 34 56 78", "QZ-404-XK", "hector.quatrebarbes@exemple.fr", "1 85 03 75 116 001 85")
STORY = (
    "Le nommé Hector QUATREBARBES, NIR 1 85 03 75 116 001 85, joint au 06 12 34 56 78, circulait avec QZ-404-XK. "
    "Courriel hector.quatrebarbes@exemple.fr. H. Quatrebarbes est blessé."
)


def nowhere(folder: Path, base: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """A planted secret is in no file of the capital but the encrypted ones, no log, no output, no package."""
    planted = rewritten(
        base, folder / "base", accidents=lambda table: with_column(table, "narrative", [STORY] * table.num_rows)
    )
    narrative = {"meaning": "What happened.", "identifier": "direct", "protect": "mask"}
    with caplog.at_level(logging.DEBUG):
        capital, version = made(folder / "capital", planted, with_fields(plain_spec(), narrative=narrative))
        package = delivered(capital, [version.ref])
    told = caplog.text + "".join(capfd.readouterr())
    splits = [version.table(split, ["narrative"])["narrative"].to_pylist() for split in version.splits]
    assert any("PERSONNE_1" in text for texts in splits for text in texts)
    for secret in SECRETS:
        for spelling in {secret, secret.upper(), secret.lower(), secret.replace(" ", "")}:
            assert spelling not in told
            assert spelling.encode() not in package.read_bytes()
            assert all(spelling not in text for texts in splits for text in texts)
            files = [path for path in capital.workspace.root.rglob("*") if path.is_file()]
            assert not [path.name for path in files if spelling.encode() in path.read_bytes()]


def test_a_secret_is_in_no_output_log_or_package(
    tmp_path: Path, demo_base: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere(tmp_path, demo_base, caplog, capfd)


def test_it_goes_red_when_nothing_is_masked(
    tmp_path: Path, demo_base: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(_masker.Masker, "texts", lambda self, texts: list(texts))
    goes_red(lambda: nowhere(tmp_path, demo_base, caplog, capfd), refused=(DisclosureError,))


def test_the_room_says_what_it_offers() -> None:
    assert {"Masker", "evaluate", "load_model"} <= set(room.__all__)
