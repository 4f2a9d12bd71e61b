"""The package file: one right sequence of bytes, which foreign tools open and which nothing else resembles."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import CuratorError, IntegrityError, StorageError
from curator.package_file import (
    ENVELOPE,
    PAPERS,
    SUMS,
    Limits,
    Member,
    PackageReader,
    in_order,
    read_list,
    sums_text,
    write_package,
)
from curator.package_file._tar import header

EVIDENCE = f"evidence/{'a' * 64}.json"


def contents(**payload: bytes) -> dict[str, bytes]:
    found = {"holder.pub": b"key", "terms.json": b"{}", EVIDENCE: b"{}"}
    found |= payload or {"dataset/README.md": b"hello", "dataset/data/train/part-00000.parquet": bytes(range(256)) * 9}
    return {**found, SUMS: sums_text([Member.of(path, content=data) for path, data in found.items()])}


def members(held: dict[str, bytes]) -> tuple[Member, ...]:
    return in_order(Member.of(path, content=data) for path, data in held.items())


def entries(**changes: object) -> list[dict[str, object]]:
    listed = [member.to_json() for member in members(contents())]
    return [{**entry, **changes} if entry["path"] == "dataset/README.md" else entry for entry in listed]


def make(target: Path, held: dict[str, bytes], envelope: bytes = b'{"a":1}') -> str:
    return write_package(target, envelope=envelope, members=members(held), contents=held)


@pytest.mark.parametrize("path", [ENVELOPE, EVIDENCE, "dataset/x.md", "model/" + "n" * 94])
@pytest.mark.parametrize("size", [0, 1, 511, 512, (8 << 30) - 1])
def test_a_header_is_the_one_of_the_page(path: str, size: int) -> None:
    """As `docs/reference/package-format.md` writes it, field by field; and as the standard library reads it."""
    fields = [(0, 100, path.encode()), (100, 8, b"0000644\0"), (108, 8, b"0000000\0"), (116, 8, b"0000000\0"),
              (124, 12, b"%011o\0" % size), (136, 12, b"00000000000\0"), (148, 8, b" " * 8), (156, 1, b"0"),
              (257, 8, b"ustar\x0000")]  # fmt: skip
    block = bytearray(512)
    for start, length, value in fields:
        block[start : start + length] = value.ljust(length, b"\0")
    block[148:156] = b"%06o\0 " % sum(block)
    found = header(path, size=size)
    assert found == block
    read = tarfile.TarInfo.frombuf(found, "ascii", "strict")
    assert (read.name, read.size, read.mode, read.type) == (path, size, 0o644, tarfile.REGTYPE)


@pytest.mark.parametrize(("path", "size"), [("", 1), ("d" * 101, 1), ("a", 8 << 30), ("a", -1), ("\u00e9", 1)])
def test_no_header_holds_such_a_member(path: str, size: int) -> None:
    with pytest.raises(ValueError):
        header(path, size=size)


# ---- writing --------------------------------------------------------------------------------------------------


def test_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    held = contents()
    first = make(tmp_path / "a.cur", held)
    second = make(tmp_path / "b.cur", dict(reversed(held.items())))
    assert first == second == hashlib.sha256((tmp_path / "a.cur").read_bytes()).hexdigest()
    assert (tmp_path / "a.cur").read_bytes() == (tmp_path / "b.cur").read_bytes()


def test_order_is_papers_then_evidence_then_data() -> None:
    paths = [member.path for member in members(contents())]
    assert paths[:3] == list(PAPERS)
    assert paths[3:] == [EVIDENCE, "dataset/README.md", "dataset/data/train/part-00000.parquet"]


def test_a_file_is_read_from_disk_and_compared(tmp_path: Path) -> None:
    held = contents()
    source = tmp_path / "README.md"
    source.write_bytes(held["dataset/README.md"])
    on_disk = {**held, "dataset/README.md": source}
    write_package(tmp_path / "a.cur", envelope=b"{}", members=members(held), contents=on_disk)
    source.write_bytes(b"HELLO")
    with pytest.raises(IntegrityError) as raised:
        write_package(tmp_path / "b.cur", envelope=b"{}", members=members(held), contents=on_disk)
    assert raised.value.code == "package-source-changed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "a.cur"]


def test_an_absent_source_leaves_nothing(tmp_path: Path) -> None:
    held = contents()
    with pytest.raises(IntegrityError) as raised:
        write_package(
            tmp_path / "a.cur",
            envelope=b"{}",
            members=members(held),
            contents={**held, "dataset/README.md": tmp_path / "absent.md"},
        )
    assert raised.value.code == "package-source-changed"
    assert list(tmp_path.iterdir()) == []


def test_a_package_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.cur"
    target.write_bytes(b"mine")
    with pytest.raises(StorageError) as raised:
        make(target, contents())
    assert raised.value.code == "package-exists"
    assert target.read_bytes() == b"mine"


def test_an_unwritable_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as raised:
        make(tmp_path / "absent" / "a.cur", contents())
    assert raised.value.code == "package-unwritable"


# ---- foreign tools --------------------------------------------------------------------------------------------


def test_gnu_tar_and_sha256sum_open_it(tmp_path: Path) -> None:
    held = contents()
    make(tmp_path / "a.cur", held)
    out = tmp_path / "out"
    out.mkdir()
    done = subprocess.run(["tar", "xf", "../a.cur"], cwd=out, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert found == {**held, ENVELOPE: b'{"a":1}'}
    subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=out, capture_output=True, check=True)


def test_it_is_plain_ustar_without_owner_or_time(tmp_path: Path) -> None:
    make(tmp_path / "a.cur", contents())
    with tarfile.open(tmp_path / "a.cur", mode="r:") as archive:
        infos = archive.getmembers()
    assert infos[0].name == ENVELOPE
    assert {(info.mode, info.uid, info.gid, info.mtime, info.uname, info.type) for info in infos} == {
        (0o644, 0, 0, 0, "", tarfile.REGTYPE)
    }


# ---- reading --------------------------------------------------------------------------------------------------


def unpack(file: Path, held: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    with PackageReader(file) as reader:
        found = reader.papers(members(held))
        reader.unpack(folder)
    data = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {**found, **data}


SEGMENT = st.from_regex(r"[A-Za-z0-9_][a-z0-9._-]{0,10}[a-z0-9]", fullmatch=True)
PAYLOAD = st.dictionaries(
    st.builds(
        "dataset/{}/{}{}".format, SEGMENT, SEGMENT, st.sampled_from([".md", ".json", ".parquet", ".yaml", ".onnx"])
    ),
    st.binary(max_size=3000) | st.integers(0, 3).map(lambda size: bytes(size * 512)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(payload=PAYLOAD)
def test_what_is_written_is_read(payload: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    held = contents(**payload)
    folder = tmp_path_factory.mktemp("round")
    folders = {path.split("/")[1] for path in payload}
    if len({path.lower() for path in held}) != len(held) or len({name.lower() for name in folders}) != len(folders):
        with pytest.raises(IntegrityError):  # names that differ only in case
            make(folder / "a.cur", held)
        return
    make(folder / "a.cur", held)
    out = folder / "out"
    out.mkdir()
    assert unpack(folder / "a.cur", held, out) == held


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=2000), prefix=st.booleans())
def test_arbitrary_bytes_are_refused(raw: bytes, prefix: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    make_once = folder / "sample.cur"
    if not make_once.exists():
        make(make_once, contents())
    file = folder / "arbitrary.cur"
    file.write_bytes(make_once.read_bytes()[:1024] + raw if prefix else raw)
    with pytest.raises(IntegrityError), PackageReader(file) as reader:
        reader.papers(members(contents()))


def test_length_is_judged_before_any_content_is_read(tmp_path: Path) -> None:
    """The list promises more than the file holds: refused by its length, although every byte there is right."""
    held = contents()
    make(tmp_path / "a.cur", held)
    longer = {**held, "dataset/data/train/part-00000.parquet": bytes(1 << 20)}
    with PackageReader(tmp_path / "a.cur") as reader, pytest.raises(IntegrityError) as raised:
        reader.papers(members(longer))
    assert raised.value.code == "package-size"


def test_unpacked_files_are_private(tmp_path: Path) -> None:
    make(tmp_path / "a.cur", contents())
    out = tmp_path / "out"
    out.mkdir()
    unpack(tmp_path / "a.cur", contents(), out)
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o600}


# ---- the list -------------------------------------------------------------------------------------------------

REFUSED = {
    "path": [
        "", "x", "/x.md", "../x.md", "dataset", "dataset/", "dataset/..", "dataset/../x.md", "dataset/./x.md",
        "dataset//x.md", "dataset/x.md/", "dataset/.x.md", "dataset/-x.md", "dataset/x.", "dataset/x y.md",
        "dataset/x\0.md", "dataset/x\n.md", "dataset/\u00e9.md", "dataset/x\\y.md", "dataset/x:y.md", "Dataset/x.md",
        "dataset/x.exe", "dataset/x.py", "dataset/x.pkl", "dataset/x.MD", "dataset/x", "model/x.so", "package.json",
        "evidence/x.json", f"evidence/{'A' * 64}.json", "dataset/" + "x" * 93 + ".md", None, 1, ["dataset/x.md"],
        "dataset/croissant.json/x.md", "dataset/README.md\n",
    ],
    "sha256": ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", None, 0],
    "size": [-1, 1.0, True, "1", None, 8 << 30, 1 << 60],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values])
def test_an_entry_that_is_not_right_is_refused(key: str, value: object) -> None:
    listed = [*entries(**{key: value}), Member.of("dataset/x/croissant.json", content=b"").to_json()]
    if value == "dataset/croissant.json/x.md":
        listed.insert(-1, Member.of("dataset/croissant.json", content=b"").to_json())
    with pytest.raises(IntegrityError) as raised:
        read_list(listed)
    assert raised.value.code == "package-list"


def test_a_good_list_is_read() -> None:
    assert read_list(entries()) == members(contents())


@pytest.mark.parametrize(
    "limits",
    [Limits(members=3), Limits(papers=10), Limits(member=1), Limits(total=100)],
    ids=lambda limits: str(limits),
)
def test_limits_are_kept(limits: Limits) -> None:
    with pytest.raises(IntegrityError):
        read_list(entries(), limits=limits)


@settings(max_examples=200)
@given(path=st.text(max_size=60) | st.from_regex(r"(dataset|model)/[!-~]{1,30}", fullmatch=True))
def test_no_accepted_name_can_leave_its_folder(path: str) -> None:
    try:
        read_list(
            [
                *[entry for entry in entries() if entry["path"] != "dataset/README.md"][:4],
                {**entries()[4], "path": path},
            ]
        )
    except CuratorError:
        return
    assert re.fullmatch(r"(dataset|model|evidence)/[A-Za-z0-9._/-]+", path)
    assert not {"", ".", ".."} & set(path.split("/"))
    folder = Path("/somewhere")
    assert (folder / path).resolve().is_relative_to(folder)
