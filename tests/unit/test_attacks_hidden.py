"""An adversary hides one planted person wherever bytes can hide; each hiding place is tried, and honest ones too."""

from __future__ import annotations

import base64
import codecs
import gzip
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from curator.attacks import (
    Attacker,
    GateReport,
    Leak,
    Limits,
    Needles,
    attack_package,
    canary_leaks,
    clear_leaks,
    dictionary_hits,
    enumerated,
    member_leaks,
    model_leaks,
    model_strings,
    neighbours,
    order_leaks,
    paper_leaks,
    prefixes,
    rare_words,
    remainder_hits,
    shard_leaks,
)
from curator.pseudonyms import TokenKernel
from curator.risk import Roles

NAME, PHONE, NIR, PLATE = "Gargouïlle-Zéphyrin", "06 98 76 54 32", "1 84 12 76 451 089 46", "ZQ-987-ZQ"
CANARIES = (NAME, PHONE, NIR, PLATE, "gargouille.z@canari.example")
SHARD = "dataset/data/train/part-00000.parquet"
ROLES = Roles(
    quasi=("age", "sex"), sensitive=("ill",), other=("note", "number", "share"), tokens=("who",), entity=("who",)
)
Contents = dict[str, bytes | Path]


def table(rows: int = 400, *, seed: int = 3, **changes: pa.Array) -> pa.Table:
    rng = np.random.default_rng(seed)
    whole = {
        "who": TokenKernel(bytes(32)).tokens(pa.array([f"person {n}" for n in range(rows)])),
        "age": pa.array(rng.integers(0, 4, rows)),
        "sex": pa.array(rng.integers(1, 3, rows)),
        "ill": pa.array(rng.random(rows) < 0.2),
        "note": pa.array([("calm", "rain", "fog")[n] for n in rng.integers(0, 3, rows)]),
        "number": pa.array(rng.integers(0, 90, rows)),
        "share": pa.array(np.round(rng.random(rows), 2)),
    }
    return pa.table({**whole, **changes})


def written(data: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(data, sink, **{"write_statistics": False, "compression": "zstd", **options})
    return sink.getvalue()


def package(data: pa.Table | None = None, **members: bytes) -> Contents:
    papers = {path.replace("__", "/").replace("_DOT_", "."): content for path, content in members.items()}
    return {SHARD: written(table() if data is None else data), "terms.json": b"{}", **papers}


def attacked(contents: Mapping[str, bytes | Path], *, canaries: tuple[str, ...] = CANARIES, **more: Any) -> GateReport:
    attacker = Attacker(channel="research", knows=("age", "sex"))
    return attack_package(
        contents, roles=ROLES, forms={"who": "nir"}, attacker=attacker, limits=Limits(k=5), canaries=canaries,
        salts=["road-accidents"], **more,
    )  # fmt: skip


def kinds(report: GateReport) -> set[str]:
    return {leak.kind.partition(" ")[0] for leak in report.leaks}


def test_an_honest_package_leaves() -> None:
    report = attacked(package())
    assert report.leaks == ()
    assert report.passed


def one_in(text: object, kind: pa.DataType | None = None) -> pa.Array:
    plain = ["calm"] * 400 if not isinstance(text, (int, float)) else list(range(400))
    return pa.array([*plain[:200], text, *plain[201:]], kind)


def sha(text: str, name: str = "sha256") -> bytes:
    return hashlib.new(name, text.encode()).digest()


# ---- values -----------------------------------------------------------------------------------------------------

WRITTEN: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "reversed": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in a longer text": lambda text: base64.b64encode(b"ab" + text.encode() + b"..").decode(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper": lambda text: text.encode().hex().upper(),
    "hexadecimal with colons": lambda text: text.encode().hex(":"),
    "percent signs": lambda text: quote(text, safe=""),
    "percent signs in lower case": lambda text: quote(text, safe="").lower(),
    "JSON escapes": lambda text: json.dumps(text),
    "HTML": lambda text: escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "spaced out": lambda text: " ".join(text),
    "with invisible signs": lambda text: "\u200b".join(text),
    "with soft hyphens": lambda text: text[:5] + "\u00ad" + text[5:],
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "md5": lambda text: hashlib.md5(text.encode()).hexdigest(),
    "sha1": lambda text: sha(text, "sha1").hex(),
    "sha256": lambda text: sha(text).hex().upper(),
    "sha256 in base64": lambda text: base64.b64encode(sha(text)).decode(),
    "sha256, 16 digits kept": lambda text: sha(text).hex()[:16],
    "uuid5": lambda text: uuid.uuid5(uuid.NAMESPACE_DNS, text).hex,
    "sha256 in a sentence": lambda text: f"file {sha(text).hex()}, page 3",
}


@pytest.mark.parametrize(
    ("way", "secret"),
    [(way, secret) for way in WRITTEN for secret in (NAME, PHONE, NIR, PLATE) if (way, secret) != ("rot13", PHONE)],
)
def test_a_value_in_any_writing_is_found(way: str, secret: str) -> None:
    assert canary_leaks(package(table(note=one_in(WRITTEN[way](secret)))), CANARIES), way


SPELT = {
    PHONE: ["0698765432", "+33698765432", "+33 6 98 76 54 32", "06.98.76.54.32", "06-98-76-54-32"],
    NIR: ["184127645108946", "1841276451089", "1.84.12.76.451.089.46"],
    PLATE: ["ZQ987ZQ", "zq 987 zq"],
    NAME: ["GARGOUILLE ZEPHYRIN", "gargouille", "zéphyrin", "ZEPHYRIN Gargouille", "gargouille_zephyrin"],
}


@pytest.mark.parametrize(("secret", "spelling"), [(secret, way) for secret, ways in SPELT.items() for way in ways])
def test_a_value_in_any_spelling_is_found(secret: str, spelling: str) -> None:
    assert canary_leaks(package(table(note=one_in(spelling))), [secret])


def test_nothing_else_is_taken_for_it() -> None:
    others = enumerated("plate", 400)[:400]
    assert canary_leaks(package(table(note=pa.array(others))), CANARIES) == ()


# ---- numbers ----------------------------------------------------------------------------------------------------


def numbers(make: Callable[[str], int | float], form: str = "phone") -> pa.Array:
    return pa.array([make(text) for text in [*enumerated(form, 500)][:400]])


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
@pytest.mark.parametrize("form", ["phone", "nir"])
def test_identifiers_as_numbers_are_in_clear(form: str, kind: pa.DataType) -> None:
    if form == "nir":
        whole = [f"{body}{97 - int(body) % 97:02d}" for body in enumerated("nir", 500)][:400]
        column = pa.array([int(text) for text in whole]).cast(kind)
    else:
        column = numbers(lambda text: int(text[-9:])).cast(kind)
        column = column.filter(pa.compute.greater(column, 6e8))
        column = pa.concat_arrays([column, column])[:400]
    assert [leak.where for leak in clear_leaks("number", pa.chunked_array([column]))] == [f"number: {form}"]


def test_ordinary_numbers_are_no_identifiers() -> None:
    rng = np.random.default_rng(1)
    for column in (rng.integers(0, 10**15, 5_000), rng.integers(10**8, 10**9, 5_000), rng.random(5_000) * 1e9):
        assert clear_leaks("number", pa.chunked_array([pa.array(column)])) == ()


HASHED_TO_NUMBERS = {
    "8 bytes": lambda text: int.from_bytes(sha(text)[:8], "big") >> 1 << 1,
    "8 bytes, signed": lambda text: int.from_bytes(sha(text)[:8], "big", signed=True),
    "8 bytes, little end": lambda text: int.from_bytes(sha(text)[:8], "little", signed=True),
    "12 hexadecimal digits": lambda text: int(sha(text, "md5").hex()[:12], 16),
    "10 hexadecimal digits": lambda text: int(sha(text, "sha1").hex()[:10], 16),
    "crc32": lambda text: __import__("zlib").crc32(text.encode()),
}


@pytest.mark.parametrize("way", HASHED_TO_NUMBERS)
def test_a_hash_as_a_number_is_found(way: str) -> None:
    known = enumerated("plate", 300)
    made = [HASHED_TO_NUMBERS[way](text) for text in known]
    kind = pa.uint64() if max(made) >= 1 << 63 else pa.int64()
    if way == "8 bytes":
        made = [int.from_bytes(sha(text)[:8], "big") for text in known]
    found = dictionary_hits({"number": prefixes(pa.array(made, kind))}, known)
    assert sum(found.get("number", {}).values()) > 250, way


@pytest.mark.parametrize("digits", [7, 8, 12])
def test_what_remains_of_a_hash_is_found(digits: int) -> None:
    known = enumerated("plate", 300)
    made = pa.chunked_array([[int(sha(text).hex(), 16) % 10**digits for text in known]])
    assert remainder_hits({"number": made}, known)["number"]["sha256 modulo a power of ten"] > 250
    rng = np.random.default_rng(5)
    other = pa.chunked_array([pa.array(rng.integers(0, 10**digits, 5_000))])
    assert remainder_hits({"number": other}, known) == {}


@pytest.mark.parametrize("kept", [8, 9, 10, 11, 12, 13, 20, 31, 40])
def test_a_hash_cut_anywhere_is_found(kept: int) -> None:
    known = enumerated("plate", 300)
    column = pa.array([hashlib.sha256(text.encode()).hexdigest()[:kept] for text in known])
    assert sum(dictionary_hits({"note": prefixes(column)}, known)["note"].values()) > 250


@pytest.mark.parametrize("make", [
    lambda text: str(uuid.uuid5(uuid.NAMESPACE_DNS, text)),
    lambda text: "{" + str(uuid.uuid3(uuid.NAMESPACE_DNS, text)) + "}",
    lambda text: hashlib.md5(text.encode()).digest().hex(":"),
    lambda text: base64.b32encode(hashlib.sha1(text.encode()).digest()).decode(),
    lambda text: "0x" + hashlib.sha256(text.encode()).hexdigest(),
])  # fmt: skip
def test_a_hash_in_other_clothes_is_found(make: Callable[[str], str]) -> None:
    known = enumerated("plate", 300)
    assert sum(dictionary_hits({"note": prefixes(pa.array(list(map(make, known))))}, known)["note"].values()) > 250


@pytest.mark.parametrize("form", ["phone", "nir"])
def test_a_hash_of_the_form_that_people_use_is_found(form: str) -> None:
    """The dictionary lists canonical spellings; people hash national numbers, and social security numbers with keys."""
    known = enumerated(form, 300)
    national = ["0" + text[3:] if form == "phone" else f"{text}{97 - int(text) % 97:02d}" for text in known]
    column = pa.array([hashlib.sha256(text.encode()).hexdigest() for text in national])
    assert sum(dictionary_hits({"note": prefixes(column)}, known)["note"].values()) > 250


def test_short_digests_need_more_than_chance() -> None:
    rng = np.random.default_rng(9)
    column = pa.array([f"{n:08x}" for n in rng.integers(0, 1 << 32, 20_000).tolist()])
    assert dictionary_hits({"note": prefixes(column)}, enumerated("plate", 5_000)) == {}


# ---- Parquet ----------------------------------------------------------------------------------------------------


def with_field_metadata(data: pa.Table) -> pa.Table:
    place = data.schema.get_field_index("note")
    return data.cast(data.schema.set(place, data.schema.field(place).with_metadata({"seen by": NAME})))


def with_unused_entry() -> pa.Table:
    """A dictionary that still holds the value of a row which was taken out."""
    whole = one_in(NAME).dictionary_encode()
    kept = [n for n in range(400) if n != 200]
    taken = pa.DictionaryArray.from_arrays(whole.indices.take(pa.array(kept)), whole.dictionary)
    return table().take(kept).set_column(4, "note", taken)


def with_gap(data: bytes) -> bytes:
    """Bytes between the last page and the footer."""
    footer = int.from_bytes(data[-8:-4], "little") + 8
    return data[:-footer] + NAME[::2].encode() + data[-footer:]


PARQUET: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "metadata of the file": (lambda: written(table().replace_schema_metadata({"by": "x"})), "metadata"),
    "metadata of a field": (lambda: written(with_field_metadata(table())), "metadata"),
    "metadata of pandas": (lambda: written(table().replace_schema_metadata({"pandas": "{}"})), "metadata"),
    "statistics": (lambda: written(table(), write_statistics=["note"]), "statistics"),
    "a page index": (lambda: written(table(), write_statistics=True, write_page_index=True), "statistics"),
    "an entry no row uses": (lambda: written(with_unused_entry()), "hidden-bytes"),
    "bytes between the pages": (lambda: with_gap(written(table())), "hidden-bytes"),
    "a column nobody declared": (lambda: written(table(extra=one_in(1))), "undeclared-column"),
}


@pytest.mark.parametrize("place", PARQUET)
def test_a_place_in_a_shard_is_told_without_knowing_what_it_holds(place: str) -> None:
    make, kind = PARQUET[place]
    report = attacked({**package(), SHARD: make()}, canaries=())
    assert kind in kinds(report)
    assert not report.passed


@pytest.mark.parametrize("options", [
    {"compression": name, "use_dictionary": coded, "data_page_version": version, "row_group_size": size}
    for name in ("none", "zstd", "snappy") for coded in (True, False) for version in ("1.0", "2.0")
    for size in (97, 4_000)
])  # fmt: skip
def test_no_honest_shard_is_taken_for_a_hiding_place(options: dict[str, Any]) -> None:
    nulls = pa.array([None if n % 3 else "calm" for n in range(400)])
    assert shard_leaks("data/train/part-00000.parquet", written(table(note=nulls), **options)) == ()


def test_bytes_that_are_no_pages_are_told() -> None:
    data = bytearray(written(table(), use_dictionary=False))
    data[4:12] = b"\xff" * 8
    assert "hidden-bytes" in {leak.kind for leak in shard_leaks("data/train/part-00000.parquet", bytes(data))}


# ---- order ------------------------------------------------------------------------------------------------------


def test_rows_that_stand_by_household_are_told() -> None:
    """Neither rising nor falling, but together: the places of rows tell who lives with whom."""
    rng = np.random.default_rng(4)
    households = np.repeat(rng.permutation(600), 3)
    rows = {"town": pa.chunked_array([[f"town {n * 7919 % 600}" for n in households.tolist()]])}
    assert [leak.kind for leak in order_leaks([rows])] == ["row-order"]
    mixed = {"town": pa.chunked_array([[f"town {n}" for n in rng.permutation(households).tolist()]])}
    assert order_leaks([mixed]) == ()


@pytest.mark.parametrize("seed", range(8))
def test_a_random_order_is_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for column in (rng.integers(0, 2, 3_000), rng.integers(0, 700, 3_000), rng.random(3_000) < 0.01):
        assert neighbours(pa.chunked_array([pa.array(column)])) < 5


def test_sorted_by_a_column_that_left_is_told_by_those_that_stay() -> None:
    """Rows sorted by name: what goes with the name (a region, an origin) rises with the place."""
    rng = np.random.default_rng(6)
    names = np.sort(rng.normal(size=4_000))
    follows = (names + rng.normal(size=4_000) > 0).astype(np.int64)
    assert order_leaks([{"region": pa.chunked_array([pa.array(follows)])}])


# ---- papers -----------------------------------------------------------------------------------------------------

PAPERS: Mapping[str, bytes] = {
    "a card": f"# Data\n\nSeen by M. {NAME.title()}.\n".encode(),
    "a JSON key": json.dumps({NAME: 1}).encode(),
    "a JSON value, escaped": json.dumps({"by": NAME}, ensure_ascii=True).encode(),
    "a signed payload": json.dumps({"payload": base64.b64encode(json.dumps({"by": NAME}).encode()).decode()}).encode(),
    "Croissant": json.dumps({"recordSet": [{"field": [{"description": f"e.g. {PHONE}"}]}]}).encode(),
    "a hash of it": json.dumps({"id": sha(NIR, "md5").hex()}).encode(),
}


@pytest.mark.parametrize("place", PAPERS)
def test_a_paper_that_tells_is_found(place: str) -> None:
    assert "canary" in kinds(attacked(package(dataset__README_DOT_md=PAPERS[place])))


CLEAR = {
    "email": "Ask jean.durand@orange.example for more.",
    "phone": "Call 06 12 34 56 78.",
    "nir": "Number 2 84 05 76 451 089 78.",
    "iban": "To FR76 3000 6000 0112 3456 7890 189.",
}


@pytest.mark.parametrize("form", CLEAR)
def test_an_identifier_that_nobody_planted_is_found_in_papers(form: str) -> None:
    text = CLEAR[form].encode()
    assert [leak.where for leak in paper_leaks({"dataset/README.md": text})] == [f"dataset/README.md: {form}"]
    inside = base64.b64encode(b"....................." + text)
    assert paper_leaks({"evidence/a.json": b'{"payload": "' + inside + b'"}'})


def test_the_contacts_of_the_spec_may_stand_in_papers() -> None:
    spec = b"owner: {contact: data@observatory.example}\n"
    card = b"Write to data@observatory.example."
    assert paper_leaks({"dataset/use-case.yaml": spec, "dataset/README.md": card}) == ()
    assert paper_leaks({"dataset/use-case.yaml": spec, "dataset/README.md": card + b" Or to a.b@other.example."})


def test_digests_and_numbers_of_papers_are_no_identifiers() -> None:
    rng = np.random.default_rng(2)
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]
    shares = rng.random(2_000).tolist()
    coded = base64.b64encode(rng.bytes(30_000)).decode()
    text = json.dumps(
        {"digests": digests, "shares": shares, "key": coded, "rows": rng.integers(0, 10**9, 2_000).tolist()}
    )
    assert paper_leaks({"dataset/quality.json": text.encode()}) == ()
    assert canary_leaks({"dataset/quality.json": text.encode()}, CANARIES) == ()


def test_identifiers_left_in_texts_are_found() -> None:
    """One telephone in one of four hundred texts, inside a sentence: a mask that missed it."""
    text = one_in("The driver, whom one may call at 06 12 34 56 78, was tired.")
    assert [leak.where for leak in clear_leaks("note", pa.chunked_array([text]))] == ["note: phone"]
    nested = pa.array([["calm"]] * 399 + [["Rue Haute, jean@durand.example"]])
    assert clear_leaks("note", pa.chunked_array([nested]))


# ---- members ----------------------------------------------------------------------------------------------------


def zipped() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("a.txt", "nothing")
        archive.comment = NAME.encode()
    return sink.getvalue()


@pytest.mark.parametrize(("path", "content", "kind"), [
    ("dataset/README.md", zipped(), "container"),
    ("dataset/README.md", gzip.compress(NAME.encode()), "container"),
    ("dataset/durand-jean-0612345678.json", b"{}", "file-name"),
    ("dataset/Durand Jean.json", b"{}", "file-name"),
    ("dataset/notes.docx", b"x", "file-name"),
    (f"evidence/{'a' * 63}.json", b"{}", "file-name"),
    ("dataset/../x.json", b"{}", "file-name"),
])  # fmt: skip
def test_odd_members_are_told(path: str, content: bytes, kind: str) -> None:
    assert [leak.kind for leak in member_leaks({path: content})] == [kind]
    assert not attacked({**package(), path: content}).passed


# ---- models -----------------------------------------------------------------------------------------------------


def model(operators: tuple[str, ...] = ("Mul",), **parts: Any) -> bytes:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node(operators[0], ["x", "w"], ["y"], doc_string=parts.get("node", ""))
    if "strings" in parts:
        node.attribute.append(onnx.helper.make_attribute("cats_strings", list(parts["strings"])))
    weights = [onnx.numpy_helper.from_array(np.asarray(parts.get("weights", [2.0]), np.float32), "w")]
    if "initializer" in parts:
        weights.append(onnx.numpy_helper.from_array(np.array(parts["initializer"], object), "s"))
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 1])
    graph = onnx.helper.make_graph([node], "g", [value], [value], weights, doc_string=parts.get("graph", ""))
    made = onnx.helper.make_model(graph, doc_string=parts.get("doc", ""))
    for name, text in parts.get("metadata", {"curator.model": "m"}).items():
        made.metadata_props.add(key=name, value=text)
    return bytes(made.SerializeToString())


MODELS = {
    "its documentation": {"doc": NAME}, "documentation of a node": {"node": NAME}, "that of the graph": {"graph": NAME},
    "metadata of its own": {"metadata": {"author": NAME}}, "metadata of ours": {"metadata": {"curator.model": NAME}},
    "an initializer": {"initializer": ["calm", NAME]}, "a category": {"strings": ["calm", NAME]},
    "a word of a vocabulary": {"strings": ["calm", "zéphyrin"]}, "a word without accents": {"strings": ["gargouille"]},
}  # fmt: skip


@pytest.mark.parametrize("place", MODELS)
def test_a_model_that_tells_is_found(place: str) -> None:
    data = model(**MODELS[place])
    assert "canary" in kinds(attacked({"model/model.onnx": data}))
    blind = {leak.kind for leak in model_leaks("model/model.onnx", data)}
    assert blind == ({"metadata"} if "documentation" in place or "graph" in place or "of its own" in place else set())


def test_an_honest_model_is_left_alone() -> None:
    data = model(strings=["calm", "rain"], weights=np.ones((300, 1)))
    assert model_leaks("model/model.onnx", data) == ()
    assert set(model_strings(data)) == {"calm", "rain"}
    assert model_leaks("model/model.onnx", b"\x0f\xff nothing") == (
        Leak(kind="hidden-bytes", where="model/model.onnx"),
    )


@pytest.mark.parametrize("operators", [("TopK",), ("SVMClassifier",)])
def test_a_model_that_keeps_its_examples_is_told(operators: tuple[str, ...]) -> None:
    found = model_leaks("model/model.onnx", model(operators, weights=np.ones((200, 7))))
    assert [leak.kind for leak in found] == ["training-rows"]


def test_neighbours_and_support_vectors_of_scikit_learn_are_told() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    svm = pytest.importorskip("sklearn.svm")
    skl2onnx = pytest.importorskip("skl2onnx")
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 3)).astype(np.float32), rng.integers(0, 2, 60)
    for estimator in (neighbors.KNeighborsClassifier(), svm.SVC()):
        made = skl2onnx.to_onnx(estimator.fit(rows, labels), rows[:1]).SerializeToString()
        assert "training-rows" in {leak.kind for leak in model_leaks("model/model.onnx", made)}


def test_words_of_a_few_are_told(tmp_path: Path) -> None:
    """One-hot categories and vocabularies: a word of fewer people than k is a person's own."""
    path = tmp_path / "part-00000.parquet"
    path.write_bytes(written(table(note=pa.array(["calm rain"] * 396 + ["calm Bugatti"] * 4))))
    rare, common = model(strings=["calm", "bugatti"]), model(strings=["calm", "rain"])
    column = {"note": parquet.read_table(path).column("note")}
    assert rare_words("model/model.onnx", rare, trained=column, least=5)[0].count == 1
    assert rare_words("model/model.onnx", common, trained=column, least=5) == ()
    assert kinds(attacked({"model/model.onnx": rare}, canaries=(), trained=[path])) == {"rare-word"}
    assert attacked({"model/model.onnx": common}, canaries=(), trained=[path]).passed


def test_a_model_alone_is_not_called_anonymous() -> None:
    """The attacks on people do not try models: the word is refused, not granted."""
    report = attack_package(
        {"model/model.onnx": model()}, roles=ROLES, forms={}, attacker=Attacker(channel="open", knows=()),
        limits=Limits(k=5, anonymous=True),
    )  # fmt: skip
    assert not report.passed
    assert "what a model remembers" in report.reasons()[-1]


# ---- the search itself ------------------------------------------------------------------------------------------


def test_needles_are_found_wherever_they_begin() -> None:
    rng = np.random.default_rng(7)
    sought = Needles([b"gargouille", b"zeph", b"\xff\x00\xff\x00\xaa", b"no"])
    assert len(sought) == 3
    for size in (4, 5, 17, (4 << 20) + 3):
        data = bytearray(rng.integers(0, 64, size, dtype=np.uint8).tobytes())
        assert sought.count(bytes(data)) == 0
    for place in (0, 900, (4 << 20) - 7):  # the last begins in one piece of the work and ends in the next
        data[place : place + 10] = b"GARGOUILLE"
    assert sought.count(bytes(data)) == 3
    assert Needles([]).count(b"anything") == 0
    assert sought.count(b"zep") == 0
