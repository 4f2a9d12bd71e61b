"""What a thief in transit can do: bytes of the archive change, without any key."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from forge import (
    BLOCK,
    CASES,
    DATA,
    Case,
    Forge,
    Part,
    case,
    header,
    joined,
    with_checksum,
)

from curator.canonical import canonical_json
from curator.evidence import Stage

TAR_TYPES = {
    "symlink": tarfile.SYMTYPE,
    "hard-link": tarfile.LNKTYPE,
    "character-device": tarfile.CHRTYPE,
    "block-device": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "folder-entry": tarfile.DIRTYPE,
    "contiguous": tarfile.CONTTYPE,
    "gnu-sparse": tarfile.GNUTYPE_SPARSE,
    "gnu-long-name": tarfile.GNUTYPE_LONGNAME,
    "gnu-long-link": tarfile.GNUTYPE_LONGLINK,
    "gnu-multi-volume": b"M",
    "gnu-volume-label": b"V",
    "pax-header": tarfile.XHDTYPE,
    "pax-global-header": tarfile.XGLTYPE,
    "solaris-header": tarfile.SOLARIS_XHDTYPE,
    "old-regular": tarfile.AREGTYPE,
}


def _thefts() -> None:
    """Everything that can be done to the archive without a key."""

    def same(forge: Forge, changed: Callable[[Part], Part]) -> bytes:
        return forge.swapped(DATA, changed(forge.parts[forge.index(DATA)]))

    for name, kind in TAR_TYPES.items():
        CASES[f"type-{name}"] = Case(
            lambda forge, kind=kind: same(
                forge,
                lambda part: Part(header(DATA, len(part.content), type=kind, linkname="/etc/hosts"), part.content),
            ),
            "package-layout",
        )
        CASES[f"inserted-{name}"] = Case(
            lambda forge, kind=kind: forge.inserted(
                Part(header("dataset/x.md", type=kind, linkname="../../x"), b""), before=DATA
            ),
            "package-size",
        )
    names = {
        "traversal": "dataset/../../x.md",
        "traversal-at-start": "../x.md",
        "absolute": "/tmp/x.md",
        "home": "~/x.md",
        "backslash": "dataset\\..\\x.md",
        "drive": "C:/x.md",
        "dot": "./dataset/README.md",
        "double-slash": "dataset//README.md",
        "trailing-slash": "dataset/README.md/",
        "case": "dataset/readme.md",
        "other-space": "dataset/README.md ",
        "unicode": "dataset/RÉADME.md",
        "right-to-left": "dataset/\u202edm.EMDAER",
        "newline": "dataset/README.md\nx",
        "empty": "",
    }
    for name, path in names.items():
        CASES[f"name-{name}"] = Case(
            lambda forge, path=path: same(
                forge, lambda part: Part(header(path, len(part.content))[:BLOCK], part.content)
            ),
            "package-layout",
        )
    fields = {
        "owner": {"uid": 1},
        "group-name": {"gname": "root"},
        "time": {"mtime": 1},
        "mode": {"mode": 0o4755},
        "link-name": {"linkname": "x"},
    }
    for name, change in fields.items():
        CASES[f"header-{name}"] = Case(
            lambda forge, change=change: same(
                forge, lambda part: Part(header(DATA, len(part.content), **change), part.content)
            ),
            "package-layout",
        )


_thefts()


@case("name-with-nul", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    block = part.header[: len(DATA)] + b"\0hidden" + part.header[len(DATA) + 7 :]
    return forge.swapped(DATA, Part(with_checksum(block), part.content))


@case("name-in-prefix-field", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    return forge.swapped(DATA, Part(with_checksum(part.header[:345] + b"../.." + part.header[350:]), part.content))


@case("header-checksum", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    return forge.swapped(DATA, Part(part.header[:148] + b"0000000\0" + part.header[156:], part.content))


@case("long-name-through-gnu", "package-size")
def _(forge: Forge) -> bytes:
    long = header("dataset/" + "x" * 300 + ".md", 0)
    return forge.inserted(Part(long[:BLOCK], long[BLOCK:]))


@case("pax-renames-a-member", "package-size")
def _(forge: Forge) -> bytes:
    record = b"30 path=../../../../tmp/x.md\n"
    return forge.inserted(Part(header("PaxHeaders/x", len(record), type=tarfile.XHDTYPE), record), before=DATA)


@case("pax-global-first", "package-not-package")
def _(forge: Forge) -> bytes:
    return forge.inserted(Part(header("pax", 0, type=tarfile.XGLTYPE), b""), before="package.json")


@case("duplicate-member", "package-size")
def _(forge: Forge) -> bytes:
    return forge.inserted(forge.parts[forge.index(DATA)])


@case("second-package-json", "package-size")
def _(forge: Forge) -> bytes:
    return forge.inserted(forge.parts[0])


@case("extra-member-last", "package-size")
def _(forge: Forge) -> bytes:
    return forge.inserted(Part(header("dataset/x.md", 1), b"x"))


@case("extra-member-within", "package-size")
def _(forge: Forge) -> bytes:
    return forge.inserted(Part(header("dataset/x.md", 1), b"x"), before=DATA)


@case("member-missing", "package-size")
def _(forge: Forge) -> bytes:
    return forge.without(DATA)


@case("member-replaced-by-another", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    return forge.swapped(DATA, Part(header("dataset/OTHER.md", len(part.content)), part.content))


@case("reordered", "package-layout")
def _(forge: Forge) -> bytes:
    parts = list(forge.parts)
    first = forge.index("dataset/croissant.json")
    parts[first], parts[first - 1] = parts[first - 1], parts[first]
    return joined(parts)


@case("package-json-not-first", "package-not-package")
def _(forge: Forge) -> bytes:
    return joined([*forge.parts[1:], forge.parts[0]])


@case("padding-not-zero", "package-layout")
def _(forge: Forge) -> bytes:
    raw = bytearray(forge.package)
    place = sum(len(part.raw) for part in forge.parts[: forge.index(DATA) + 1]) - 1
    raw[place] = 1
    return bytes(raw)


@case("envelope-padding-not-zero", "package-not-package")
def _(forge: Forge) -> bytes:
    raw = bytearray(forge.package)
    raw[len(forge.parts[0].raw) - 1] = 1
    return bytes(raw)


@case("end-not-zero", "package-layout")
def _(forge: Forge) -> bytes:
    return joined(forge.parts, end=bytes(1023) + b"x")


@case("no-end", "package-size")
def _(forge: Forge) -> bytes:
    return joined(forge.parts, end=b"")


@case("usual-tar-record-padding", "package-size")
def _(forge: Forge) -> bytes:
    return joined(forge.parts, end=bytes(10240))


@case("appended-text", "package-size")
def _(forge: Forge) -> bytes:
    return forge.package + b"x"


@case("appended-tar", "package-size")
def _(forge: Forge) -> bytes:
    return forge.package + forge.package


@case("prepended", "package-not-package")
def _(forge: Forge) -> bytes:
    return b"#!/bin/sh\n" + forge.package


@case("declared-size-huge", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    return forge.swapped(
        DATA, Part(with_checksum(part.header[:124] + b"77777777777\0" + part.header[136:]), part.content)
    )


@case("declared-size-base-256", "package-layout")
def _(forge: Forge) -> bytes:
    part = forge.parts[forge.index(DATA)]
    return forge.swapped(
        DATA, Part(with_checksum(part.header[:124] + b"\x80" + b"\xff" * 11 + part.header[136:]), part.content)
    )


@case("envelope-size-huge", "package-not-package")
def _(forge: Forge) -> bytes:
    return with_checksum(forge.package[:124] + b"77777777777\0" + forge.package[136:512]) + forge.package[512:]


@case("envelope-empty", "package-not-package")
def _(forge: Forge) -> bytes:
    return forge.swapped("package.json", Part(header("package.json", 0), b""))


@case("empty-file", "package-not-package")
def _(forge: Forge) -> bytes:
    return b""


@case("one-block", "package-not-package")
def _(forge: Forge) -> bytes:
    return forge.package[:512]


@case("zeros", "package-not-package")
def _(forge: Forge) -> bytes:
    return bytes(1 << 20)


@case("empty-tar", "package-not-package")
def _(forge: Forge) -> bytes:
    return bytes(10240)


@case("zip-in-disguise", "package-not-package")
def _(forge: Forge) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("package.json", forge.delivery.data)
    return stream.getvalue()


@case("gzip-in-disguise", "package-not-package")
def _(forge: Forge) -> bytes:
    return gzip.compress(forge.package)


@case("gzip-bomb", "package-not-package")
def _(forge: Forge) -> bytes:
    return gzip.compress(gzip.compress(bytes(1 << 26)))


@case("bzip2-in-disguise", "package-not-package")
def _(forge: Forge) -> bytes:
    return bz2.compress(forge.package)


@case("zstd-in-disguise", "package-not-package")
def _(forge: Forge) -> bytes:
    return pa.Codec("zstd").compress(forge.package, asbytes=True)


@case("pickle-in-disguise", "package-not-package")
def _(forge: Forge) -> bytes:
    return pickle.dumps({"package": "x" * 2000})


# ---- the envelope ---------------------------------------------------------------------------------------------


def _enveloped(name: str, code: str, change: Callable[[Forge, dict[str, Any]], Any]) -> None:
    def build(forge: Forge) -> bytes:
        outer = json.loads(forge.delivery.data)
        data = change(forge, outer)
        return forge.swapped("package.json", Part(header("package.json", len(data)), data))

    CASES[name] = Case(build, code)


_enveloped("envelope-not-json", "statement-invalid", lambda forge, outer: b"x" * 900)
_enveloped("envelope-nesting-bomb", "statement-invalid", lambda forge, outer: b"[" * 1_000_000 + b"]" * 1_000_000)
_enveloped("envelope-spaces", "statement-invalid", lambda forge, outer: json.dumps(outer).encode())
_enveloped("envelope-unsigned", "statement-invalid", lambda forge, outer: canonical_json({**outer, "signatures": []}))
_enveloped(
    "envelope-twice-signed",
    "statement-invalid",
    lambda forge, outer: canonical_json({**outer, "signatures": outer["signatures"] * 2}),
)
_enveloped(
    "envelope-other-signature",
    "signature-invalid",
    lambda forge, outer: canonical_json(
        {
            **outer,
            "signatures": [{**outer["signatures"][0], "sig": json.loads(forge.request.data)["signatures"][0]["sig"]}],
        }
    ),
)
_enveloped("envelope-is-the-request", "package-papers", lambda forge, outer: forge.request.data)
_enveloped("envelope-is-the-review", "package-papers", lambda forge, outer: forge.reviewed.data)
_enveloped(
    "envelope-is-a-recall",
    "package-papers",
    lambda forge, outer: forge.sign(Stage.RECALL, forge.world.keys["dan"], like=forge.delivery.statement).data,
)
