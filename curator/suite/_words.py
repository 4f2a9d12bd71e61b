"""Words for people: the short name of a rule and the reason it gives. Columns are named, values never."""

from __future__ import annotations

from curator.spec.model import Expectation

REASONS: dict[str, str] = {
    "expect_column_values_to_not_be_null": "is missing",
    "expect_column_values_to_be_null": "is present but must be missing",
    "expect_column_values_to_be_in_set": "is not in the list of allowed values",
    "expect_column_values_to_not_be_in_set": "is in the list of refused values",
    "expect_column_values_to_match_regex": "does not have the expected shape",
    "expect_column_values_to_not_match_regex": "has a refused shape",
    "expect_column_values_to_match_regex_list": "has none of the expected shapes",
    "expect_column_values_to_not_match_regex_list": "has one of the refused shapes",
    "expect_column_values_to_be_between": "is outside its bounds",
    "expect_column_value_lengths_to_be_between": "has a length outside its bounds",
    "expect_column_value_lengths_to_equal": "has another length",
    "expect_column_values_to_match_strftime_format": "is not a date of the expected layout",
    "expect_column_pair_values_a_to_be_greater_than_b": "the first is not greater than the second",
    "expect_column_pair_values_to_be_equal": "are not equal",
    "expect_select_column_values_to_be_unique_within_record": "hold the same value twice",
    "expect_column_values_to_be_unique": "occurs more than once",
    "expect_compound_columns_to_be_unique": "occur together more than once",
    "expect_column_mean_to_be_between": "has a mean outside its bounds",
    "expect_column_median_to_be_between": "has a median outside its bounds",
    "expect_column_sum_to_be_between": "has a sum outside its bounds",
    "expect_column_min_to_be_between": "has a minimum outside its bounds",
    "expect_column_max_to_be_between": "has a maximum outside its bounds",
    "expect_column_stdev_to_be_between": "has a standard deviation outside its bounds",
    "expect_column_quantile_values_to_be_between": "has a quantile outside its range",
    "expect_column_unique_value_count_to_be_between": "has too few or too many different values",
    "expect_column_proportion_of_unique_values_to_be_between": "has a share of different values outside its bounds",
    "expect_column_proportion_of_non_null_values_to_be_between": "has a share of values present outside its bounds",
    "expect_table_row_count_to_be_between": "has a number of rows outside its bounds",
    "expect_table_row_count_to_equal": "has another number of rows",
    "expect_column_to_exist": "does not exist",
    "expect_column_values_to_be_of_type": "has another type",
}
"""Expectation name -> what is wrong when it is not met."""

_DROPPED = (
    "expect_column_values_to_",
    "expect_column_pair_values_",
    "expect_column_value_",
    "expect_column_",
    "expect_select_column_values_to_",
    "expect_compound_columns_to_",
    "expect_table_",
    "expect_",
)


def short_name(expectation: Expectation) -> str:
    """`match-regex-plate` for a pattern on the column plate."""
    verb = next(expectation.type.removeprefix(start) for start in _DROPPED if expectation.type.startswith(start))
    verb = verb.removesuffix("_to_be_between").removeprefix("to_").replace("not_be_", "not_").removeprefix("be_")
    given = expectation.kwargs
    first = given.get("column") or given.get("column_A") or next(iter(given.get("column_list") or []), "")
    return "-".join(part for part in (verb, str(first)) if part).replace("_", "-")[:80]
