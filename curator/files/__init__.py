"""Files as sources: which ones a name means, how they are unpacked and decoded, whether they stood still.

A file is read as a stream from its place (a disk, an object store) through its packing (gzip, bzip2, xz, Zstandard,
a zip with one member) and its encoding to clear UTF-8, in memory only: no clear text is ever written to a disk.
Nothing here knows an engine.
"""

from curator.files._digests import SourceDigests
from curator.files._drift import FileReading, Names, compare, reading_of
from curator.files._faults import unreadable
from curator.files._features import feature_lines
from curator.files._objects import ObjectStore, Upload
from curator.files._packing import PACKED, Packing, packing_of, unpacked
from curator.files._places import LocalPlace, Place, Where, files_of, where_of
from curator.files._snapshot import Identity, Snapshot
from curator.files._stores import SCHEMES
from curator.files._texts import NATIVE, bad_encoding, below, clear_text, codec_of
from curator.files._words import plain_name

__all__ = [
    "NATIVE",
    "PACKED",
    "SCHEMES",
    "FileReading",
    "Identity",
    "LocalPlace",
    "Names",
    "ObjectStore",
    "Packing",
    "Place",
    "Snapshot",
    "SourceDigests",
    "Upload",
    "Where",
    "bad_encoding",
    "below",
    "clear_text",
    "codec_of",
    "compare",
    "feature_lines",
    "files_of",
    "packing_of",
    "plain_name",
    "reading_of",
    "unpacked",
    "unreadable",
    "where_of",
]
