"""Files that are no table of a format read here, known by their first bytes or their name, and what makes them one."""

from __future__ import annotations

import re

from curator.errors import SourceError
from curator.files import unreadable

_SHEET = "save the sheet as CSV in UTF-8, or as Parquet, and name that file"
_AGAIN = "look at the file: a download may have given the page of an error or of a login; fetch it again"
_CONVERT = "have its rows written as CSV, JSON lines or Parquet"
_PACKED_SHEET = re.compile(rb"\[Content_Types\]\.xml|xl/|mimetypeapplication/vnd\.oasis")
_FEATURES = re.compile(rb'"type"\s*:\s*"Feature(Collection)?"')
# First bytes -> what the file is, and what to do.
_STARTS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE), "a web page (HTML), no table", _AGAIN),
    (re.compile(rb"\s*<\?xml", re.IGNORECASE), "an XML document, no table", _CONVERT),
    (re.compile(rb"%PDF-"), "a PDF document, no table", _CONVERT),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a workbook of Excel (.xls), no table", _SHEET),  # MS-CFB 2.2
    (re.compile(rb"PAR1"), "a Parquet file where a text is declared", "state `format: parquet` in the source"),
)
# Endings of names -> what to do.
_ENDINGS = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), _SHEET),
    **dict.fromkeys((".shp", ".gpkg", ".gml", ".kml"), "`ogr2ogr -f GeoJSON -t_srs EPSG:4326 OUT.geojson IN`"),
    ".dbf": "`ogr2ogr -f CSV OUT.csv IN.dbf`, and name that file",
    **dict.fromkeys(
        (".sav", ".dta", ".sas7bdat", ".xpt", ".rds", ".rdata", ".mdb", ".accdb", ".xml", ".pdf"), _CONVERT
    ),
}


def require_text(name: str, head: bytes) -> None:
    """Refuse what is plainly no text of rows.

    Args:
        name: of the source.
        head: its first bytes, unpacked.

    Raises:
        SourceError: `source-unreadable`, with what to do about such a file.
    """
    for start, found, todo in _STARTS:
        if start.match(head):
            raise unreadable(name, found, todo=todo)
    if head.startswith(b"PK\x03\x04") and _PACKED_SHEET.search(head[:4096]):  # ISO/IEC 29500-2, OpenDocument 1.3 part 2
        raise unreadable(name, "a workbook of Excel or LibreOffice, no table", todo=_SHEET)


def require_objects(name: str, head: bytes) -> None:
    """Refuse GeoJSON that would be read as one JSON object.

    Args:
        name: of the source.
        head: the first bytes of a file of which no declared key was found.

    Raises:
        SourceError: `source-unreadable`.
    """
    if _FEATURES.search(head):
        raise unreadable(name, "GeoJSON (RFC 7946) in a file named .json", todo="state `format: geojson` in the source")


def unknown_format(name: str, file: str, *, ending: str) -> SourceError:
    """The refusal of a file whose name tells no format that is read here.

    Args:
        name: of the source.
        file: the name of the file.
        ending: of that name, in lower case, with its point; the one before a packing's.
    """
    return SourceError(
        "source-format",
        asked=f"read the source `{name}`",
        found=f"no format stated, and none guessed from {file}",
        expected="`format: csv`, parquet, json, geojson, duckdb or sqlite",
        todo=_ENDINGS.get(ending, "state `format` in the source"),
    )
