"""The Great Expectations names a spec may use, with the arguments of each (names and meaning as in GX 1.x).

The table is data: `curator spec check` reads it to refuse unknown words, `curator.quality` compiles each row of it.
Every row expectation skips null values, as GX does, except the two about nulls; `mostly` (0 to 1, default 1) is the
least share of the values looked at that must pass for the expectation to be met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["row", "unique", "aggregate", "table"]


@dataclass(frozen=True)
class ExpectationType:
    """One expectation that curator knows how to run in the engine.

    Attributes:
        name: the Great Expectations name.
        scope: what its verdict needs: `row` one row at a time; `unique` all values of a key; `aggregate` one figure of
            a column; `table` the number of rows or the shape of the table.
        required: arguments that must be given.
        optional: arguments that may be given.
        column_types: logical types its column may have; empty when any may.
    """

    name: str
    scope: Scope
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    column_types: tuple[str, ...] = ()

    @property
    def arguments(self) -> frozenset[str]:
        """Every argument name."""
        return frozenset(self.required + self.optional)

    @property
    def rejects_rows(self) -> bool:
        """Whether a failing *row* can be named, so that `on_failure: reject` makes sense."""
        return self.scope in ("row", "unique")


_BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")
_TEXT = ("text", "free_text")
_NUMBER = ("integer", "decimal", "float")
_ORDERED = (*_NUMBER, "date", "timestamp")

EXPECTATIONS: dict[str, ExpectationType] = {
    row.name: row
    for row in (
        ExpectationType("expect_column_values_to_not_be_null", "row", ("column",), ("mostly",)),
        ExpectationType("expect_column_values_to_be_null", "row", ("column",), ("mostly",)),
        ExpectationType("expect_column_values_to_be_in_set", "row", ("column", "value_set"), ("mostly",)),
        ExpectationType("expect_column_values_to_not_be_in_set", "row", ("column", "value_set"), ("mostly",)),
        ExpectationType("expect_column_values_to_match_regex", "row", ("column", "regex"), ("mostly",), _TEXT),
        ExpectationType("expect_column_values_to_not_match_regex", "row", ("column", "regex"), ("mostly",), _TEXT),
        ExpectationType(
            "expect_column_values_to_match_regex_list", "row", ("column", "regex_list"), ("match_on", "mostly"), _TEXT
        ),
        ExpectationType(
            "expect_column_values_to_not_match_regex_list", "row", ("column", "regex_list"), ("mostly",), _TEXT
        ),
        ExpectationType("expect_column_values_to_be_between", "row", ("column",), (*_BOUNDS, "mostly"), _ORDERED),
        ExpectationType(
            "expect_column_value_lengths_to_be_between",
            "row",
            ("column",),
            (*_BOUNDS, "mostly"),
            _TEXT,
        ),
        ExpectationType("expect_column_value_lengths_to_equal", "row", ("column", "value"), ("mostly",), _TEXT),
        ExpectationType(
            "expect_column_values_to_match_strftime_format", "row", ("column", "strftime_format"), ("mostly",), _TEXT
        ),
        ExpectationType(
            "expect_column_pair_values_a_to_be_greater_than_b",
            "row",
            ("column_A", "column_B"),
            ("or_equal", "ignore_row_if", "mostly"),
        ),
        ExpectationType(
            "expect_column_pair_values_to_be_equal", "row", ("column_A", "column_B"), ("ignore_row_if", "mostly")
        ),
        ExpectationType(
            "expect_select_column_values_to_be_unique_within_record",
            "row",
            ("column_list",),
            ("ignore_row_if", "mostly"),
        ),
        ExpectationType("expect_column_values_to_be_unique", "unique", ("column",), ("mostly",)),
        ExpectationType(
            "expect_compound_columns_to_be_unique", "unique", ("column_list",), ("ignore_row_if", "mostly")
        ),
        ExpectationType("expect_column_mean_to_be_between", "aggregate", ("column",), _BOUNDS, _NUMBER),
        ExpectationType("expect_column_median_to_be_between", "aggregate", ("column",), _BOUNDS, _NUMBER),
        ExpectationType("expect_column_sum_to_be_between", "aggregate", ("column",), _BOUNDS, _NUMBER),
        ExpectationType("expect_column_min_to_be_between", "aggregate", ("column",), _BOUNDS, _ORDERED),
        ExpectationType("expect_column_max_to_be_between", "aggregate", ("column",), _BOUNDS, _ORDERED),
        ExpectationType("expect_column_stdev_to_be_between", "aggregate", ("column",), _BOUNDS, _NUMBER),
        ExpectationType(
            "expect_column_quantile_values_to_be_between", "aggregate", ("column", "quantile_ranges"), (), _NUMBER
        ),
        ExpectationType("expect_column_unique_value_count_to_be_between", "aggregate", ("column",), _BOUNDS),
        ExpectationType("expect_column_proportion_of_unique_values_to_be_between", "aggregate", ("column",), _BOUNDS),
        ExpectationType("expect_column_proportion_of_non_null_values_to_be_between", "aggregate", ("column",), _BOUNDS),
        ExpectationType("expect_table_row_count_to_be_between", "table", (), ("min_value", "max_value")),
        ExpectationType("expect_table_row_count_to_equal", "table", ("value",)),
        ExpectationType("expect_column_to_exist", "table", ("column",)),
        ExpectationType("expect_column_values_to_be_of_type", "table", ("column", "type_"), ("mostly",)),
    )
}
"""Every expectation a spec may name."""
