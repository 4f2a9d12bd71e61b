"""The package file, `NAME-VERSION.cur`: one plain tar that any system opens and that curator reads without trust.

The first member, `package.json`, is a signed statement that lists every other member with its SHA-256 and size. Given
that list there is exactly one right sequence of bytes: every header, every padding and the end of the archive are
computed from it. So the reader does not interpret a tar, it **compares** it with the one that the list implies; links,
devices, sparse files, extended headers, second copies and anything hidden between members have no way to be expressed.

Nothing here verifies a signature or touches a destination folder before it is told to: `curator.receiving` reads the
small members (the papers) first, verifies them, and only then unpacks the data.

Sources: POSIX.1-1988 ustar (IEEE Std 1003.1, `pax`, "ustar Interchange Format"); FIPS 180-4 for SHA-256; the text of
`SHA256SUMS` is that of GNU coreutils.
"""

from curator.package_file._members import (
    DATASET,
    ENVELOPE,
    HOLDER,
    LIMITS,
    MODEL,
    PAPERS,
    SUFFIXES,
    SUMS,
    TERMS,
    Limits,
    Member,
    in_order,
    read_list,
    sums_text,
)
from curator.package_file._reading import PackageReader
from curator.package_file._writing import write_package

__all__ = [
    "DATASET",
    "ENVELOPE",
    "HOLDER",
    "LIMITS",
    "MODEL",
    "PAPERS",
    "SUFFIXES",
    "SUMS",
    "TERMS",
    "Limits",
    "Member",
    "PackageReader",
    "in_order",
    "read_list",
    "sums_text",
    "write_package",
]
