"""Git through its own program: plumbing only, no hook, no prompt, no network, every write flushed to the disk.

Publication uses a private index, so the user's staged changes are never swept into a commit, and one reference
transaction (`git update-ref --stdin`, see git-update-ref(1)) for the branch and the tag. Objects are written before
references (`core.fsync=all`, git-config(1)), so a reference never names an object that a power cut took away.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from curator.edges.durable import no_space, sync_folder
from curator.errors import StorageError

_SETTINGS = (
    "core.fsync=all",
    "core.fsyncMethod=fsync",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "gc.auto=0",
    "commit.gpgSign=false",
    "advice.graftFileDeprecated=false",  # else a hint stands where the fault is looked for
)
_KEPT = re.compile(r"GIT_(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|GIT_EXEC_PATH")
_WITHHELD = ("GIT_", "CURATOR_", "AWS_", "PGPASS", "MYSQL_PWD")
_REVISION = re.compile(r"[A-Za-z0-9][\w./@^~+-]*(?:\^\{[a-z]+\})?")
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_UNBORN, _DETACHED = "(initial)", "(detached)"  # in the answers of git-status(1)
_FULL = (b"No space left on device", b"Disk quota exceeded", b"Out of diskspace", b"File too large")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a work tree stands.

    Attributes:
        branch: full name of the branch that HEAD follows.
        commit: its object name; empty before the first one.
        unclean: tracked files that differ from it in the index or the work tree, sorted.
    """

    branch: str
    commit: str
    unclean: tuple[str, ...]


class Git:
    """One repository, whose `.git` stands in `root` (a folder, or the file of a linked worktree).

    Attributes:
        root: the work tree.
        folder: this work tree's Git folder (index, HEAD).
        common: the Git folder of all work trees (objects, references).
        inherited: file descriptors that children keep open: a lock held by the caller stays held until they end.
    """

    def __init__(self, root: Path, *, born: bool = True) -> None:
        """Find the repository.

        Args:
            root: the work tree.
            born: whether a first commit must exist.

        Raises:
            StorageError: `git-absent` without the program, without a repository, or when Git cannot read it.
        """
        self.root = root
        self.folder = self.common = root / ".git"
        self.inherited: set[int] = set()
        self._author: tuple[str, ...] | None = None
        if not self.folder.exists():
            raise _git_absent("no .git here")
        try:
            places = ("--absolute-git-dir", "--path-format=absolute", "--git-common-dir")
            found = _places(self.run("rev-parse", *places, "--show-object-format"))
            if born:
                self.run("rev-parse", "--quiet", "--verify", "HEAD^{tree}")
        except StorageError as fault:
            if fault.code != "git-failed":
                raise
            raise _git_absent("a .git that Git cannot read, or one without a commit") from fault
        if len(found) != 3:
            raise _git_absent("a Git that does not answer as expected")
        self.folder, self.common = Path(os.fsdecode(found[0])), Path(os.fsdecode(found[1]))
        self._digest = found[2].decode()

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """Run one Git command and return its output.

        Args:
            arguments: the command and its arguments.
            stdin: its input.
            index: an index file to use in place of the user's.

        Raises:
            StorageError: `git-absent` without the program, `no-space`, `git-failed` otherwise.
        """
        done = _start(self.root, arguments, stdin=stdin, index=index, inherited=self.inherited)
        if done.returncode == 0:
            return done.stdout
        if any(text in done.stderr for text in _FULL):
            raise no_space(self.root, asked=f"run `git {arguments[0]}`")
        raise _git_failed(arguments[0], done)

    def ask(self, *arguments: str) -> bool:
        """Whether a Git command that answers by its exit code says yes (0) or no (1). Raises StorageError."""
        done = _start(self.root, arguments, inherited=self.inherited)
        if done.returncode > 1 or done.returncode < 0:
            raise _git_failed(arguments[0], done)
        return done.returncode == 0

    # ---- reading

    def branch(self) -> str:
        """Full name of the branch that HEAD follows. Raises StorageError `git-detached` when HEAD follows none."""
        done = _start(self.root, ("symbolic-ref", "--quiet", "HEAD"), inherited=self.inherited)
        if done.returncode != 0:
            raise StorageError(
                "git-detached",
                asked="publish on the current branch",
                found="HEAD names a commit, not a branch",
                expected="a branch to move",
                todo="run `git switch main` (or another branch), then the same command again",
            )
        name = os.fsdecode(done.stdout.strip())
        if not name.startswith("refs/heads/"):
            raise _failed("symbolic-ref", "an answer that is not a branch")
        return name

    def resolve(self, revision: str) -> str:
        """Object name of a revision; empty when there is none. Raises StorageError when Git cannot tell."""
        words = ("rev-parse", "--quiet", "--verify", checked_revision(revision))
        done = _start(self.root, words, inherited=self.inherited)
        if done.returncode not in (0, 1) or (done.returncode == 0 and not done.stdout.strip()):
            raise _git_failed("rev-parse", done)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def contains(self, *, ancestor: str, tip: str) -> bool:
        """Whether the commit `ancestor` can be reached from `tip`; no when either is missing.

        Raises StorageError when Git cannot tell: a failure is never taken for a no.
        """
        reached, wanted = self.resolve(f"{tip}^{{commit}}"), ""
        if reached and reached != ancestor:
            wanted = self.resolve(f"{ancestor}^{{commit}}")
        return reached == ancestor or bool(wanted and self.ask("merge-base", "--is-ancestor", ancestor, tip))

    def files(self, revision: str, *, under: Iterable[str] = ()) -> dict[str, str]:
        """Files of a commit: path to blob name, sorted by path.

        Args:
            revision: the commit.
            under: only these files and folders; all when empty.
        """
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", checked_revision(revision), "--", *under)
        entries = (line.split(b"\t", 1) for line in listed.split(b"\0") if line)
        return {os.fsdecode(path): head.split()[2].decode() for head, path in entries}

    def blob(self, revision: str, path: str) -> bytes:
        """Bytes of one committed file. Raises StorageError `path-absent` when the commit has no such file."""
        done = _start(self.root, ("cat-file", "blob", f"{checked_revision(revision)}:{path}"))
        if done.returncode != 0:
            raise StorageError(
                "path-absent",
                asked=f"read {path} as committed",
                found=f"no such file in {revision}",
                expected="the path of a committed file",
                todo="list the files with `git ls-tree -r --name-only HEAD`, then correct the path or the revision",
            )
        return done.stdout

    def tags(self) -> dict[str, str]:
        """Every tag and the object it leads to once peeled, sorted by name."""
        listed = self.run("for-each-ref", "--format=%(refname:lstrip=2)%00%(objectname)%00%(*objectname)", "refs/tags")
        rows = (line.split("\0") for line in os.fsdecode(listed).splitlines())
        return {name: peeled or direct for name, direct, peeled in rows}

    def standing(self, paths: Iterable[str]) -> Standing:
        """Where HEAD stands, and what differs from it below `paths`: one process, where three would ask in turn.

        Raises StorageError `git-detached` as `branch`.
        """
        shape = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no", "--no-renames", "-z")
        listed = [os.fsdecode(line) for line in self.run("status", *shape, "--", *paths).split(b"\0") if line]
        told = dict(line[len("# branch.") :].split(" ", 1) for line in listed if line.startswith("# branch."))
        head, commit = told.get("head", ""), told.get("oid", "")
        if commit != _UNBORN and not _OBJECT.fullmatch(commit):
            raise _failed("status", "an answer that is cut short")
        plain = head and head != _DETACHED and not head.startswith("refs/")
        fields = {"1": 8, "u": 10}  # before the path, which may hold spaces: git-status(1), "Changed Tracked Entries"
        changed = {line.split(" ", fields[line[0]])[-1] for line in listed if line[0] in fields}
        return Standing(
            branch=f"refs/heads/{head}" if plain else self.branch(),
            commit="" if commit == _UNBORN else commit,
            unclean=tuple(sorted(changed)),
        )

    def blob_name(self, data: bytes) -> str:
        """The name Git gives to a blob, without Git: SHA-1 or SHA-256 of `blob SIZE NUL BYTES` (gitformat-pack(5))."""
        return blob_name(data, algorithm=self._digest)

    # ---- writing

    def store_files(self, paths: Iterable[Path]) -> list[str]:
        """Write files' bytes as blobs, unfiltered, and return their names in the same order. Paths lie below root."""
        names = [path.relative_to(self.root).as_posix() for path in paths]
        listed = os.fsencode("".join(f"{name}\n" for name in names))
        return self._names("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed, count=len(names))

    def store_commit(self, *, parent: str, blobs: Mapping[str, str], message: str, index: Path) -> str:
        """Write a commit that is `parent` with some files added or replaced; no reference moves.

        Args:
            parent: object name of the parent commit; empty for a first commit.
            blobs: path to blob name.
            message: the commit's message.
            index: a file that does not exist yet, used as private index; the caller removes it.
        """
        self.run("read-tree", parent or "--empty", index=index)
        self.add_to_index(blobs, index=index)
        (tree,) = self._names("write-tree", index=index)
        parents = ("-p", parent) if parent else ()
        (made,) = self._names(*self._identity(), "commit-tree", tree, *parents, "-F", "-", stdin=_message(message))
        return made

    def store_tag(self, name: str, commit: str, *, message: str) -> str:
        """Write an annotated tag object; no reference is made. Raises StorageError."""
        tagger = self.run(*self._identity(), "var", "GIT_COMMITTER_IDENT").strip()
        head = f"object {commit}\ntype commit\ntag {name}\ntagger ".encode() + tagger
        (made,) = self._names("mktag", stdin=head + b"\n\n" + _message(message or name))
        return made

    def add_to_index(self, blobs: Mapping[str, str], *, index: Path) -> None:
        """Enter files into an index by name, without looking at the work tree."""
        lines = b"".join(f"100644 {name}\t".encode() + os.fsencode(path) + b"\0" for path, name in blobs.items())
        self.run("update-index", "-z", "--index-info", stdin=lines, index=index)

    def refresh_index(self, *, index: Path) -> None:
        """Enter the work tree's file times into an index, so that `git status` need not read files again."""
        _start(self.root, ("update-index", "-q", "--refresh"), index=index, inherited=self.inherited)

    def move_refs(self, updates: Mapping[str, tuple[str, str]], *, reason: str) -> None:
        """Move or create references in one transaction.

        Args:
            updates: full reference name to (new object, old object); an empty old object means: must not exist.
            reason: the line for the reference log.

        Raises:
            StorageError: `branch-moved` when a reference is not where it was, `git-failed` otherwise.
        """
        lines = [f"update {name} {new} {old or '0' * len(new)}" for name, (new, old) in updates.items()]
        script = "\n".join(["start", *lines, "prepare", "commit", ""])
        try:
            self.run("update-ref", "-m", reason, "--stdin", stdin=os.fsencode(script))
        except StorageError as fault:
            if "but expected" in fault.found or "already exists" in fault.found:
                raise _branch_moved() from fault
            raise

    def sync_objects(self, *, new: str, old: str) -> None:
        """Make durable the names of the objects that `new` reaches and `old` does not. Raises OSError."""
        since = (f"^{old}",) if old else ()
        listed = self.run("rev-list", "--objects", new, *since).decode(errors="replace").splitlines()
        store = self.common / "objects"
        for prefix in sorted({line[:2] for line in listed}):
            if (store / prefix).is_dir():
                sync_folder(store / prefix)
        sync_folder(store)

    def sync_refs(self, names: Iterable[str]) -> None:
        """Make durable the places of references. Raises OSError."""
        for name in names:
            folder = (self.common / name).parent
            while folder != self.common and folder.is_dir():
                sync_folder(folder)
                folder = folder.parent
        sync_folder(self.common)

    def _names(self, *arguments: str, stdin: bytes = b"", index: Path | None = None, count: int = 1) -> list[str]:
        """Run a command that prints object names; anything else it prints, or too little of it, is a failure."""
        names = self.run(*arguments, stdin=stdin, index=index).decode(errors="replace").split()
        if len(names) != count or not all(_OBJECT.fullmatch(name) for name in names):
            raise _failed(arguments[0], "an answer that is cut short")
        return names

    def _identity(self) -> tuple[str, ...]:
        """`-c` options that name a neutral author where the user has configured none; asked once."""
        if self._author is None:
            asked = ("config", "--null", "--name-only", "--get-regexp", r"^user\.(name|email)$")
            done = _start(self.root, asked, inherited=self.inherited)
            if done.returncode not in (0, 1):
                raise _git_failed("config", done)
            known = os.fsdecode(done.stdout).split("\0")
            neutral = {"user.name": "curator", "user.email": "curator@localhost"}
            missing = (f"{key}={value}" for key, value in neutral.items() if key not in known)
            self._author = tuple(word for setting in missing for word in ("-c", setting))
        return self._author


def _places(answer: bytes) -> list[bytes]:
    """Git's folder, that of all work trees and the object format, each on a line; a folder may hold lines itself."""
    folders, _, form = answer.removesuffix(b"\n").rpartition(b"\n")
    half = len(folders) // 2
    if folders == folders[:half] + b"\n" + folders[:half]:  # the two folders are one
        return [folders[:half], folders[:half], form]
    return [*folders.split(b"\n"), form]


def start_repository(root: Path) -> None:
    """`git init` with branch main; harmless on a repository that exists. Raises StorageError."""
    done = _start(root, ("init", "--quiet", "--initial-branch=main", "--template="), discover=True)
    if done.returncode != 0:
        raise _git_failed("init", done)


def blob_name(data: bytes, *, algorithm: str = "sha1") -> str:
    """Git's name of a blob: digest of `blob SIZE NUL BYTES`, hexadecimal (gitformat-pack(5))."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def checked_revision(revision: str) -> str:
    """The revision itself. Raises StorageError `ref-unknown` for text that could be an option or a command."""
    if not _REVISION.fullmatch(revision):
        raise ref_unknown("a text that cannot be a revision")
    return revision


def ref_unknown(found: str) -> StorageError:
    """The error of a tag, version or revision that does not exist."""
    return StorageError(
        "ref-unknown",
        asked="find a version or revision",
        found=found,
        expected="a tag such as name@1.2.0, a branch or a commit",
        todo="list the versions with `git tag`, then correct the reference",
    )


def _start(
    root: Path,
    arguments: Iterable[str],
    *,
    stdin: bytes = b"",
    index: Path | None = None,
    inherited: Iterable[int] = (),
    discover: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    place = () if discover else (f"--git-dir={root / '.git'}", f"--work-tree={root}")
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        return subprocess.run(
            ["git", *place, *settings, *arguments],
            cwd=root,
            env=_environment(index),
            input=stdin,
            capture_output=True,
            check=False,
            pass_fds=tuple(inherited),
            start_new_session=True,  # Ctrl-C reaches us, not a Git in the middle of a write
        )
    except FileNotFoundError as fault:
        raise _git_absent("no `git` program on PATH") from fault


def _environment(index: Path | None) -> dict[str, str]:
    """The environment of Git: nothing that bends what it does, and no secret that only curator needs."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_WITHHELD) or _KEPT.fullmatch(key)}
    kept |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1"}
    kept |= {"GIT_GRAFT_FILE": os.devnull}  # a graft would show another history than the commits tell
    kept |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # an absent object is absent, not fetched
    return kept | {"GIT_LITERAL_PATHSPECS": "1"} | ({"GIT_INDEX_FILE": str(index)} if index else {})


def _message(text: str) -> bytes:
    return text.strip().encode() + b"\n"


def _git_absent(found: str) -> StorageError:
    return StorageError(
        "git-absent",
        asked="open the workspace's Git repository",
        found=found,
        expected="the `git` program, version 2.36 or later, and a readable repository in the workspace",
        todo="install Git, or restore the .git folder from a clone or a backup; the data folders are untouched",
    )


def _git_failed(command: str, done: subprocess.CompletedProcess[bytes]) -> StorageError:
    lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
    return _failed(command, lines[0][:300])


def _failed(command: str, found: str) -> StorageError:
    return StorageError(
        "git-failed",
        asked=f"run `git {command}`",
        found=found,
        expected="Git to accept the command",
        todo="run `git status` and `git fsck` in the workspace, settle what they say, then run the same command again",
    )


def _branch_moved() -> StorageError:
    return StorageError(
        "branch-moved",
        asked="move the branch and create the tag together",
        found="another commit or tag arrived in the meantime",
        expected="the branch where it was when publication began",
        todo="run the same command again; nothing was changed",
    )
