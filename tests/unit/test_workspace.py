"""The workspace, with real Git and real DVC: what it publishes, what it refuses, what it heals, what it finds wrong."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from curator.edges.workspace import Workspace
from curator.errors import CuratorError, IntegrityError, StorageError, UsageError
from curator.manifest import MANIFEST, FileEntry, Manifest

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = {"train/part-0.parquet": b"rows" * 300, "test/part-0.parquet": b"other", "card.md": b"# x\n"}
HOLDER = "Ministère de l'Intérieur: “bureau”"


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout


def dvc(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DVC_SITE_CACHE_DIR": str(root.parent / "site")}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)


def stage(folder: Path, name: str, version: str, parts: dict[str, bytes] = PARTS) -> Manifest:
    entries = []
    for path, data in sorted(parts.items()):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        entries.append(FileEntry(path=path, sha256=hashlib.sha256(data).hexdigest(), md5=md5, size=len(data)))
    manifest = Manifest(kind="dataset", name=name, version=version, files=tuple(entries))
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    return manifest


def publish(workspace: Workspace, name: str, version: str, **files: bytes) -> str:
    with workspace.scratch("curate") as scratch:
        manifest = stage(scratch / "data", name, version)
        evidence = {f"evidence/{manifest.digest[:2]}/{manifest.digest}.json": manifest.to_bytes()}
        return workspace.publish(
            folders={f"datasets/{name}/{version}": scratch / "data"},
            files=evidence | {path.replace("__", "/"): data for path, data in files.items()},
            message=f"Publish {name}@{version}",
            tag=f"{name}@{version}",
        )


def visible(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).as_posix().startswith((".git/", ".curator/", ".dvc/tmp/"))
    }


def refused(code: str, call: Callable[[], object]) -> CuratorError:
    with pytest.raises(CuratorError) as caught:
        call()
    assert caught.value.code == code
    return caught.value


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("blank") / "capital"
    publish(Workspace.create(root, holder=HOLDER), "roads", "1.0.0")
    return root


@pytest.fixture
def workspace(blank: Path, tmp_path: Path) -> Workspace:
    """A workspace with one published version."""
    subprocess.run(["cp", "-a", str(blank), str(tmp_path / "w")], check=True)
    return Workspace.open(tmp_path / "w")


# ---- create and open


def test_a_new_workspace_is_clean_private_and_quiet(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "deep" / "w", holder=HOLDER)
    root = workspace.root
    assert workspace.holder == HOLDER
    assert yaml.safe_load((root / "curator.yaml").read_text())["format"] == 1
    assert git(root, "status", "--porcelain", "-uall") == ""
    assert git(root, "branch", "--show-current") == "main\n"
    assert {path.stat().st_mode & 0o777 for path in (root / ".curator").glob("**/") if path.is_dir()} == {0o700}
    assert {"core.analytics=false", "core.check_update=false"} <= set(dvc(root, "config", "--list").stdout.split())
    assert dvc(root, "check-ignore", ".curator/keys/a").stdout == ".curator/keys/a\n"
    assert workspace.faults() == []


def test_the_root_of_a_git_repository_becomes_a_workspace(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").write_text("*.pyc")
    (tmp_path / "draft.txt").write_text("staged, not committed")
    git(tmp_path, "add", "README.md")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "mine")
    git(tmp_path, "add", "draft.txt")
    workspace = Workspace.create(tmp_path, holder="H")
    publish(workspace, "roads", "1.0.0")
    assert (tmp_path / ".gitignore").read_text().startswith("*.pyc\n/.curator/\n")
    assert git(tmp_path, "diff", "--cached", "--name-only") == "draft.txt\n"
    assert "draft.txt" not in git(tmp_path, "ls-tree", "-r", "--name-only", "HEAD")
    assert git(tmp_path, "log", "--format=%s").splitlines() == ["Publish roads@1.0.0", "Create the workspace", "mine"]


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda root: Workspace.create(root, holder="H"), "workspace-exists"),
        (lambda root: (root / "notes.txt").write_text("x"), "workspace-foreign"),
        (lambda root: [(root / name).mkdir() for name in (".git", ".dvc")], "workspace-foreign"),
    ],
)
def test_a_taken_folder_is_refused_and_left_alone(tmp_path: Path, prepare: Callable[[Path], object], code: str) -> None:
    prepare(tmp_path)
    before = visible(tmp_path)
    first = refused(code, lambda: Workspace.create(tmp_path, holder="H"))
    second = refused(code, lambda: Workspace.create(tmp_path, holder="H"))
    assert str(first) == str(second)
    assert visible(tmp_path) == before


@pytest.mark.parametrize("holder", ["", "  ", "a\nb"])
def test_a_holder_needs_a_name(tmp_path: Path, holder: str) -> None:
    refused("holder-invalid", lambda: Workspace.create(tmp_path, holder=holder))
    assert list(tmp_path.iterdir()) == []


def test_a_creation_that_was_cut_short_is_told_and_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", str(tmp_path))
        refused("git-absent", lambda: Workspace.create(tmp_path / "w", holder="H"))
    refused("workspace-absent", lambda: Workspace.open(tmp_path / "w"))
    assert Workspace.create(tmp_path / "w", holder="H").faults() == []


@pytest.mark.parametrize("settings", [b"", b"format: 2\nholder: H\n", b"[", b"\xff", b"format: 1\nholder: [x]\n"])
def test_what_is_not_a_workspace(tmp_path: Path, settings: bytes) -> None:
    refused("workspace-absent", lambda: Workspace.open(tmp_path / "never"))
    refused("workspace-absent", lambda: Workspace.open(tmp_path))
    (tmp_path / "curator.yaml").write_bytes(settings)
    refused("workspace-absent", lambda: Workspace.open(tmp_path))


@pytest.mark.parametrize("damage", ["moved away", "emptied", "garbage"])
def test_without_its_repository_a_workspace_does_not_open(workspace: Workspace, damage: str) -> None:
    before = visible(workspace.root)
    (workspace.root / ".git").rename(workspace.root.parent / "git-away")
    if damage == "emptied":
        (workspace.root / ".git").mkdir()
    if damage == "garbage":
        (workspace.root / ".git").write_bytes(b"\0\xff")
    refused("git-absent", lambda: Workspace.open(workspace.root))
    assert {name: data for name, data in visible(workspace.root).items() if name != ".git"} == before


# ---- publish


def test_what_is_published(workspace: Workspace) -> None:
    with workspace.scratch("curate") as scratch:
        manifest = stage(scratch / "d", "roads", "1.1.0")
        commit = workspace.publish(
            folders={"datasets/roads/1.1.0": scratch / "d"},
            files={"evidence/ab/cd.json": b"{}\r\n", "specs/roads@1.1.0.yaml": b"a: 1\n", "holder.pub": b"key\n"},
            message="Publish roads@1.1.0\n\nwith a body",
            tag="roads@1.1.0",
            tag_message="checked",
        )
    assert list(scratch.parent.iterdir()) == []
    assert workspace.versions("dataset") == [("roads", "1.0.0"), ("roads", "1.1.0")]
    assert workspace.versions("model") == []
    assert workspace.commit_of("roads@1.1.0") == commit == git(workspace.root, "rev-parse", "HEAD").strip()
    assert workspace.tags()["roads@1.1.0"] == commit
    assert workspace.read_committed("evidence/ab/cd.json") == b"{}\r\n"
    assert workspace.read_committed("datasets/roads/.gitignore") == b"/1.0.0\n/1.1.0\n"
    assert workspace.committed("specs") == ["specs/roads@1.1.0.yaml"]
    assert workspace.committed("specs", "HEAD~1") == []
    assert manifest.differences(workspace.root / "datasets/roads/1.1.0") == []
    assert git(workspace.root, "status", "--porcelain", "-uall") == ""
    assert git(workspace.root, "for-each-ref", "--format=%(contents)", "refs/tags/roads@1.1.0").strip() == "checked"
    assert workspace.faults() == []
    refused("path-absent", lambda: workspace.read_committed("evidence/ab/cd.json", "HEAD~1"))
    refused("ref-unknown", lambda: workspace.commit_of("roads@9.9.9"))


def test_versions_are_ordered_as_versions(workspace: Workspace) -> None:
    for version in ("1.10.0", "1.2.0", "1.2.0-rc.1"):
        publish(workspace, "roads", version)
    assert [version for _, version in workspace.versions("dataset")] == ["1.0.0", "1.2.0-rc.1", "1.2.0", "1.10.0"]


def test_files_alone_and_without_a_tag(workspace: Workspace) -> None:
    commit = workspace.publish(folders={}, files={"holder.pub": b"one"}, message="Name the key", tag=None)
    again = workspace.publish(folders={}, files={"holder.pub": b"two"}, message="Change the key", tag=None)
    assert workspace.read_committed("holder.pub", commit) == b"one"
    assert (workspace.root / "holder.pub").read_bytes() == workspace.read_committed("holder.pub", again) == b"two"
    assert list(workspace.tags()) == ["roads@1.0.0"]


def test_dvc_itself_accepts_what_is_published(workspace: Workspace, tmp_path: Path) -> None:
    """status, add, push here; clone, pull, checkout there: plain DVC, no curator."""
    root = workspace.root
    before = visible(root)
    dvc(root, "add", "datasets/roads/1.0.0")
    assert visible(root) == before  # pointer and ignore file are byte-equal to those of `dvc add`
    settings = f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'remote'}\n    verify = true\n"
    (root / ".dvc/config.local").write_text(settings)
    dvc(root, "push", "-q")
    assert "up to date" in dvc(root, "status").stdout
    git(tmp_path, "clone", "-q", str(root), "clone")
    clone = tmp_path / "clone"
    (clone / ".dvc/config.local").write_text(settings)
    dvc(clone, "pull", "-q")
    other = Workspace.open(clone)
    assert other.faults() == []
    assert visible(clone / "datasets") == visible(root / "datasets")
    publish(other, "roads", "1.0.1")
    assert other.faults() == []


def test_dvc_starts_no_analytics(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the committed configuration alone: the variable that would also do it is taken away."""
    for name in ("DVC_NO_ANALYTICS", "DO_NOT_TRACK", "DVC_TEST"):
        monkeypatch.delenv(name, raising=False)
    log = workspace.root.parent / "log"
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", "trace=execve,connect", sys.executable, "-m", "dvc", "root"]
    try:
        subprocess.run(command, cwd=workspace.root, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    lines = log.read_text().splitlines()
    assert sum("execve(" in line for line in lines) >= 1
    assert [line for line in lines if "daemon" in line or "AF_INET" in line] == []


# ---- refusals: nothing changes


@pytest.mark.parametrize("remains", ["all", "folder", "pointer", "tag", "commit"])
def test_a_version_that_exists_is_refused(workspace: Workspace, remains: str) -> None:
    root = workspace.root
    publish(workspace, "roads", "1.0.1")
    version = "1.0.1"
    if remains != "all":
        git(root, "reset", "-q", "--hard", "HEAD~1" if remains != "commit" else "HEAD")
        if remains != "folder":
            subprocess.run(["rm", "-rf", str(root / "datasets/roads/1.0.1")], check=True)
        if remains == "pointer":
            (root / "datasets/roads/1.0.1.dvc").write_bytes(b"mine")
        if remains != "tag":
            git(root, "tag", "-d", "roads@1.0.1")
    before = visible(root)
    fault = refused("version-exists", lambda: publish(workspace, "roads", version))
    assert "1.0.2" in fault.expected
    assert visible(root) == before


@pytest.mark.parametrize(
    "path",
    ["specs/a.yaml", "evidence/ab/1.json", "datasets/roads/1.0.0.dvc", "datasets/roads/.gitignore", "curator.yaml"],
)
@pytest.mark.parametrize("how", ["edited", "staged", "deleted"])
def test_a_dirty_workspace_is_refused(workspace: Workspace, path: str, how: str) -> None:
    files = {"specs/a.yaml": b"a", "evidence/ab/1.json": b"{}"}
    workspace.publish(folders={}, files=files, message="Files", tag=None)
    if how == "deleted":
        (workspace.root / path).unlink()
    else:
        (workspace.root / path).write_bytes(b"changed")
    if how == "staged":
        git(workspace.root, "add", path)
    before = visible(workspace.root)
    files = {"curator.yaml": b"x"} if path == "curator.yaml" else {}
    fault = refused(
        "workspace-dirty",
        lambda: workspace.publish(folders={}, files=files | {"evidence/x.json": b"x"}, message="m", tag=None),
    )
    assert path in fault.found
    assert visible(workspace.root) == before


def test_changes_elsewhere_do_not_matter(workspace: Workspace) -> None:
    (workspace.root / "notes.txt").write_text("mine")
    git(workspace.root, "add", "notes.txt")
    publish(workspace, "roads", "1.0.1")
    assert git(workspace.root, "status", "--porcelain") == "A  notes.txt\n"


@pytest.mark.parametrize("path", ["evidence/a.json", "specs/a@1.0.0.yaml"])
def test_a_file_written_once_is_never_replaced(workspace: Workspace, path: str) -> None:
    workspace.publish(folders={}, files={path: b"one"}, message="m", tag=None)
    workspace.publish(folders={}, files={path: b"one"}, message="the same again", tag=None)
    refused("path-taken", lambda: workspace.publish(folders={}, files={path: b"two"}, message="m", tag=None))
    assert (workspace.root / path).read_bytes() == b"one"


def test_an_untracked_file_is_taken_when_equal_and_kept_when_not(workspace: Workspace) -> None:
    (workspace.root / "specs").mkdir()
    (workspace.root / "specs/a@1.0.0.yaml").write_bytes(b"one")
    refused("path-taken", lambda: publish(workspace, "roads", "1.0.1", **{"specs__a@1.0.0.yaml": b"two"}))
    publish(workspace, "roads", "1.0.1", **{"specs__a@1.0.0.yaml": b"one"})
    assert workspace.read_committed("specs/a@1.0.0.yaml") == b"one"
    assert git(workspace.root, "status", "--porcelain", "-uall") == ""


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/x",
        "a/../b",
        ".git/config",
        ".dvc/config",
        ".curator/keys/k",
        "datasets/roads/1.0.0/x",
        "a//b",
        "",
        "a\nb",
    ],
)
def test_paths_stay_inside(workspace: Workspace, path: str) -> None:
    refused("path-invalid", lambda: workspace.publish(folders={}, files={path: b""}, message="m", tag=None))


def test_links_do_not_lead_outside(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / "out").symlink_to(tmp_path)
    refused("path-invalid", lambda: workspace.publish(folders={}, files={"out/x": b""}, message="m", tag=None))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "place", ["data/x/1.0.0", "datasets/x", "datasets/x/1.0", "datasets/X Y/1.0.0", "datasets/../a/1.0.0"]
)
def test_data_has_its_place(workspace: Workspace, place: str) -> None:
    with workspace.scratch("curate") as scratch:
        stage(scratch / "d", "x", "1.0.0")
        refused(
            "path-invalid", lambda: workspace.publish(folders={place: scratch / "d"}, files={}, message="m", tag=None)
        )


@pytest.mark.parametrize("tag", ["-x", "a b", "a..b", "a~1", "x.lock", "@"])
def test_tags_have_a_form(workspace: Workspace, tag: str) -> None:
    refused("tag-invalid", lambda: workspace.publish(folders={}, files={"a": b""}, message="m", tag=tag))


@pytest.mark.parametrize("change", ["added", "missing", "longer", "link", "other name", "no manifest"])
def test_a_staged_folder_is_what_its_manifest_says(workspace: Workspace, change: str) -> None:
    with workspace.scratch("curate") as scratch:
        folder = scratch / "d"
        stage(folder, "y" if change == "other name" else "x", "1.0.0")
        if change == "added":
            (folder / "more").write_text("x")
        elif change == "longer":
            (folder / "card.md").write_text("longer than before")
        elif change in ("missing", "link"):
            (folder / "card.md").unlink()
        elif change == "no manifest":
            (folder / MANIFEST).unlink()
        if change == "link":
            (folder / "card.md").symlink_to(folder / "train/part-0.parquet")
        with pytest.raises(IntegrityError) as caught:
            workspace.publish(folders={"datasets/x/1.0.0": folder}, files={}, message="m", tag=None)
        assert caught.value.code == ("manifest-invalid" if change == "no manifest" else "staged-differs")


def test_a_folder_staged_elsewhere_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    stage(tmp_path / "d", "x", "1.0.0")
    refused(
        "path-invalid",
        lambda: workspace.publish(folders={"datasets/x/1.0.0": tmp_path / "d"}, files={}, message="m", tag=None),
    )


def test_after_a_refusal_late_in_the_way_the_staged_folder_is_back(workspace: Workspace) -> None:
    """Git refuses the tag at the very end (a tag `roads` is in the way of `roads/x`): all is undone, a retry works."""
    git(workspace.root, "tag", "roads")
    before = visible(workspace.root)
    with workspace.scratch("curate") as scratch:
        manifest = stage(scratch / "d", "x", "1.0.0")
        request = {"datasets/x/1.0.0": scratch / "d"}
        refused("git-failed", lambda: workspace.publish(folders=request, files={}, message="m", tag="roads/x"))
        assert visible(workspace.root) == before
        assert manifest.differences(scratch / "d") == []
        workspace.publish(folders=request, files={}, message="m", tag="x@1.0.0")
    assert workspace.faults() == []


def test_another_git_command_in_the_way(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curator.edges.workspace._publication._INDEX_WAIT_SECONDS", 0.1)
    (workspace.root / ".git/index.lock").touch()
    before = visible(workspace.root)
    refused("git-busy", lambda: publish(workspace, "roads", "1.0.1"))
    assert visible(workspace.root) == before
    assert (workspace.root / ".git/index.lock").exists()
    (workspace.root / ".git/index.lock").unlink()
    publish(workspace, "roads", "1.0.1")


# ---- scratch, lock, several processes


def test_scratch_is_private_and_removed(workspace: Workspace) -> None:
    with workspace.scratch("curate") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a").write_text("x")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_dev == workspace.root.stat().st_dev
        Workspace.open(workspace.root)  # another opening does not remove what is in use
        assert (folder / "sub" / "a").exists()
    assert list(folder.parent.iterdir()) == []
    with pytest.raises(ZeroDivisionError), workspace.scratch("curate") as folder:
        raise ZeroDivisionError
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize("purpose", ["", "A", "a/b", "../x", "jean.dupont@x", "a" * 60])
def test_a_purpose_is_a_plain_word(workspace: Workspace, purpose: str) -> None:
    with pytest.raises(UsageError), workspace.scratch(purpose):
        pass


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests" / "crash")])}
    command = [sys.executable, "-B", "-c", script, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


HOLD = """
import sys, time
from pathlib import Path
from curator.edges.workspace import Workspace
workspace = Workspace.open(Path(sys.argv[1]))
with workspace.lock(), workspace.scratch("curate") as folder:
    (folder / "a").write_text("x")
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_owner_leaves_neither_lock_nor_scratch(workspace: Workspace) -> None:
    owner = run(HOLD, str(workspace.root))
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    with pytest.raises(StorageError) as caught, workspace.lock(wait_seconds=0.1):
        pass
    assert caught.value.code == "workspace-locked"
    assert f"process {owner.pid}" in caught.value.found
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    with Workspace.open(workspace.root).lock(wait_seconds=60):
        pass
    assert list((workspace.private / "tmp").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff\0garbage", b"1 x\n"])
def test_what_a_lock_file_says_does_not_matter(workspace: Workspace, content: bytes) -> None:
    (workspace.private / "lock").write_bytes(content)
    with workspace.lock(wait_seconds=0.5), workspace.lock(wait_seconds=0.5):
        assert (workspace.private / "lock").read_text().startswith(f"{os.getpid()} ")


ONE = """
import sys
from pathlib import Path
from curator.edges.workspace import Workspace
from curator.errors import CuratorError
import staging
try:
    staging.publish(Workspace.open(Path(sys.argv[1])), "roads", sys.argv[2])
except CuratorError as fault:
    print(fault.code)
"""


def test_processes_that_publish_different_versions_all_succeed(workspace: Workspace) -> None:
    versions = [f"2.0.{number}" for number in range(5)]
    processes = [run(ONE, str(workspace.root), version) for version in versions]
    assert [process.communicate(timeout=600)[0] for process in processes] == [""] * 5
    assert [version for _, version in workspace.versions("dataset")] == ["1.0.0", *versions]
    assert workspace.faults() == []


def test_processes_that_publish_one_version_disagree_once(workspace: Workspace) -> None:
    processes = [run(ONE, str(workspace.root), "2.0.0") for _ in range(3)]
    answers = sorted(process.communicate(timeout=600)[0] for process in processes)
    assert answers == ["", "version-exists\n", "version-exists\n"]
    assert workspace.faults() == []


def test_threads_of_one_object_take_turns(workspace: Workspace) -> None:
    with ThreadPoolExecutor(4) as pool:
        commits = list(pool.map(lambda number: publish(workspace, "roads", f"3.0.{number}"), range(4)))
    assert len(set(commits)) == 4
    assert workspace.faults() == []


# ---- heal


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff" * 40, b"[]", b'{"id": "x"}', b'{"id":"a","branch":1,"old":"","commit":""}']
)
def test_a_journal_entry_that_cannot_be_read_is_set_aside_and_told(workspace: Workspace, content: bytes) -> None:
    before = visible(workspace.root)
    (workspace.private / "journal" / "a.json").write_bytes(content)
    (workspace.private / "journal" / "b.part").write_bytes(content)
    healed = Workspace.open(workspace.root)
    assert [path.name for path in (workspace.private / "journal").iterdir()] == ["a.damaged"]
    assert healed.faults() == [".curator/journal/a.damaged: a journal entry that cannot be read"]
    assert visible(workspace.root) == before
    publish(healed, "roads", "1.0.1")


def test_stale_temporary_folders_go(workspace: Workspace) -> None:
    tmp = workspace.private / "tmp"
    (tmp / "curate-1" / "sub").mkdir(parents=True)
    (tmp / "curate-2.owner").touch()
    (tmp / "file").touch()
    Workspace.open(workspace.root)
    assert list(tmp.iterdir()) == []


# ---- faults


def object_of(root: Path, path: str) -> Path:
    md5 = hashlib.md5((root / path).read_bytes(), usedforsecurity=False).hexdigest()
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.unlink()
    path.write_bytes(data)


def swap_pointer(root: Path) -> None:
    pointer = root / "datasets/roads/1.0.0.dvc"
    pointer.write_bytes(pointer.read_bytes().replace(b"- md5: ", b"- md5: 0")[:-1])


def commit_all(root: Path, message: str = "by hand") -> None:
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", message)


def rewrite_evidence(root: Path) -> None:
    next((root / "evidence").rglob("*.json")).write_text("other")
    commit_all(root)


def delete_evidence_in_a_merge(root: Path) -> None:
    git(root, "switch", "-q", "-c", "side")
    next((root / "evidence").rglob("*.json")).unlink()
    commit_all(root)
    git(root, "switch", "-q", "main")
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "merge", "-q", "--no-ff", "side", "-m", "merge")


def move_tag(root: Path) -> None:
    (root / "notes.txt").write_text("x")
    commit_all(root)
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "tag", "-f", "-a", "roads@1.0.0", "-m", "x", "HEAD")


def rename_tag(root: Path) -> None:
    git(root, "update-ref", "refs/tags/roads@1.0.9", git(root, "rev-parse", "refs/tags/roads@1.0.0").strip())


def rot_git_object(root: Path) -> None:
    name = git(root, "rev-parse", "HEAD:evidence").strip()
    flip(root / ".git/objects" / name[:2] / name[2:])


def change_settings(root: Path) -> None:
    text = (root / "curator.yaml").read_text()
    (root / "curator.yaml").write_text(text.replace("holder: ", "holder: Not "))
    commit_all(root)


def move_back(root: Path) -> None:
    git(root, "reset", "-q", "--hard", "HEAD~1")


def write_history_anew(root: Path) -> None:
    git(root, "checkout", "-q", "--orphan", "anew")
    commit_all(root)
    git(root, "branch", "-q", "-D", "main")
    git(root, "branch", "-q", "-m", "main")


def drop_the_memory_of_moving_back(root: Path) -> None:
    move_back(root)
    git(root, "reflog", "expire", "--expire=now", "--all")


def hide_a_rewriting_by_a_graft(root: Path) -> None:
    before = git(root, "rev-parse", "HEAD~1").strip()
    rewrite_evidence(root)
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/grafts").write_text(f"{git(root, 'rev-parse', 'HEAD').strip()} {before}\n")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pointer emptied": (lambda root: (root / "datasets/roads/1.0.0.dvc").write_bytes(b""), "1.0.0.dvc: empty"),
    "pointer of something else": (swap_pointer, "1.0.0.dvc: changed"),
    "pointer gone": (lambda root: (root / "datasets/roads/1.0.0.dvc").unlink(), "1.0.0.dvc: committed but missing"),
    "pointer committed empty": (
        lambda root: [(root / "datasets/roads/1.0.0.dvc").write_bytes(b""), commit_all(root)],
        "1.0.0.dvc: the committed pointer itself",
    ),
    "data flipped": (lambda root: flip(root / "datasets/roads/1.0.0/card.md"), "changed: card.md"),
    "data added": (lambda root: (root / "datasets/roads/1.0.0/x").touch(), "added: x"),
    "data gone": (
        lambda root: subprocess.run(["rm", "-r", str(root / "datasets/roads/1.0.0")]),
        "the data folder is not",
    ),
    "manifest cut": (lambda root: flip(root / "datasets/roads/1.0.0" / MANIFEST), "1.0.0"),
    "cache object flipped": (lambda root: flip(object_of(root, "datasets/roads/1.0.0/card.md")), "card.md was changed"),
    "cache object gone": (lambda root: object_of(root, "datasets/roads/1.0.0/card.md").unlink(), "card.md is missing"),
    "evidence edited": (lambda root: next((root / "evidence").rglob("*.json")).write_text("x"), "changed, not what"),
    "evidence gone": (lambda root: next((root / "evidence").rglob("*.json")).unlink(), "missing from the work tree"),
    "evidence nobody committed": (
        lambda root: (root / "evidence/new.json").touch(),
        "evidence/new.json: evidence that",
    ),
    "evidence rewritten by a commit": (rewrite_evidence, "evidence changed by commit"),
    "evidence deleted on a merged branch": (delete_evidence_in_a_merge, "evidence deleted by commit"),
    "tag moved": (move_tag, "tag roads@1.0.0: its commit"),
    "tag under another name": (rename_tag, "tag roads@1.0.9: is the tag object of roads@1.0.0"),
    "tag without a message": (lambda root: git(root, "tag", "roads@1.0.8"), "tag roads@1.0.8: is not an annotated"),
    "settings edited": (
        lambda root: (root / "curator.yaml").write_text("format: 1\nholder: X\n"),
        "curator.yaml: changed",
    ),
    "a folder nobody published": (lambda root: (root / "datasets/roads/9.0.0").mkdir(), "9.0.0: a data folder without"),
    "settings changed by a commit": (change_settings, "curator.yaml: changed by commit"),
    "tag gone": (lambda root: git(root, "tag", "-d", "roads@1.0.0"), "tag roads@1.0.0: absent"),
    "branch moved back": (move_back, "evidence that a commit held and no branch holds any more"),
    "branch moved back, and not remembered": (drop_the_memory_of_moving_back, "roads@1.0.0: its commit is in the"),
    "history written anew": (write_history_anew, "tag roads@1.0.0: its commit is not in the history of this branch"),
    "evidence rewritten under a graft": (hide_a_rewriting_by_a_graft, "evidence changed by commit"),
    "a file beside the names": (lambda root: (root / "datasets/a.csv").touch(), "datasets/a.csv: a file of no version"),
    "a file beside versions": (
        lambda root: (root / "datasets/roads/a.csv").touch(),
        "datasets/roads/a.csv: a file of no version",
    ),
    "a spec of no version": (
        lambda root: [(root / "specs").mkdir(), (root / "specs/a@1.0.0.yaml").touch()],
        "specs/a@1.0.0.yaml: named as the spec",
    ),
    "no cache": (lambda root: shutil.rmtree(root / ".dvc/cache"), "1.0.0: none of its files is in DVC's cache"),
    "git object flipped": (rot_git_object, ".git"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_is_found_and_named(workspace: Workspace, damage: str) -> None:
    act, expected = DAMAGE[damage]
    assert workspace.faults() == []
    act(workspace.root)
    try:
        faults = workspace.faults()
    except StorageError as fault:  # Git itself refuses to read what is damaged
        faults = [fault.found] if damage == "git object flipped" else []
    assert any(expected in fault for fault in faults) or (damage == "git object flipped" and faults)


def test_what_is_sound_is_not_named(workspace: Workspace, tmp_path: Path) -> None:
    """A side branch merged or not, a tag of the user's own, a draft of a spec, a bare copy of another branch."""
    root = workspace.root
    git(root, "switch", "-q", "-c", "side")
    publish(workspace, "roads", "1.1.0")
    git(root, "switch", "-q", "main")
    publish(workspace, "paths", "1.0.0")
    assert [fault for fault in workspace.faults() if "1.1.0: a data folder without" not in fault] == []
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "merge", "-q", "-X", "theirs", "side", "-m", "merge")
    git(root, "branch", "-q", "-d", "side")
    git(root, "tag", "v1")
    git(root, "tag", "tree", "HEAD^{tree}")
    (root / "specs").mkdir()
    (root / "specs/draft.yaml").touch()
    assert workspace.faults() == []


def test_a_shallow_clone_says_what_it_cannot_tell(workspace: Workspace, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=1", workspace.root.as_uri(), str(clone)], check=True)
    assert [fault for fault in Workspace.open(clone).faults() if fault.startswith(".git: a shallow clone")]
    git(clone, "fetch", "-q", "--unshallow", "--tags")
    assert not [fault for fault in Workspace.open(clone).faults() if fault.startswith((".git", "tag"))]


def test_the_same_size_and_time_hide_nothing(workspace: Workspace) -> None:
    """Git's index would call this file unchanged; its content is hashed again here."""
    path = next((workspace.root / "evidence").rglob("*.json"))
    status = path.stat()
    path.write_bytes(b"x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert any("changed, not what" in fault for fault in workspace.faults(data=False))


def test_an_empty_pointer_costs_no_data(workspace: Workspace) -> None:
    """The sequence that loses everything with DVC alone: the fault is found first, and Git's copy mends it."""
    pointer = workspace.root / "datasets/roads/1.0.0.dvc"
    pointer.write_bytes(b"")
    assert any("1.0.0.dvc: empty" in fault for fault in workspace.faults())
    refused("workspace-dirty", lambda: publish(workspace, "roads", "1.0.1"))
    git(workspace.root, "checkout", "--", "datasets/roads/1.0.0.dvc")
    assert workspace.faults() == []


# ---- other people's workspaces


def test_a_private_folder_of_another_user_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything: what another user is told is asked of the system through `os.access`."""
    true = os.access
    monkeypatch.setattr(
        "curator.edges.workspace._refusals.os.access",
        lambda path, mode: Path(path) != workspace.private and true(path, mode),
    )
    refused("workspace-closed", lambda: Workspace.open(workspace.root))


def test_a_copy_without_the_private_folder_can_be_verified(workspace: Workspace) -> None:
    shutil.rmtree(workspace.private)
    assert Workspace.open(workspace.root).faults() == []


def test_git_fetches_nothing_and_runs_nothing_that_a_repository_names(workspace: Workspace, tmp_path: Path) -> None:
    """A hostile copy: an object is absent, and the settings say by which program to bring it."""
    ran = tmp_path / "ran"
    root = workspace.root
    settings = {"core.repositoryFormatVersion": "1", "extensions.partialClone": "o", "remote.o.promisor": "true",
                "remote.o.url": "ssh://localhost/x", "core.sshCommand": f"touch {ran} #"}  # fmt: skip
    for name, value in settings.items():
        git(root, "config", name, value)
    name = git(root, "rev-parse", "HEAD:evidence").strip()
    (root / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(StorageError):
        Workspace.open(root).faults()
    assert not ran.exists()


SETTINGS_OF_A_USER = """
[core]
    autocrlf = true
    safecrlf = true
    hooksPath = {hooks}
    fsmonitor = {hooks}/any
    fileMode = false
    splitIndex = true
    quotePath = true
    untrackedCache = true
[commit]
    gpgSign = true
[tag]
    gpgSign = true
    forceSignAnnotated = true
[log]
    showSignature = true
[gpg]
    program = {hooks}/any
[user]
    useConfigOnly = true
    signingKey = nobody
[init]
    templateDir = {hooks}
    defaultBranch = trunk
    defaultObjectFormat = sha256
[index]
    version = 4
[status]
    showUntrackedFiles = all
    branch = true
[diff]
    orderFile = {hooks}/order
    renames = copies
    noprefix = true
[safe]
    bareRepository = explicit
[color]
    ui = always
"""


def test_a_users_own_settings_of_git_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, ran = tmp_path / "hooks", tmp_path / "ran"
    hooks.mkdir()
    (hooks / "order").touch()
    for name in ("any", "pre-commit", "reference-transaction", "post-index-change", "post-checkout", "update"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {ran}\nexit 1\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "settings").write_text(SETTINGS_OF_A_USER.format(hooks=hooks))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "settings"))
    workspace = Workspace.create(tmp_path / "w", holder=HOLDER)
    publish(workspace, "roads", "1.0.0")
    publish(workspace, "roads", "1.0.1", notes__b=b"crlf\r\nlf\n")
    assert Workspace.open(tmp_path / "w").faults() == []
    assert not ran.exists()
    clone = tmp_path / "clone"
    git(tmp_path, "-c", "core.hooksPath=/dev/null", "clone", "-q", "--template=", str(workspace.root), str(clone))
    assert [fault for fault in Workspace.open(clone).faults() if "the data folder is not here" not in fault] == []
