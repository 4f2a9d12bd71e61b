"""Git as curator drives it: exact bytes, no foreign changes swept in, one transaction for branch and tag."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.edges.git import Git, blob_name, start_repository
from curator.errors import StorageError


def git(root: Path, *arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], input=data, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    root = tmp_path / "r"
    root.mkdir()
    start_repository(root)
    (root / "a.txt").write_bytes(b"one\r\ntwo\n")
    first = Git(root, born=False)
    commit(first, {"a.txt": root / "a.txt"}, "first")
    first.run("read-tree", "HEAD")
    return Git(root)


def commit(repo: Git, files: dict[str, Path], message: str) -> str:
    old = repo.resolve("HEAD")
    blobs = dict(zip(files, repo.store_files(files.values()), strict=True))
    index = repo.root / "private-index"
    made = repo.store_commit(parent=old, blobs=blobs, message=message, index=index)
    index.unlink()
    repo.move_refs({repo.branch(): (made, old)}, reason="test")
    return made


@given(st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_blob_name_is_the_one_git_gives(data: bytes) -> None:
    done = subprocess.run(["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True)
    assert blob_name(data) == done.stdout.decode().strip()


def test_blob_name_in_a_sha256_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x")
    assert Git(tmp_path).blob_name(b"x") == git(tmp_path, "hash-object", "--stdin", data=b"x").strip()


def test_bytes_are_kept_whatever_the_user_configured(repository: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    config = repository.root.parent / "gitconfig"
    config.write_text("[core]\n autocrlf = true\n[commit]\n gpgSign = true\n[user]\n name = N\n email = e@x\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    path = repository.root / "b.txt"
    path.write_bytes(b"x\r\ny\n\xff")
    commit(repository, {"b.txt": path}, "crlf")
    assert repository.blob("HEAD", "b.txt") == b"x\r\ny\n\xff"


def test_hooks_do_not_run(repository: Git) -> None:
    hook = repository.folder / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    commit(repository, {"a.txt": repository.root / "a.txt"}, "hooked")
    assert git(repository.root, "log", "-1", "--format=%s") == "hooked\n"


def test_git_is_given_no_secret(repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child's environment can be read, and is inherited by whatever the child starts."""
    secrets = {"CURATOR_ROOT_KEY": "5e" * 32, "CURATOR_EPOCH_KEY_1": "5e" * 32, "CURATOR_PKCS11_PIN": "1234",
               "AWS_SECRET_ACCESS_KEY": "aws", "PGPASSWORD": "pg", "MYSQL_PWD": "my"}  # fmt: skip
    for name, value in {**secrets, "GIT_AUTHOR_NAME": "Ada", "CUSTOM": "kept"}.items():
        monkeypatch.setenv(name, value)
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nenv > {tmp_path / 'seen'}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    repository.run("status")
    seen = dict(line.partition("=")[::2] for line in (tmp_path / "seen").read_text().splitlines())
    assert not secrets.keys() & seen.keys()
    assert (seen["GIT_AUTHOR_NAME"], seen["CUSTOM"]) == ("Ada", "kept")


@pytest.mark.parametrize("configured", [True, False])
def test_a_neutral_author_only_where_none_is_configured(
    repository: Git, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    config = repository.root.parent / "gitconfig"
    config.write_text("[user]\n name = Ministry\n email = office@ministry\n" if configured else "")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = commit(repository, {"a.txt": repository.root / "a.txt"}, "who")
    tag = repository.store_tag("t", made, message="m")
    expected = "Ministry <office@ministry>" if configured else "curator <curator@localhost>"
    assert git(repository.root, "log", "-1", "--format=%an <%ae>|%cn <%ce>").strip() == f"{expected}|{expected}"
    assert f"tagger {expected}" in git(repository.root, "cat-file", "tag", tag)


def test_the_environment_of_another_git_is_ignored(repository: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, os.devnull)
    assert list(repository.files("HEAD")) == ["a.txt"]


def test_staged_changes_of_the_user_are_not_swept_into_a_commit(repository: Git) -> None:
    (repository.root / "mine.txt").write_text("draft")
    git(repository.root, "add", "mine.txt")
    commit(repository, {"a.txt": repository.root / "a.txt"}, "ours")
    assert "mine.txt" not in repository.files("HEAD")
    assert git(repository.root, "diff", "--cached", "--name-only") == "mine.txt\n"


def test_branch_and_tag_move_together_or_not_at_all(repository: Git) -> None:
    old = repository.resolve("HEAD")
    made = repository.store_commit(parent=old, blobs={}, message="m", index=repository.root / "i")
    tag = repository.store_tag("v", made, message="m")
    git(repository.root, "tag", "v", old)
    with pytest.raises(StorageError) as caught:
        repository.move_refs({"refs/heads/main": (made, old), "refs/tags/v": (tag, "")}, reason="r")
    assert caught.value.code == "branch-moved"
    assert repository.resolve("HEAD") == old
    git(repository.root, "tag", "-d", "v")
    repository.move_refs({"refs/heads/main": (made, old), "refs/tags/v": (tag, "")}, reason="r")
    assert repository.tags() == {"v": made}
    assert git(repository.root, "cat-file", "-t", "v") == "tag\n"


def test_a_branch_that_moved_meanwhile_is_refused(repository: Git) -> None:
    old = repository.resolve("HEAD")
    made = repository.store_commit(parent=old, blobs={}, message="m", index=repository.root / "i")
    commit(repository, {"a.txt": repository.root / "a.txt"}, "somebody else")
    with pytest.raises(StorageError) as caught:
        repository.move_refs({"refs/heads/main": (made, old)}, reason="r")
    assert caught.value.code == "branch-moved"


def test_objects_are_flushed_before_the_reference(repository: Git) -> None:
    """The objects that a reference names are on the disk before it: `core.fsync=all` reaches every Git we start."""
    log = repository.root.parent / "log"
    script = (
        "import sys; from pathlib import Path; from curator.edges.git import Git; g = Git(Path(sys.argv[1]));"
        "o = g.resolve('HEAD'); c = g.store_commit(parent=o, blobs={}, message='x', index=Path(sys.argv[1], 'i'));"
        "g.move_refs({'refs/heads/main': (c, o)}, reason='r')"
    )
    trace = ["strace", "-f", "-qq", "-y", "-o", str(log), "-e", "trace=fsync,rename,link"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    try:
        command = [*trace, os.sys.executable, "-B", "-c", script, str(repository.root)]  # type: ignore[attr-defined]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    lines = log.read_text().splitlines()
    objects = [number for number, line in enumerate(lines) if "fsync(" in line and "/objects/" in line]
    reference = [number for number, line in enumerate(lines) if "fsync(" in line and "refs/heads/main.lock" in line]
    renamed = [number for number, line in enumerate(lines) if "rename(" in line and "refs/heads/main.lock" in line]
    assert objects
    assert max(objects) < min(reference) < min(renamed)


def test_tags_are_peeled_to_their_commit(repository: Git) -> None:
    head = repository.resolve("HEAD")
    git(repository.root, "tag", "light")
    git(repository.root, "-c", "user.name=t", "-c", "user.email=t@t", "tag", "-a", "heavy@1.0.0", "-m", "x")
    assert repository.tags() == {"heavy@1.0.0": head, "light": head}


@pytest.mark.parametrize("path", ["absent.txt", "../a.txt", "a.txt/b", ""])
def test_a_committed_file_that_does_not_exist(repository: Git, path: str) -> None:
    with pytest.raises(StorageError) as caught:
        repository.blob("HEAD~3" if not path else "HEAD", path)
    assert caught.value.code == "path-absent"


@pytest.mark.parametrize("revision", ["--output=x", "-h", "HEAD:a", "a b", "", "HEAD^{/fix}"])
def test_a_revision_cannot_be_an_option(repository: Git, revision: str) -> None:
    with pytest.raises(StorageError) as caught:
        repository.blob(revision, "a.txt")
    assert caught.value.code == "ref-unknown"


def test_unclean_files_are_named_and_untracked_ones_are_not(repository: Git) -> None:
    (repository.root / "b.txt").write_text("untracked")
    assert repository.standing(["."]).unclean == ()
    (repository.root / "a.txt").write_text("changed")
    (repository.root / "c é.txt").write_text("staged")
    git(repository.root, "add", "c é.txt")
    assert repository.standing(["."]).unclean == ("a.txt", "c é.txt")


def test_where_head_stands_is_told_at_once(repository: Git) -> None:
    found = repository.standing(["."])
    assert (found.branch, found.commit) == (repository.branch(), repository.resolve("HEAD"))
    git(repository.root, "switch", "-q", "-c", "a/side-branch")
    assert repository.standing([]).branch == "refs/heads/a/side-branch"
    git(repository.root, "switch", "-q", "-c", "(detached)")
    assert repository.standing([]).branch == "refs/heads/(detached)"
    git(repository.root, "switch", "-q", "--detach")
    with pytest.raises(StorageError) as caught:
        repository.standing([])
    assert caught.value.code == "git-detached"


def test_no_branch(repository: Git) -> None:
    git(repository.root, "switch", "-q", "--detach")
    with pytest.raises(StorageError) as caught:
        repository.branch()
    assert caught.value.code == "git-detached"


@pytest.mark.parametrize("damage", ["absent", "empty folder", "garbage", "no commit"])
def test_a_repository_git_cannot_read(tmp_path: Path, damage: str) -> None:
    outer = tmp_path
    git(outer, "init", "-q")  # a repository around it must not be taken for it
    git(outer, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x")
    root = outer / "inner"
    root.mkdir()
    if damage == "empty folder":
        (root / ".git").mkdir()
    elif damage == "garbage":
        (root / ".git").write_bytes(os.urandom(64))
    elif damage == "no commit":
        start_repository(root)
    with pytest.raises(StorageError) as caught:
        Git(root)
    assert caught.value.code == "git-absent"


def test_no_git_program(repository: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository.root))
    with pytest.raises(StorageError) as caught:
        Git(repository.root)
    assert caught.value.code == "git-absent"
    assert "program" in caught.value.found


def test_a_linked_work_tree_is_a_repository_too(repository: Git) -> None:
    other = repository.root.parent / "other"
    git(repository.root, "worktree", "add", "-q", "-b", "side", str(other))
    linked = Git(other)
    assert linked.branch() == "refs/heads/side"
    assert linked.common == repository.folder
    assert linked.folder != linked.common


def test_contains(repository: Git) -> None:
    first = repository.resolve("HEAD")
    second = commit(repository, {"a.txt": repository.root / "a.txt"}, "second")
    assert repository.contains(ancestor=first, tip="refs/heads/main")
    assert not repository.contains(ancestor=second, tip=first)
    assert not repository.contains(ancestor=hashlib.sha1(b"never").hexdigest(), tip="HEAD")
    assert not repository.contains(ancestor=first, tip="refs/heads/never")


FULL = ("write error. Out of diskspace", "No space left on device", "Disk quota exceeded", "File too large")


@pytest.mark.parametrize("words", FULL)
def test_git_has_several_words_for_a_full_disk(
    words: str, repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\necho \"fatal: sha1 file '/secret/index.lock' {words}\" >&2\nexit 128\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(StorageError, match="no-space") as refused:
        repository.run("write-tree")
    assert "/secret" not in str(refused.value)
