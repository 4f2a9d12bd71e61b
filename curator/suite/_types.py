"""Names of types as people write them in `expect_column_values_to_be_of_type`, and the logical types they mean."""

from __future__ import annotations

TYPE_NAMES: dict[str, frozenset[str]] = {
    name: frozenset(kinds)
    for names, kinds in (
        ("text str string varchar string_types free_text", ("text", "free_text")),
        ("integer int int64 bigint long", ("integer",)),
        ("decimal numeric", ("decimal",)),
        ("float float64 double", ("float",)),
        ("boolean bool", ("boolean",)),
        ("date", ("date",)),
        ("timestamp datetime datetime64", ("timestamp",)),
    )
    for name in names.split()
}
"""Name in lower case -> logical types. A column has the type the spec declares, nulls or not."""
