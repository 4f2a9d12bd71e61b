"""A command that is misspelt is told the one that may have been meant."""

from __future__ import annotations

import pytest

from curator.cli._parser import build_parser
from curator.errors import UsageError


@pytest.mark.parametrize(
    ("words", "todo"),
    [
        (["curat"], "perhaps `curator curate`; see `curator --help`"),
        (["release", "reqest"], "perhaps `curator release request`; see `curator release --help`"),
        (["xyzzy"], "see `curator --help`"),
        ([], "see `curator --help`"),
    ],
)
def test_a_misspelt_command(words: list[str], todo: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_parser().parse_args(words)
    assert caught.value.todo == todo
