"""Mistake: one person under several spellings becomes several, and all the unknown people become one."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from mistakes.red import goes_red

from curator import kernel as room
from curator.kernel import ROW_KEY, SPLIT, BatchKernel, TokenField

SAME = {
    "plate": ["AB-123-CD", "ab 123 cd", "ab-123-cd", "AB123CD", "Ａ\uff22-123-CD", "AB\u2011123\u2011CD"],
    "name": ["Noël Éric", "NOEL ERIC", "noel  éric", unicodedata.normalize("NFD", "Noël Éric"), "Noël-Éric"],
    "surname": ["de La Tour", "DELATOUR", "De-la-Tour", "DE LA  TOUR"],
    "phone": ["06 12 34 56 78", "+33 6 12 34 56 78", "0033612345678", "06.12.34.56.78"],
    "email": ["Jean.Martin@Example.org", " jean.martin@example.org "],
    "nir": ["2 84 05 76 451 089 78", "284057645108978", "2840576451089"],
    "iban": ["FR76 3000 6000 0112 3456 7890 189", "fr7630006000011234567890189"],
}
UNKNOWN = ["", " ", "N/A", "n/a", "NULL", "INCONNU", "inconnue", "Non renseigné", "XXX", "000000", "-", "?", None]


def tokens(values: list[str | None], form: str, *, method: str) -> list[bytes | None]:
    key = bytes(range(64)) if method == "siv" else bytes(range(32))
    field = TokenField(name="who", form=form, key=key, method=method, malformed="apart", apart=key[::-1])  # type: ignore[arg-type]
    kernel = BatchKernel(
        fields=("who",), tokens=(field,), order_key=bytes(32), split_key=bytes(32), entity=(), shares=()
    )
    rows = [str(row) for row in range(len(values))]
    batch = pa.RecordBatch.from_pydict(
        {"who": pa.array(values, pa.string()), ROW_KEY: rows, SPLIT: pa.array([0] * len(rows))}
    )
    return list(kernel(batch).column("who").to_pylist())


def spelt(form: str, method: str) -> None:
    found = tokens([*SAME[form]], form, method=method)
    assert len(set(found)) == 1, f"{form}: one identifier, {len(set(found))} tokens"
    assert found[0] is not None


def unknown(form: str, method: str) -> None:
    assert tokens([*UNKNOWN], form, method=method) == [None] * len(UNKNOWN)


METHODS = ("cmac", "hmac-sha256", "siv")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", SAME)
def test_every_spelling_gives_one_token(form: str, method: str) -> None:
    spelt(form, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", SAME)
def test_unknown_people_have_no_token(form: str, method: str) -> None:
    unknown(form, method)


@pytest.mark.parametrize("form", SAME)
def test_it_goes_red_without_canonical_spellings(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "canonical", lambda column, form: column)
    monkeypatch.setattr(room, "examined", lambda column, form: (column, column.is_valid()))
    goes_red(lambda: spelt(form, "cmac"))
    goes_red(lambda: unknown(form, "cmac"))


def malformed() -> None:
    """Rows that say "see the file" must not be well made people, nor hide among them."""
    found = tokens(["AB-123-CD", "SEE FILE", "see-file", "AB123CD"], "plate", method="cmac")
    assert found[0] == found[3]
    assert found[1] == found[2]
    alone = tokens(["SEE FILE"], "raw", method="cmac")  # under the key of well made ones
    assert found[1] != tokens(["SEEFILE"], "raw", method="cmac")[0]
    assert found[1] not in alone


def test_malformed_identifiers_are_kept_apart() -> None:
    malformed()


def test_it_goes_red_when_they_are_tokens_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    examined = room.examined

    def blind(column: pa.Array, form: str) -> tuple[pa.Array, pa.Array]:
        spellings, _ = examined(column, form)
        return spellings, pa.array([True] * len(column))

    monkeypatch.setattr(room, "examined", blind)
    goes_red(malformed)


def test_unknown_people_stay_apart_in_a_version(tmp_path: Path, demo_base: Path) -> None:
    """End to end: the base holds empty, N/A and INCONNU identifiers; no token stands for them."""
    from capital_world import curate, empty_capital, spec_value

    version = curate(empty_capital(tmp_path / "capital"), demo_base, spec=spec_value(disclosure={"k": 1}))
    nulls = sum(version.table(split, ["vehicle_plate"])["vehicle_plate"].null_count for split in version.splits)
    assert nulls > 0
