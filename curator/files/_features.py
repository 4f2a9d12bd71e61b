"""GeoJSON (RFC 7946) as lines of JSON: one feature a line, its properties and where it lies.

A feature gives its properties by their own names, then `geometry.lon` and `geometry.lat` (points only, WGS 84
degrees as the RFC has them), `geometry.wkt` (any geometry, as Well-Known Text, OGC 06-103r4 7) and `geometry.type`.
Numbers keep the digits they are written with. The features are read one by one, whatever their number.
"""

from __future__ import annotations

import codecs
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import IO, Any

from curator.files._faults import unreadable

_BLOCK = 1 << 18
_LONGEST = 1 << 26  # characters of one feature
_START = re.compile(r'"features"\s*:\s*\[')
_GAP = re.compile(r"[\s,\x1e]*")  # RFC 8142 puts a record separator before each feature
_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


def feature_lines(stream: IO[bytes], *, source: str) -> IO[bytes]:
    """A GeoJSON text as lines of JSON objects whose values are texts or null.

    Args:
        stream: UTF-8; one FeatureCollection, or features one after the other (RFC 8142, or one a line).
        source: name of the source, for the refusals.

    Raises:
        SourceError: while it is read, `source-unreadable`: it is no GeoJSON, a feature's geometry is none of the RFC's,
            or the coordinates are not degrees.
    """
    return io.BufferedReader(_Lines(_features(stream, source), stream), _BLOCK)


class _Lines(io.RawIOBase):
    """Texts made one by one, read as a file."""

    def __init__(self, lines: Iterator[bytes], stream: IO[bytes]) -> None:
        super().__init__()
        self._lines, self._stream, self._held = lines, stream, b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the buffer as far as one line gives."""
        if not self._held:
            self._held = next(self._lines, b"")
        count = min(len(target), len(self._held))
        target[:count], self._held = self._held[:count], self._held[count:]
        return count

    def close(self) -> None:
        """Close the text too."""
        if not self.closed:
            self._stream.close()
        super().close()


def _features(stream: IO[bytes], source: str) -> Iterator[bytes]:
    decoder = json.JSONDecoder(parse_float=_Digits, parse_int=_Digits, parse_constant=_Digits)
    text = _Text(stream, source)
    text.to_first_feature()
    for count in itertools.count(1):
        text.skip(_GAP)
        if text.ended or text.held.startswith("]"):
            return
        feature = text.value(decoder)
        if not isinstance(feature, dict) or feature.get("type") != "Feature":
            raise _no_geojson(source)
        try:
            flat = _flat(feature, source)
        except _NoGeometryError:
            raise unreadable(
                source,
                f"a geometry that GeoJSON does not know, or whose coordinates are no numbers, in feature {count:,}",
                todo="have that feature corrected, or its `geometry` written as null (RFC 7946, 3.1 and 3.2)",
            ) from None
        yield (json.dumps(flat, ensure_ascii=False) + "\n").encode()


class _NoGeometryError(ValueError):
    """A geometry that RFC 7946 does not know."""


class _Digits(str):
    """A number as it is written."""


class _Text:
    """A window on the text, moved forward."""

    def __init__(self, stream: IO[bytes], source: str) -> None:
        self._stream, self._source, self._more = stream, source, True
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self.held = ""

    @property
    def ended(self) -> bool:
        """Whether nothing is held and nothing is to come."""
        return not self.held and not self._more

    def grow(self) -> bool:
        """Take more text in; False when there is none."""
        if not self._more:
            return False
        block = self._stream.read(_BLOCK)
        self._more = bool(block)
        try:
            self.held += self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            raise unreadable(self._source, "bytes that are not utf-8") from None
        if len(self.held) > _LONGEST:
            raise unreadable(self._source, "a feature of more than 64 million characters")
        return self._more

    def to_first_feature(self) -> None:
        """Move behind the bracket that opens the features of a collection, or stay at a first feature."""
        self.grow()
        self.held = self.held.lstrip("\ufeff")
        self.skip(_GAP)
        head = self.held[:_BLOCK]
        if re.match(r'\{\s*"type"\s*:\s*"Feature"', head):
            return
        while not (match := _START.search(self.held)):
            if not self.grow():
                raise _no_geojson(self._source)
        _require_degrees(self.held[: match.start()], self._source)
        self.held = self.held[match.end() :]

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Move behind what the pattern matches."""
        while True:
            match = pattern.match(self.held)
            self.held = self.held[match.end() if match else 0 :]
            if self.held or not self.grow():
                return

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The next value, read as far as it goes."""
        while True:
            try:
                value, end = decoder.raw_decode(self.held)
            except (json.JSONDecodeError, RecursionError):
                if not self.grow():
                    raise _no_geojson(self._source) from None
                continue
            self.held = self.held[end:]
            return value


def _require_degrees(head: str, source: str) -> None:
    """Refuse a collection that names another system than WGS 84: its numbers would be read as degrees."""
    named = re.search(r'"crs"\s*:\s*\{.*?"name"\s*:\s*"([^"]*)"', head, re.DOTALL)
    if named and not named.group(1).endswith(_WGS84):
        raise unreadable(
            source,
            "GeoJSON whose coordinates are in another system than WGS 84 (`crs`)",
            todo="ask the holder for WGS 84 (RFC 7946, 4), or convert it with `ogr2ogr -t_srs EPSG:4326`",
        )


def _flat(feature: dict[str, Any], source: str) -> dict[str, str | None]:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise _no_geojson(source)
    flat = {name: _text(value) for name, value in properties.items()}
    if "id" in feature:
        flat["feature.id"] = _text(feature["id"])
    return flat | _placed(feature.get("geometry"))


def _placed(geometry: Any) -> dict[str, str | None]:
    if geometry is None:
        return dict.fromkeys(("geometry.type", "geometry.lon", "geometry.lat", "geometry.wkt"))
    try:
        kind, wkt = geometry["type"], _wkt(geometry)
        lon, lat = geometry["coordinates"][:2] if kind == "Point" and geometry["coordinates"] else (None, None)
    except (TypeError, KeyError, ValueError, IndexError):
        raise _NoGeometryError from None
    return {"geometry.type": kind, "geometry.lon": lon, "geometry.lat": lat, "geometry.wkt": wkt}


def _wkt(geometry: dict[str, Any]) -> str:
    kind = geometry["type"]
    if kind == "GeometryCollection":
        parts = [_wkt(part) for part in geometry["geometries"]]
        return f"GEOMETRYCOLLECTION ({', '.join(parts)})" if parts else "GEOMETRYCOLLECTION EMPTY"
    depth = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}[kind]
    coordinates = geometry["coordinates"]
    if not coordinates:
        return f"{kind.upper()} EMPTY"
    spelt = _spelt(coordinates, depth)
    return f"{kind.upper()} {_spelt([coordinates], 1) if depth == 0 else spelt}"


def _spelt(coordinates: Any, depth: int) -> str:
    if depth == 0:
        if not all(isinstance(number, _Digits) for number in coordinates):
            raise ValueError
        return " ".join(coordinates[:2])  # heights have their own keyword in WKT; a place needs none
    return f"({', '.join(_spelt(part, depth - 1) for part in coordinates)})"


def _text(value: Any) -> str | None:
    """A value as text: numbers as written, true and false as JSON spells them, lists and objects as JSON."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _no_geojson(source: str) -> Any:
    return unreadable(source, "text that is no GeoJSON: neither a FeatureCollection nor features one after the other")
