"""The errors of package files; none repeats a name or byte of what was read."""

from __future__ import annotations

from pathlib import Path

from curator.errors import IntegrityError, StorageError


def bad_list(found: str) -> IntegrityError:
    """The list of members cannot be."""
    return IntegrityError(
        "package-list",
        asked="read the list of members of a package",
        found=found,
        expected="regular files under dataset/, model/ and evidence/ with plain names, each once, within the limits",
        todo="do not open the file by other means; tell its sender, and ask for a package written by curator",
    )


def bad_layout(path: str, *, found: str) -> IntegrityError:
    """The archive is not laid out as the list implies."""
    return IntegrityError(
        "package-layout",
        asked="read a package",
        found=f"{found}, where {path} was due",
        expected="exactly the archive that the signed list implies: the same members, order, headers and padding",
        todo="fetch the file again; if it stays so it was altered on purpose: tell its sender",
    )


def changed(path: str) -> IntegrityError:
    """A member holds other bytes than those that were signed."""
    return IntegrityError(
        "package-member-changed",
        asked="read a package",
        found=f"{path} holds other bytes than the signed list says",
        expected="the bytes that were reviewed and signed",
        todo="fetch the file again; if it stays so it was altered: tell its sender",
    )


def source_changed(path: str) -> IntegrityError:
    """A file of the version is not the one that was published."""
    return IntegrityError(
        "package-source-changed",
        asked="write a package",
        found=f"{path} is not the file that the manifest lists",
        expected="the files of the version exactly as they were published",
        todo="run `curator verify`, restore the version from a copy or with `dvc pull`, then deliver again",
    )


def not_package(name: str, *, found: str) -> IntegrityError:
    """The file is no package at all."""
    return IntegrityError(
        "package-not-package",
        asked=f"read the package {name}",
        found=found,
        expected="a .cur file, whose first member is the signed package.json",
        todo="check that this is the file that was sent, and that no mail or transfer tool has repacked it",
    )


def absent(file: Path, fault: OSError) -> StorageError:
    """The package cannot be read from the disk."""
    return StorageError(
        "package-absent",
        asked=f"read the package {file.name}",
        found=fault.strerror or "no such file",
        expected="a file that can be read",
        todo="check the path and its permissions",
    )


def exists(target: Path) -> StorageError:
    """A file of that name is there already."""
    return StorageError(
        "package-exists",
        asked=f"write the package {target.name}",
        found="a file of that name",
        expected="a new name; a package is never overwritten",
        todo="choose another destination, or remove the old file once you know who holds a copy of it",
    )


def unwritable(target: Path, fault: OSError) -> StorageError:
    """The disk refuses the package."""
    return StorageError(
        "package-unwritable",
        asked=f"write the package {target.name}",
        found=fault.strerror or "the disk refused",
        expected="a folder with room and the right to write",
        todo="free some room or choose another destination; nothing was left behind",
    )
