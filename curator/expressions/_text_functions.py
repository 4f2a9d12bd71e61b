"""Functions over text: portable spellings only (see docs/decisions/0004-expression-language.md)."""

from __future__ import annotations

from collections.abc import Mapping

from curator.expressions._dialects import Engine, quote_text
from curator.expressions._model import Function, LiteralCheck, LiteralValue, Parameter, templates
from curator.expressions._regex import has_choice, portable, regex_is_safe

#: What `trim` removes: space, tab, line feed, carriage return, no-break space, narrow no-break space.
TRIMMED = " \t\n\r\u00a0\u202f"
MAX_WIDTH = 1_000


def _whole_between(low: int, high: int) -> LiteralCheck:
    def check(value: LiteralValue) -> str | None:
        return None if isinstance(value, int) and low <= value <= high else f"a whole number from {low} to {high}"

    return check


def _any_text(value: LiteralValue) -> str | None:
    return None if isinstance(value, str) else "a text between quotes"


def _filled_text(value: LiteralValue) -> str | None:
    return None if isinstance(value, str) and value else "a text that is not empty"


def _one_character(value: LiteralValue) -> str | None:
    return None if isinstance(value, str) and len(value) == 1 else "one character between quotes"


def _pattern(value: LiteralValue) -> str | None:
    reason = regex_is_safe(value) if isinstance(value, str) else "it is not a text"
    return f"a portable pattern ({reason})" if reason else None


def _plain_pattern(value: LiteralValue) -> str | None:
    if reason := _pattern(value):
        return reason
    if has_choice(str(value)):
        return "a pattern without groups or | (engines disagree on which alternative wins; call the function twice)"
    return None


def _share(value: LiteralValue) -> str | None:
    return None if not isinstance(value, str) and 0 <= value <= 1 else "a number from 0 to 1, such as 0.25"


def _full(values: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    return {"pattern": quote_text(portable(str(values[0]), engine, full=True), engine)}


def _found(values: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    return {"pattern": quote_text(portable(str(values[0]), engine), engine)}


def _trimmed(_: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    return {"set": quote_text(TRIMMED, engine)}


def _threshold(values: tuple[LiteralValue, ...], engine: Engine) -> Mapping[str, str]:
    """First 8 hexadecimal digits of the digest must sort before this text; `g` sorts after every digit."""
    limit = int(values[1] * 2**32) if not isinstance(values[1], str) else 0
    return {"limit": quote_text("g" if limit == 2**32 else f"{limit:08x}", engine)}


_TEXT = Parameter(name="text", types=("text",))
_REGEX = Parameter(name="pattern", types=("text",), literal=_pattern)
_PLAIN_REGEX = Parameter(name="pattern", types=("text",), literal=_plain_pattern)
_PART = Parameter(name="part", types=("text",), literal=_any_text)
#: The whole number in a text, the text unchanged, or nothing: what is not matched gives '' or null, then null.
_WHOLE = "^-?[0-9]{1,18}"
_DECIMAL = "^-?[0-9]{1,15}([.][0-9]{1,15})?"

TEXT_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="length",
        parameters=(_TEXT,),
        returns="integer",
        meaning="Number of Unicode code points; a letter with a separate accent counts for two.",
        example="length('Été')",
        example_result="3",
        templates=templates("CAST(LENGTH($1) AS BIGINT)"),
    ),
    Function(
        name="lower",
        parameters=(_TEXT,),
        returns="text",
        meaning="Lower case, letter by letter: `İ` becomes `i`, `Σ` becomes `σ` wherever it stands.",
        example="lower('ÉCOLE 12')",
        example_result="'école 12'",
        templates=templates(
            "LOWER($1)",
            spark="LOWER(TRANSLATE($1, 'İΣ', 'iσ'))",
            postgres="LOWER(TRANSLATE($1, 'İΣ', 'iσ') COLLATE \"und-x-icu\")",
        ),
    ),
    Function(
        name="upper",
        parameters=(_TEXT,),
        returns="text",
        meaning="Upper case, letter by letter: `ß` becomes `ẞ`.",
        example="upper('école 12')",
        example_result="'ÉCOLE 12'",
        templates=templates(
            "UPPER($1)",
            spark="UPPER(REPLACE($1, 'ß', 'ẞ'))",
            postgres="UPPER(REPLACE($1, 'ß', 'ẞ') COLLATE \"und-x-icu\")",
        ),
    ),
    Function(
        name="trim",
        parameters=(_TEXT,),
        returns="text",
        meaning="Without the spaces, tabs, line ends and no-break spaces (U+00A0, U+202F) at both ends.",
        example="trim('  ab c ')",
        example_result="'ab c'",
        fragments=_trimmed,
        templates=templates("TRIM($1, $set)", spark="TRIM(BOTH $set FROM $1)", postgres="BTRIM($1, $set)"),
    ),
    Function(
        name="substr",
        parameters=(
            _TEXT,
            Parameter(name="start", types=("integer",), literal=_whole_between(1, 1_000_000)),
            Parameter(name="count", types=("integer",), literal=_whole_between(0, 1_000_000)),
        ),
        returns="text",
        meaning="`count` code points from `start`, counted from 1; what lies past the end is left out.",
        example="substr('75056', 1, 2)",
        example_result="'75'",
        templates=templates("SUBSTR($1, $2, $3)"),
    ),
    Function(
        name="replace",
        parameters=(
            _TEXT,
            Parameter(name="old", types=("text",), literal=_filled_text),
            Parameter(name="new", types=("text",), literal=_any_text),
        ),
        returns="text",
        meaning="Every occurrence of `old` becomes `new`.",
        example="replace('AB-123-CD', '-', '')",
        example_result="'AB123CD'",
        templates=templates("REPLACE($1, $2, $3)"),
    ),
    Function(
        name="lpad",
        parameters=(
            _TEXT,
            Parameter(name="width", types=("integer",), literal=_whole_between(1, MAX_WIDTH)),
            Parameter(name="fill", types=("text",), literal=_one_character),
        ),
        returns="text",
        meaning="Filled on the left up to `width` code points; as in SQL, a longer text is cut to its first `width`.",
        example="lpad('52', 3, '0')",
        example_result="'052'",
        templates=templates("LPAD($1, $2, $3)"),
    ),
    Function(
        name="starts_with",
        parameters=(_TEXT, _PART),
        returns="boolean",
        meaning="Whether the text begins with `part`, code point for code point.",
        example="starts_with('2A004', '2A')",
        example_result="true",
        templates=templates("STARTS_WITH($1, $2)", spark="STARTSWITH($1, $2)"),
    ),
    Function(
        name="contains",
        parameters=(_TEXT, _PART),
        returns="boolean",
        meaning="Whether `part` occurs in the text, code point for code point.",
        example="contains('rue de la Gare', 'Gare')",
        example_result="true",
        templates=templates("CONTAINS($1, $2)", postgres="(STRPOS($1, $2) > 0)"),
    ),
    Function(
        name="matches",
        parameters=(_TEXT, _REGEX),
        returns="boolean",
        meaning="Whether the whole text matches the pattern, a last line feed included.",
        example="matches('AB-123-CD', '[A-Z]{2}-[0-9]{3}-[A-Z]{2}')",
        example_result="true",
        fragments=_full,
        templates=templates("REGEXP_MATCHES($1, $pattern)", spark="($1 RLIKE $pattern)", postgres="($1 ~ $pattern)"),
    ),
    Function(
        name="finds",
        parameters=(_TEXT, _REGEX),
        returns="boolean",
        meaning="Whether the pattern matches somewhere in the text.",
        example="finds('choc frontal RN20', 'RN[0-9]+')",
        example_result="true",
        fragments=_found,
        templates=templates("REGEXP_MATCHES($1, $pattern)", spark="($1 RLIKE $pattern)", postgres="($1 ~ $pattern)"),
    ),
    Function(
        name="remove",
        parameters=(_TEXT, _PLAIN_REGEX),
        returns="text",
        meaning="Without any part that matches the pattern.",
        example="remove('1 85 05 78', '[^0-9]')",
        example_result="'1850578'",
        fragments=_found,
        templates=templates("REGEXP_REPLACE($1, $pattern, '', 'g')", spark="REGEXP_REPLACE($1, $pattern, '')"),
    ),
    Function(
        name="extract_text",
        parameters=(_TEXT, _PLAIN_REGEX),
        returns="text",
        meaning="The first part that matches the pattern, the longest one there.",
        example="extract_text('sortie RN20 puis RN7', 'RN[0-9]+')",
        example_result="'RN20'",
        nulls="null when the text is null, and when nothing, or only an empty part, matches",
        fragments=_found,
        templates=templates(
            "NULLIF(REGEXP_EXTRACT($1, $pattern, 0), '')", postgres="NULLIF(SUBSTRING($1 FROM $pattern), '')"
        ),
    ),
    Function(
        name="to_int",
        parameters=(_TEXT,),
        returns="integer",
        meaning="The whole number of a text made of 1 to 18 digits after an optional minus, and of nothing else.",
        example="to_int('-042')",
        example_result="-42",
        nulls="null when the text is null or is not such a number",
        templates=templates(
            rf"CAST(NULLIF(REGEXP_EXTRACT($1, '{_WHOLE}\z', 0), '') AS BIGINT)",
            spark=rf"CAST(NULLIF(REGEXP_EXTRACT($1, '{_WHOLE}\\z', 0), '') AS BIGINT)",
            postgres=f"CAST(SUBSTRING($1 FROM '{_WHOLE}$') AS BIGINT)",
        ),
    ),
    Function(
        name="to_float",
        parameters=(_TEXT,),
        returns="float",
        meaning="The number of a text made of 1 to 15 digits, then maybe a point and 1 to 15 more; a minus may lead.",
        example="to_float('48.8566')",
        example_result="48.8566",
        nulls="null when the text is null or is not such a number",
        templates=templates(
            rf"CAST(NULLIF(REGEXP_EXTRACT($1, '{_DECIMAL}\z', 0), '') AS DOUBLE)",
            spark=rf"CAST(NULLIF(REGEXP_EXTRACT($1, '{_DECIMAL}\\z', 0), '') AS DOUBLE)",
            postgres=f"CAST(SUBSTRING($1 FROM '({_DECIMAL}$)') AS DOUBLE PRECISION)",
        ),
    ),
    Function(
        name="to_text",
        parameters=(Parameter(name="number", types=("integer",)),),
        returns="text",
        meaning="The digits of a whole number, with a minus when negative. (Floats have no portable spelling.)",
        example="to_text(2013)",
        example_result="'2013'",
        templates=templates("CAST($1 AS VARCHAR)", spark="CAST($1 AS STRING)", postgres="CAST($1 AS TEXT)"),
    ),
    Function(
        name="in_share",
        parameters=(
            _TEXT,
            Parameter(name="salt", types=("text",), literal=_filled_text),
            Parameter(name="share", types=("integer", "decimal"), literal=_share),
        ),
        returns="boolean",
        meaning="Whether a stable key falls into a share of all keys: the same rows on every run and engine. The first "
        "32 bits of MD5(salt then key, UTF-8) are compared with share x 2^32. It spreads rows; it protects nothing.",
        example="in_share('201300000001', 'sample-2', 0.5)",
        example_result="true",
        fragments=_threshold,
        templates=templates(
            "(SUBSTR(MD5($2 || $1), 1, 8) < $limit)",
            spark="(SUBSTR(MD5(CONCAT($2, $1)), 1, 8) < $limit)",
            postgres='(SUBSTR(MD5($2 || $1), 1, 8) COLLATE "C" < $limit)',
        ),
    ),
)
