"""Fetch a real MySQL server, with every library that it needs, into a folder: nothing of this machine is changed.

`python tests/mysql_programs.py 8.0 ARCHIVE FOLDER` takes that of Ubuntu noble, `... 9 ARCHIVE FOLDER` that of Debian
sid, from an archive such as apt's own lists name (`http://mirror.example/ubuntu`), and says its program, which
CURATOR_TEST_MYSQLD then names; `nox -s mysql` does both. apt finds, verifies and fetches the packages, with lists and
keys of its own; they are unpacked, and their own dynamic loader starts the server. It wants a Debian or Ubuntu of amd64
and 0.7 GB of disk meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

RELEASES = {
    "8.0": ("mysql-server-core-8.0", ("noble", "noble-updates"), "ubuntu-archive-keyring.gpg"),
    "9": ("mysql-server-core", ("sid",), "debian-archive-keyring.gpg"),
}
INSTALLED_KEYS = Path("/usr/share/keyrings")
UBUNTU_KEYS = (  # what Debian has no package for
    "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
    "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
)
SETTINGS = """
Dir "{apt}/";
Dir::State::status "{apt}/status";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
"""  # a mirror may lag behind
FOLDERS = ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial")
STARTER = """#!/bin/sh
exec {loader} --library-path {libraries} {root}/usr/sbin/mysqld "$@" --basedir={root}/usr
"""


def fetched(release: str, archive: str, *, folder: Path) -> Path:
    """The program of a server."""
    package, suites, keys = RELEASES[release]
    folder = folder.resolve() / release
    apt = folder / "apt"
    for name in FOLDERS:
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    known = _keys(keys, archive, folder=folder)
    lines = [f"deb [signed-by={known}] {archive} {suite} main\n" for suite in suites]
    (apt / "etc/apt/sources.list").write_text("".join(lines))
    (folder / "apt.conf").write_text(SETTINGS.format(apt=apt))
    env = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    for words in (["update"], ["--download-only", "install", package]):
        subprocess.run(["apt-get", "-qq", *words], check=True, env=env, stdout=sys.stderr)
    for archived in sorted((apt / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", archived, folder / "root"], check=True)
    shutil.rmtree(apt)
    return _starter(folder)


def _keys(name: str, archive: str, *, folder: Path) -> Path:
    """The file of keys by which an archive is verified."""
    if (INSTALLED_KEYS / name).exists() or "ubuntu" not in name:
        return INSTALLED_KEYS / name
    path, wanted = UBUNTU_KEYS
    with urllib.request.urlopen(f"{archive}/{path}", timeout=60) as answer:
        package = answer.read()
    if hashlib.sha256(package).hexdigest() != wanted:
        raise SystemExit(f"{path} is not the package that it was")
    (folder / "keys.deb").write_bytes(package)
    subprocess.run(["dpkg", "-x", folder / "keys.deb", folder / "keys"], check=True)
    return folder / "keys/usr/share/keyrings" / name


def _starter(folder: Path) -> Path:
    """A program that starts the server with its own libraries."""
    root, program = folder / "root", folder / "mysqld"
    (loader,) = {path.resolve() for path in root.rglob("ld-linux-x86-64.so.2")}
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*") if "gconv" not in str(path)}))
    program.write_text(STARTER.format(loader=loader, libraries=libraries, root=root))
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    print(fetched(sys.argv[1], sys.argv[2], folder=Path(sys.argv[3])))
