"""The one table of functions: a name that is not here does not exist in the language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from curator.expressions._date_functions import DATE_FUNCTIONS
from curator.expressions._model import Function
from curator.expressions._number_functions import NUMBER_FUNCTIONS
from curator.expressions._text_functions import TEXT_FUNCTIONS

#: Every function of the language by name, in the order of the reference page.
FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for function in (*TEXT_FUNCTIONS, *NUMBER_FUNCTIONS, *DATE_FUNCTIONS)}
)

#: What people write out of habit from SQL, and the word of the language.
HABITS: Mapping[str, str] = MappingProxyType(
    {
        "cast": "to_int, to_float, to_text or parse_date",
        "try_cast": "to_int, to_float or parse_date",
        "concat": "|| between the texts",
        "like": "starts_with, contains or matches",
        "regexp_matches": "finds",
        "regexp_full_match": "matches",
        "regexp_replace": "remove",
        "regexp_extract": "extract_text",
        "date_diff": "days_between or age_years",
        "date_trunc": "month_start or year_start",
        "strptime": "parse_date",
        "substring": "substr",
        "left": "substr(text, 1, count)",
        "right": "extract_text",
        "round": "floor or band",
        "if": "CASE WHEN .. THEN .. ELSE .. END",
        "ifnull": "coalesce",
        "dayofweek": "weekday",
        "isodow": "weekday",
        "now": "a date given as a column: an expression gives the same result every day",
        "today": "a date given as a column: an expression gives the same result every day",
        "current_date": "a date given as a column: an expression gives the same result every day",
        "random": "in_share(key, salt, share)",
        "hash": "in_share(key, salt, share)",
        "md5": "in_share(key, salt, share)",
    }
)
