"""Fetch a real MySQL server, with every library it needs, into a folder: nothing of this machine is changed.

`python tests/mysql_programs.py 8.0 FOLDER` (Ubuntu noble's) or `... 9 FOLDER` (Debian sid's) prints the program, which
CURATOR_TEST_MYSQLD then names. apt finds, verifies and fetches the packages, with lists and keys of its own; they are
unpacked, and their own dynamic loader starts the server. It takes apt, dpkg, the archives' hosts and 0.9 GB meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

UBUNTU, DEBIAN = "http://archive.ubuntu.com/ubuntu", "http://deb.debian.org/debian"
RELEASES = {
    "8.0": ("mysql-server-core-8.0", UBUNTU, ("noble", "noble-updates"), "main"),
    "9": ("mysql-server-core", DEBIAN, ("sid",), "main"),
}
# The package with Ubuntu's keys, which Debian does not have; Debian's are found where its own package puts them.
UBUNTU_KEYS = (
    "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
    "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
)
KEYS = {UBUNTU: "ubuntu-archive-keyring.gpg", DEBIAN: "debian-archive-keyring.gpg"}
SETTINGS = """
Dir "{folder}/apt/";
Dir::State::status "{folder}/apt/status";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
"""
STARTER = """#!/bin/sh
exec {loader} --library-path {libraries} {program} "$@" --basedir={root}/usr
"""


def fetched(release: str, folder: Path) -> Path:
    """The program of a server, fetched unless it is there."""
    program = folder.resolve() / release / "mysqld"
    if not program.exists():
        shutil.rmtree(program.parent, ignore_errors=True)
        _fetch(release, program.parent)
        _starter(program)
    return program


def _fetch(release: str, folder: Path) -> None:
    package, archive, suites, component = RELEASES[release]
    apt = folder / "apt"
    for name in (
        "etc/apt/apt.conf.d",
        "etc/apt/preferences.d",
        "var/lib/apt/lists/partial",
        "var/cache/apt/archives/partial",
    ):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    lines = [f"deb [signed-by={_keys(archive, folder)}] {archive} {suite} {component}\n" for suite in suites]
    (apt / "etc/apt/sources.list").write_text("".join(lines))
    (folder / "apt.conf").write_text(SETTINGS.format(folder=folder))
    settings = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=settings, stdout=sys.stderr)
    subprocess.run(
        ["apt-get", "-qq", "--download-only", "install", package], check=True, env=settings, stdout=sys.stderr
    )
    for archived in sorted((apt / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", archived, folder / "root"], check=True)
    shutil.rmtree(apt)


def _keys(archive: str, folder: Path) -> Path:
    installed = Path("/usr/share/keyrings") / KEYS[archive]
    if installed.exists() or archive != UBUNTU:
        return installed
    path, wanted = UBUNTU_KEYS
    with urllib.request.urlopen(f"{archive}/{path}", timeout=60) as answer:
        package = answer.read()
    if hashlib.sha256(package).hexdigest() != wanted:
        raise SystemExit(f"{path} is not the package that it was")
    (folder / "keys.deb").write_bytes(package)
    subprocess.run(["dpkg", "-x", folder / "keys.deb", folder / "keys"], check=True)
    return folder / "keys/usr/share/keyrings" / KEYS[archive]


def _starter(program: Path) -> None:
    root = program.parent / "root"
    (loader,) = {path.resolve() for path in root.rglob("ld-linux-x86-64.so.2")}
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*") if "gconv" not in str(path)}))
    program.write_text(STARTER.format(loader=loader, libraries=libraries, program=root / "usr/sbin/mysqld", root=root))
    program.chmod(0o755)


if __name__ == "__main__":
    print(fetched(sys.argv[1], Path(sys.argv[2])))
