"""Texts in any encoding that Python knows, as a stream of UTF-8, without loss: what cannot be decoded is refused.

Encodings: Python's standard codecs (docs.python.org/3/library/codecs.html, standard encodings), decoded strictly.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, Any

from curator.errors import SourceError
from curator.files._steps import Layered, Stepped

NATIVE = {"utf-8": "utf-8", "utf8": "utf-8", "latin-1": "latin-1", "iso-8859-1": "latin-1"}
"""Encodings that an engine reads by itself, and what it calls them. (Of UTF-16 it takes no character beyond U+FFFF.)"""

_BLOCK = 1 << 18
_LINE_END = re.compile(rb"\r\n|\r|\n")
_UTF8 = ("utf-8", "ascii")


def codec_of(encoding: str, *, source: str) -> str:
    """Python's name of an encoding. Raises SourceError `source-encoding` when it knows none of that name."""
    try:
        info = codecs.lookup(encoding)
        text = getattr(info, "_is_text_encoding", True)  # else `rot13`, `hex`, `zip` would be taken for encodings
    except LookupError:
        text = False
    if not text:
        raise bad_encoding(
            source, f"`{encoding}`", expected="an encoding such as utf-8, latin-1, windows-1252 or utf-16"
        )
    return info.name


def clear_text(stream: IO[bytes], encoding: str, *, source: str) -> IO[bytes]:
    """A stream of text in another encoding as a stream of UTF-8; its mark of byte order, if any, is left out.

    Args:
        stream: the text's bytes, from the start.
        encoding: as `codec_of` gives it; UTF-8 passes unread, since the engine checks it.
        source: name of the source, for the refusals.

    Raises:
        SourceError: while it is read: `source-encoding`, which names the line.
    """
    if encoding in _UTF8:
        return stream
    return io.BufferedReader(_Decoded(stream, encoding, source=source), _BLOCK)


def below(stream: IO[bytes], lines: int) -> IO[bytes]:
    """A stream of UTF-8 without its first lines, each ended by LF, CRLF or CR; quotes mean nothing in them."""
    return io.BufferedReader(_Below(stream, lines), _BLOCK) if lines else stream


class _Below(Layered):
    """Leaves the first lines out when it is first read."""

    def __init__(self, stream: IO[bytes], lines: int) -> None:
        super().__init__(stream)
        self._lines, self._rest = lines, memoryview(b"")

    def readinto(self, target: Any) -> int:
        """Fill the buffer as far as one step gives."""
        if self._lines:
            self._rest, self._lines = memoryview(self._skipped()), 0
        block = self._rest[: len(target)] or memoryview(self._stream.read(len(target)))
        self._rest = self._rest[len(block) :]
        target[: len(block)] = block
        return len(block)

    def _skipped(self) -> bytes:
        head = b""
        while block := self._stream.read(_BLOCK):
            head += block
            ends = list(_LINE_END.finditer(head))
            if len(ends) > self._lines:  # one more, so that no CRLF is cut
                return head[ends[self._lines - 1].end() :]
        ends = list(_LINE_END.finditer(head))
        return head[ends[self._lines - 1].end() :] if len(ends) >= self._lines else b""


class _Decoded(Stepped):
    """Decodes while it is read."""

    def __init__(self, stream: IO[bytes], encoding: str, *, source: str) -> None:
        super().__init__(stream)
        self._encoding, self._source = encoding, source
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._line, self._ended, self._begun = 1, False, False

    def _step(self) -> bool:
        if self._ended:
            return False
        block = self._stream.read(_BLOCK)
        self._ended = not block
        try:
            text = self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as fault:
            line = self._line + block[: fault.start].count(b"\n")
            found = f"bytes that are not {self._encoding} at line {line}"
            raise bad_encoding(self._source, found, expected="the encoding that the file was written in") from None
        if not self._begun and text:
            text, self._begun = text.removeprefix("\ufeff"), True
        self._line += text.count("\n")
        self._clear = memoryview(text.encode())
        return True


def bad_encoding(source: str, found: str, *, expected: str) -> SourceError:
    """The refusal of a text that is not in its declared encoding."""
    return SourceError(
        "source-encoding",
        asked=f"read the source `{source}`",
        found=found,
        expected=expected,
        todo="state the encoding that the file was written in",
    )
